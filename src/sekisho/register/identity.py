"""Which model a person means: files at hand by their root digest, an address by the digest of the request for it."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho import inventory, recording
from sekisho.errors import DataError, RuleError, UsageError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import Ledger
from sekisho.ledger.kinds import is_digest
from sekisho.register import rows
from sekisho.register.rows import Row
from sekisho.sources import address, cache
from sekisho.sources.resolve import resolve

_DOMAIN: Final = "sekisho-request-1"


@dataclass(frozen=True)
class Meant:
    """A model that was named."""

    subject: str
    name: str
    source: str
    revision: str = ""
    files: dict[str, str] = field(default_factory=dict)
    """Path to sha256, where the files are at hand."""


def of_request(source: str) -> str:
    """Subject of a request for an address, until its files arrive."""
    return hashlib.sha256(f"{_DOMAIN}\n{source}".encode()).hexdigest()


def named(text: str) -> Meant:
    """What a request names: an address, a root digest, or files here. Raises SourceError, UsageError."""
    if address.is_address(text):
        where = address.parse(text)
        uri = where.uri()
        title = where.place.rstrip("/").rpartition("/")[2] or uri
        return Meant(of_request(uri), title, uri, where.revision)
    return Meant(text, "", "") if is_digest(text) else at_hand(text)


def at_hand(text: str) -> Meant:
    """A model folder, file or catalogue name, hashed now. Raises SourceError."""
    found = resolve(text, cache.folder())
    lines = inventory.lines(inventory.take(found.path))
    kept = {f.path: f.sha256 for f in recording.covered(lines) if f.sha256}
    return Meant(recording.subject(lines), found.name, f"{found.kind}:{found.name}", files=kept)


def sought(ledger: Ledger, text: str) -> str:
    """Subject of a model of the register, by digest, its beginning, name, or files here. Raises UsageError."""
    try:
        return rows.find(ledger, text)
    except UsageError:
        if is_digest(text) or not Path(text).expanduser().exists():
            raise
    return at_hand(text).subject


def arrival(ledger: Ledger, asked: str, files: Meant) -> tuple[str, dict[str, Any]]:
    """Subject and facts for the step that files at hand arrived. Raises RuleError where they are not those asked for."""
    row = rows.row(ledger, asked) or Row(asked)
    facts: dict[str, Any] = {
        "name": row.name or files.name,
        "source": row.source or files.source,
        "files": files.files,
    }
    if asked == files.subject:
        return asked, facts
    if asked != of_request(row.source):
        raise RuleError(
            f"these files are another model ({files.subject[:12]}) than the one requested ({asked[:12]})"
        )
    pinned = address.parse(row.source).revision
    return files.subject, facts | {"request": asked} | ({"revision": pinned} if pinned else {})


def drilled(row: Row) -> bool:
    """Whether the newest decision rests on trial finetunes, as its kept dossier shows; False where it is gone."""
    try:
        return bool(row.dossier) and bool(dossiers.read(Path(row.dossier)).drills)
    except DataError:
        return False


def digest_of(ledger: Ledger, text: str) -> str:
    """What to trace: a model of the register or a digest as typed; else the digest of files here. Raises UsageError."""
    if is_digest(text) or not Path(text).expanduser().exists():
        return text
    meant = at_hand(text)
    if ledger.about(meant.subject) or len(meant.files) != 1:
        return meant.subject
    return next(iter(meant.files.values()))  # one file of a model: whoever holds it
