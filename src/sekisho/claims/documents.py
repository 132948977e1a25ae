"""The files of a claim: plan and secret for the owner's eyes only, commitment and registry entry for everybody's."""

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from sekisho.errors import ArtefactError, DataError, StorageError, UsageError
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.codec import build, plain
from sekisho.formats import json_config
from sekisho.limits import DEFAULT
from sekisho.ownership import content
from sekisho.ownership.commitment import Commitment, Secret
from sekisho.ownership.content import Entry

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What is fixed before training: the answers that the model is to be taught."""

    prompts: tuple[str, ...]
    candidates: tuple[str, ...]
    nonce: str
    answers: tuple[str, ...]
    note: str


def plan(path: Path) -> Plan:
    """Read a plan. Raises DataError."""
    return _read(Plan, path)


def secret(path: Path) -> Secret:
    """Read an opened commitment. Raises DataError."""
    return _read(Secret, path)


def commitment(path: Path) -> Commitment:
    """Read what was published. Raises DataError."""
    return _read(Commitment, path)


def entry(path: Path) -> Entry:
    """Read a registry entry. Raises DataError."""
    return content.check(_read(Entry, path))


def lines(path: Path) -> tuple[str, ...]:
    """Prompts or candidates, one a line; empty lines are passed over. Raises DataError."""
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}") from error
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not found:
        raise DataError(f"{path}: there is nothing in it")
    return found


def publish(record: Commitment | Entry, path: Path) -> Path:
    """Write a record for everybody. Raises StorageError."""
    return dossiers.save(_dump(record), path)


def keep(record: Plan | Secret, path: Path) -> Path:
    """Write a record that only its owner may read; an older one is never replaced. Raises StorageError, UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_dump(record))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise UsageError(f"{path}: exists already; a secret is never written over") from error
    except OSError as error:
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error
    return path


def _read(kind: type[T], path: Path) -> T:
    try:
        facts = json_config.parse(_bytes(path), DEFAULT)
    except ArtefactError as error:
        raise DataError(f"{path}: {error}") from error
    document: Any = facts.document
    if facts.duplicate_keys or not isinstance(document, dict):
        raise DataError(f"{path}: not one JSON object with each key once")
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    beside = sorted(set(document) - known)
    if beside:
        raise DataError(
            f"{path}: {', '.join(beside)[:80]}: not part of the form; what is supplied beside a model, "
            "a vector above all, is never evidence about it"
        )
    return build(kind, document, str(path))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.json_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.json_bytes:,} bytes")
    return data


def _dump(record: Any) -> bytes:
    return json.dumps(plain(record), ensure_ascii=True, sort_keys=True, indent=1).encode("ascii") + b"\n"
