"""Back to where a model came from, forward to where it runs: a walk over the ledger's entries and the kept dossiers."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind, is_digest
from sekisho.limits import DEFAULT
from sekisho.register import rows
from sekisho.register.rows import Row

GENERATIONS: Final = 16
"""Parents of parents, and children of children, that are followed."""
MOST: Final = 1_000
"""Relatives in one direction."""
STATES: Final = ("kept", "gone", "changed")
"""Of a dossier: as the ledger names it, not there, or other bytes."""


@dataclass(frozen=True)
class Step:
    """One thing the ledger says of a model's way."""

    entry: int
    time: str
    actor: str
    kind: str = ""
    """Of the entry: `model-registered` or `intake`."""
    source: str = ""
    revision: str = ""
    record: str = ""
    """sha256 of the intake record."""


@dataclass(frozen=True)
class Judged:
    """One decision and its dossier."""

    entry: int
    time: str
    decision: str
    scope: str
    policy: str
    dossier: str
    """sha256 of the dossier's bytes."""
    path: str
    kept: str
    """One of STATES."""


@dataclass(frozen=True)
class Used:
    """One place where a model was put."""

    entry: int
    time: str
    actor: str
    place: str


@dataclass(frozen=True)
class Relative:
    """A model this one was made from, or that was made from it."""

    subject: str
    generation: int
    """1 for a parent or a child."""
    via: str
    """Digest of the model between, or this one's."""
    method: str
    entry: int
    row: Row | None
    """As the register has it; None where it is not in it."""
    deployments: tuple[Used, ...] = ()


@dataclass(frozen=True)
class Trace:
    """The way of one model."""

    row: Row
    asked: str
    """Digest of the file that was asked about; empty where the model itself was."""
    path: str
    """Of that file in the model; empty where only its digest is known."""
    intake: tuple[Step, ...]
    parents: tuple[Relative, ...]
    decisions: tuple[Judged, ...]
    deployments: tuple[Used, ...]
    children: tuple[Relative, ...]
    head: str
    """`NUMBER:DIGEST` of the ledger's last entry when it was walked."""


def trace(ledger: Ledger, text: str) -> tuple[Trace, ...]:
    """Trace a model, by digest, its beginning or name, or every model that holds a file of this digest.

    Raises UsageError where neither is known, StorageError.
    """
    holders = _holders(ledger, text) if is_digest(text) and not ledger.begun(text) else ()
    if holders:
        return tuple(_trace(ledger, s, asked=text, path=path) for s, path in holders)
    return (_trace(ledger, rows.find(ledger, text)),)


def _trace(ledger: Ledger, subject: str, *, asked: str = "", path: str = "") -> Trace:
    history, tip = ledger.history(subject), ledger.tip()
    trained = ledger.search("", Kind.TRAINING_RECORD)
    return Trace(
        row=rows.row(ledger, subject) or Row(subject),
        asked=asked,
        path=path,
        intake=tuple(_step(e) for e in history if e.kind in (Kind.MODEL_REGISTERED, Kind.INTAKE)),
        parents=_relatives(ledger, subject, trained, ("output_digest", "base_digest")),
        decisions=tuple(_judged(e) for e in history if e.kind == Kind.DECISION),
        deployments=_deployments(history),
        children=_relatives(ledger, subject, trained, ("base_digest", "output_digest")),
        head=f"{tip.sequence}:{tip.digest}",
    )


def _step(entry: Entry) -> Step:
    body = entry.content
    told = {k: str(body.get(k, "")) for k in ("source", "revision")}
    return Step(
        entry.sequence, entry.time, entry.actor, entry.kind, **told, record=str(body.get("record_digest", ""))
    )


def _judged(entry: Entry) -> Judged:
    body = entry.content
    told = {k: str(body.get(k, "")) for k in ("decision", "scope", "policy")}
    digest, path = str(body.get("dossier_sha256", "")), str(body.get("dossier_path", ""))
    return Judged(entry.sequence, entry.time, **told, dossier=digest, path=path, kept=_kept(path, digest))


def _kept(path: str, digest: str) -> str:
    data = _bytes(path)
    if data is None:
        return "gone"
    return "kept" if hashlib.sha256(data).hexdigest() == digest else "changed"


def _bytes(path: str) -> bytes | None:
    try:
        with Path(path).open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= DEFAULT.json_bytes else None


def _deployments(history: Iterable[Entry]) -> tuple[Used, ...]:
    found = (e for e in history if e.kind == Kind.DEPLOYMENT)
    return tuple(Used(e.sequence, e.time, e.actor, str(e.content.get("place", ""))) for e in found)


def _relatives(
    ledger: Ledger, subject: str, trained: Sequence[Entry], keys: tuple[str, str]
) -> tuple[Relative, ...]:
    """Follow training records from one key to the other, generation by generation; a circle ends it."""
    links = [(e, e.content) for e in trained]
    found: dict[str, Relative] = {}
    edge = [subject]
    for generation in range(1, GENERATIONS + 1):
        new = [
            _relative(ledger, (e, body, keys), generation)
            for e, body in links
            if body.get(keys[0]) in edge and is_digest(str(body.get(keys[1], "")))
        ]
        edge = []
        for relative in new[: MOST - len(found)]:
            if relative.subject not in found and relative.subject != subject:
                found[relative.subject] = relative
                edge.append(relative.subject)
    return tuple(found.values())


def _relative(ledger: Ledger, link: tuple[Entry, Any, tuple[str, str]], generation: int) -> Relative:
    entry, body, (here, there) = link
    other = str(body[there])
    used = _deployments(ledger.about(other))
    method = str(body.get("method", ""))
    return Relative(
        other, generation, str(body[here]), method, entry.sequence, rows.row(ledger, other), deployments=used
    )


def _holders(ledger: Ledger, digest: str) -> tuple[tuple[str, str], ...]:
    """Models that hold a file of this digest: by intake entries, else by the newest kept dossiers that name it."""
    found: dict[str, str] = {}
    for entry in ledger.search(f'"{digest}"', Kind.INTAKE):
        files = entry.content.get("files")
        paths = [p for p, d in files.items() if d == digest] if isinstance(files, dict) else []
        found.setdefault(entry.subject, paths[0] if paths else "")
    for subject, (_, body) in ledger.newest(Kind.DECISION).items():
        if subject not in found and (path := _in_dossier(body, digest)):
            found[subject] = path
    return tuple(found.items())


def _in_dossier(body: str, digest: str) -> str:
    """Path of the file in the dossier that a decision names; empty where it is not in it."""
    where = _path(body)
    data = _bytes(where) if where else None
    if data is None or digest.encode() not in data:
        return ""
    try:
        made = dossiers.from_json(data)
    except DataError:
        return ""
    return next((f.path for f in made.files if f.sha256 == digest), "")


def _path(body: str) -> str:
    """Where the dossier of a decision's body was kept; empty where it does not say."""
    entry = Entry(0, "", "", Kind.DECISION, "", body, "", "")
    try:
        return str(entry.content.get("dossier_path", ""))
    except DataError:
        return ""
