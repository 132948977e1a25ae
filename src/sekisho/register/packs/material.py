"""What packs are made of: one dossier, the signed evidence beside it, and what the ledger says of the model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho import recording
from sekisho.errors import DataError
from sekisho.evidence import dossier as dossiers
from sekisho.evidence import dsse
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Entry
from sekisho.limits import DEFAULT
from sekisho.records import Dossier
from sekisho.register import identity, rows
from sekisho.register import trace as traces
from sekisho.register.rows import Row
from sekisho.register.trace import Trace
from sekisho.report import chain

EVIDENCE: Final = "evidence"
_KEPT: Final = (".json", ".html", ".sig", ".pub", ".py")
"""Endings of the files of an evidence folder."""


@dataclass(frozen=True)
class Material:
    """Everything at hand about one model."""

    subject: str
    name: str
    dossier: Dossier | None = None
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    """Signed evidence folder: name to bytes; empty where there is none."""
    row: Row | None = None
    trace: Trace | None = None
    history: tuple[Entry, ...] = ()
    fallback: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Other models that ran at each of its places, newest first."""

    @property
    def told(self) -> Dossier:
        """The dossier. Raises DataError where there is none."""
        if self.dossier is None:
            raise DataError(
                f"{self.name}: no dossier is at hand; name its folder, or vet the model with --record"
            )
        return self.dossier


@dataclass(frozen=True)
class Wish:
    """How a pack is wanted."""

    counterparty: str = ""
    """Of a contract; empty where there is none."""
    matrix: bytes = b""
    """A responsibility table that was filled in, as CSV."""
    full: bool = False
    """Questions and answers stay in a review pack."""
    what: str = ""
    """What happened, in the user's words."""
    policy: bytes = b""
    """Of a supplier kit."""
    profile: str = "standard"


@dataclass(frozen=True)
class Draft:
    """Files of a pack, before manifest and README."""

    kind: str
    material: Material
    files: Mapping[str, bytes]
    contents: tuple[str, ...]
    """Keys of the words `file`, in the order of the README."""
    gaps: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """What is missing: keys of the words `gap` and their facts, by language where they are words."""
    legal: bool = False
    """It holds legal text: every page says that it is a draft."""
    redacted: bool = False


def gather(ledger: Ledger | None, text: str) -> Material:
    """By a dossier's file or folder, else by a model of the register. Raises DataError, UsageError, StorageError."""
    path = Path(text).expanduser()
    file = path / dossiers.NAME if path.is_dir() else path
    if file.is_file() and file.suffix == ".json":
        made = dossiers.read(file)
        subject = recording.subject(made.files)
        known = ledger if ledger is not None and ledger.about(subject) else None
        return _material(known, subject, made, file.parent)
    if ledger is None:
        raise DataError(f"{text!r}: no dossier lies there, and there is no ledger to look in")
    subject = identity.sought(ledger, text)
    row = rows.row(ledger, subject)
    made_at = Path(row.dossier) if row and row.dossier else None
    return _material(ledger, subject, _kept(made_at), made_at.parent if made_at else None)


def _material(ledger: Ledger | None, subject: str, made: Dossier | None, folder: Path | None) -> Material:
    name = made.provenance.name if made else subject[:12]
    evidence = _evidence(folder) if folder else {}
    if ledger is None:
        return Material(subject, name, made, evidence)
    (found,) = traces.trace(ledger, subject)
    history = ledger.history(subject)
    back = {u.place: _fallback(ledger, subject, u.place) for u in found.deployments}
    return Material(subject, found.row.name or name, made, evidence, found.row, found, history, back)


def _kept(path: Path | None) -> Dossier | None:
    try:
        return dossiers.read(path) if path else None
    except DataError:
        return None


def _evidence(folder: Path) -> dict[str, bytes]:
    """The evidence folder beside a dossier, or the folder itself where it is one. Raises DataError."""
    home = next((f for f in (folder, folder / EVIDENCE) if (f / "evidence.sig").is_file()), None)
    if home is None:
        return {}
    files = (p for p in sorted(home.iterdir()) if p.is_file() and not p.is_symlink() and p.suffix in _KEPT)
    return {p.name: _read(p) for p in files}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.evidence_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.evidence_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.evidence_bytes:,} bytes")
    return data


def _fallback(ledger: Ledger, subject: str, place: str) -> tuple[Row, ...]:
    """Models that ran at a place before, newest first."""
    quoted = dsse.dump({"place": place}).decode()[1:-1]
    found = [e.subject for e in reversed(ledger.search(quoted)) if e.content.get("place") == place]
    others = (rows.row(ledger, s) for s in dict.fromkeys(found) if s != subject)
    return tuple(r for r in others if r)


def common(material: Material) -> dict[str, bytes]:
    """Evidence folder and ledger entries, as far as there are any."""
    made = {f"{EVIDENCE}/{n}": d for n, d in material.evidence.items()}
    if material.history:
        made["ledger.json"] = as_json([chain.plain(e) for e in material.history])
    return made


def as_json(values: Any) -> bytes:
    """Readable JSON with sorted keys."""
    import json

    return (
        json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "backslashreplace")
        + b"\n"
    )


def missing(material: Material) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Gaps that every pack has in common."""
    if material.dossier is None:
        yield "no-dossier", {}
    if not material.evidence:
        yield "no-evidence", {}
    if not material.history:
        yield "no-ledger", {}
