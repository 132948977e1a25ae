"""Everything on file about one model: its dossier, its intake record, the ledger's entries. Reads, and decides nothing."""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sekisho import inventory, recording
from sekisho.checklist.sources import Sources
from sekisho.errors import DataError
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.ledger import book
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind, is_digest
from sekisho.ledger.verify import verify
from sekisho.limits import DEFAULT
from sekisho.provenance.records import Intake
from sekisho.records import Dossier, FileLine
from sekisho.sources import cache as caches
from sekisho.sources.resolve import resolve

ENDING: Final = ".json"


@dataclass(frozen=True)
class Asked:
    """What a user names."""

    model: str
    """A dossier, a folder with one, a model, a catalogue name, or a root digest of 64 hex digits."""
    intake: Path | None = None
    """What `sekisho provenance --out` wrote."""
    ledger: str = ""
    """Path or URL; empty for the default one, if it exists."""


def gather(asked: Asked, now: datetime) -> Sources:
    """Read what there is and hold it together. Raises DataError where one is about another model, UsageError, StorageError."""
    dossier, root = _model(asked.model)
    entries, lessons = _entries(asked, root)
    dossier = dossier or _recorded(entries or (), root)
    intake = read_intake(asked.intake) if asked.intake else None
    if intake is not None:
        _same(intake, root, asked)
    return Sources(root, now, dossier, intake, entries, lessons)


def held(entries: tuple[Entry, ...], root: str, now: datetime, lessons: tuple[Entry, ...] = ()) -> Sources:
    """The same from entries about a model that were checked already. Raises DataError."""
    return Sources(root, now, _recorded(entries, root), None, entries, lessons)


def read_intake(path: Path) -> Intake:
    """The record inside what `provenance` wrote. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.json_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.json_bytes:,} bytes")
    try:
        body: Any = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON: {error}") from error
    if not isinstance(body, dict) or "intake" not in body:
        raise DataError(f"{path}: no intake record as `sekisho provenance --out` writes it")
    return codec.build(Intake, body["intake"], "intake")


def subject(model: str) -> str:
    """The root digest of what a user names. Raises DataError, SourceError."""
    return _model(model)[1]


def _hashed(model: str) -> str:
    seen = inventory.take(resolve(model, caches.folder()).path)
    return recording.subject(inventory.lines(seen))


def _model(model: str) -> tuple[Dossier | None, str]:
    path = Path(model)
    if path.suffix == ENDING or (path / dossiers.NAME).is_file():
        dossier = dossiers.read(path)
        return dossier, recording.subject(dossier.files)
    if is_digest(model):
        return None, model
    return None, _hashed(model)


def _entries(asked: Asked, root: str) -> tuple[tuple[Entry, ...] | None, tuple[Entry, ...]]:
    """None without a ledger; one that was named must be there, and a broken chain says nothing."""
    place = asked.ledger or book.default_place()
    if not asked.ledger and "://" not in place and not Path(place).expanduser().is_file():
        return None, ()
    with closing(book.open_ledger(place, create=False)) as ledger:
        return about(ledger, root), lessons(ledger)


def lessons(ledger: Ledger) -> tuple[Entry, ...]:
    """Who passed the lessons, oldest first."""
    return ledger.search('"edition":', Kind.LESSONS_PASSED)


def about(ledger: Ledger, root: str) -> tuple[Entry, ...]:
    """Entries about a model, those about its request and trainings that began from it included, oldest first.

    Raises DataError where the chain is not whole.
    """
    if not verify(ledger).whole:
        raise DataError(
            f"the ledger {ledger.place} was tampered with; `sekisho ledger verify` names the entries"
        )
    own = ledger.history(root)
    made_from_it = (
        e for e in ledger.search(root, Kind.TRAINING_RECORD) if e.content.get("base_digest") == root
    )
    every = {e.sequence: e for e in (*own, *made_from_it)}
    return tuple(every[n] for n in sorted(every))


def _recorded(entries: tuple[Entry, ...], root: str) -> Dossier | None:
    """The dossier of the newest decision, if it is still there and still the same."""
    decisions = [e.content for e in entries if e.kind == Kind.DECISION]
    path = Path(str(decisions[-1].get("dossier_path", ""))) if decisions else Path()
    if not path.is_file():
        return None
    found = dossiers.read(path)
    if (
        dossiers.digest(found) != decisions[-1].get("dossier_digest")
        or recording.subject(found.files) != root
    ):
        raise DataError(f"{path}: not the dossier that the ledger names")
    return found


def _same(intake: Intake, root: str, asked: Asked) -> None:
    lines = [FileLine(f.path, f.size, f.sha256, "", f.role, "") for f in intake.files]
    if recording.subject(lines) != root:
        raise DataError(f"{asked.intake}: this intake record is about other files than the model")
