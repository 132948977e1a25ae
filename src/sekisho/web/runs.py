"""Vets and comparisons that were started here: each in a folder of its own, so that none is lost with the server.

`request.json` says what was asked; `attempt-N.json` that attempt N began; `exit-N.json` how it ended. While the lock is
held, an attempt runs, whoever started it; a last attempt without an end and without the lock was broken off.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.limits import DEFAULT

FOLDER: Final = "runs"
REQUEST: Final = "request.json"
LOCK: Final = "lock"
PROGRESS: Final = "progress.json"
OUT: Final = "out"
MESSAGES: Final = "messages.txt"
STOPPING: Final = "stopping"
VERBS: Final = ("vet", "compare")
_ID: Final = 8
"""Random bytes of a run's id."""
_ENDED: Final = {0: "admit", 1: "reject", 3: "hold"}


class Stage(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    BROKEN = "broken"
    """Its process is gone without an end: it can be resumed."""


@dataclass(frozen=True)
class Order:
    """What was asked for; the same order again goes on where it stopped."""

    verb: str
    """One of VERBS."""
    title: str
    """The model's name, for people."""
    arguments: tuple[str, ...]
    """Of the verb, without those about where results go."""
    by: str
    language: str
    time: str
    """UTC, ISO 8601."""
    schema: int = 1


@dataclass(frozen=True)
class Run:
    """One run, as its folder has it now."""

    id: str
    folder: Path
    order: Order
    stage: Stage
    attempt: int
    code: int | None = None
    """Exit status of the last attempt that ended."""
    ended: str = ""

    @property
    def going(self) -> bool:
        """Its process is there."""
        return self.stage in (Stage.RUNNING, Stage.STOPPING)

    @property
    def decision(self) -> str:
        """`admit`, `reject` or `hold` of a vet that is done; of a comparison, nothing."""
        return _ENDED.get(-1 if self.code is None else self.code, "") if self.order.verb == "vet" else ""


@dataclass(frozen=True)
class Progress:
    """How far a run has come, as its process says."""

    stages: tuple[str, ...] = ()
    forecast_s: float = 0.0
    updated: str = ""
    work: tuple[tuple[str, float, float], ...] = field(default=())
    """What, done, total."""

    @property
    def share(self) -> float:
        """Of all the work known so far, 0 to 1."""
        total = sum(t for _, _, t in self.work)
        return min(1.0, sum(d for _, d, _ in self.work) / total) if total > 0 else 0.0


def create(home: Path, order: Order) -> Path:
    """A folder for a new run; it is there as a whole once its request is. Raises StorageError."""
    folder = home / FOLDER / secrets.token_hex(_ID)
    dossiers.save(codec.dump(codec.plain(order)), folder / REQUEST)
    return folder


def find(home: Path, run: str) -> Run | None:
    """A run by its id; None where there is none. Raises DataError."""
    if len(run) != 2 * _ID or not set(run) <= set("0123456789abcdef"):
        return None
    folder = home / FOLDER / run
    return read(folder) if (folder / REQUEST).is_file() else None


def listed(home: Path) -> tuple[Run, ...]:
    """Runs, newest first; a folder that cannot be read is passed over."""
    found = []
    for request in (home / FOLDER).glob(f"*/{REQUEST}"):
        with suppress(DataError):
            found.append(read(request.parent))
    return tuple(sorted(found, key=lambda r: (r.order.time, r.id), reverse=True)[: DEFAULT.web_runs])


def read(folder: Path) -> Run:
    """A run from its folder. Raises DataError."""
    order = codec.build(Order, _json(folder / REQUEST), REQUEST)
    if order.verb not in VERBS:
        raise DataError(f"{folder}: no run of {', '.join(VERBS)}")
    attempt, going = newest(folder), held(folder)
    end = _json(folder / f"exit-{attempt}.json") if (folder / f"exit-{attempt}.json").is_file() else {}
    code = end.get("code")
    code = code if type(code) is int else None
    return Run(
        folder.name, folder, order, _stage(folder, going, code), attempt, code, str(end.get("ended", ""))
    )


def _stage(folder: Path, going: bool, code: int | None) -> Stage:
    if going:
        return Stage.STOPPING if (folder / STOPPING).exists() else Stage.RUNNING
    if code is None:
        return Stage.CANCELLED if (folder / STOPPING).exists() else Stage.BROKEN
    if code in _ENDED:
        return Stage.DONE
    return Stage.CANCELLED if (folder / STOPPING).exists() else Stage.FAILED


def newest(folder: Path) -> int:
    """Number of the last attempt; 0 before the first."""
    numbers = (p.stem.removeprefix("attempt-") for p in folder.glob("attempt-*.json"))
    return max((int(n) for n in numbers if n.isascii() and n.isdigit()), default=0)


def held(folder: Path) -> bool:
    """Whether some process holds the run's lock."""
    with lock(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def lock(folder: Path) -> Iterator[int]:
    """Its lock file, open and not held yet. Raises DataError."""
    try:
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataError(f"{folder}: its lock cannot be opened: {error.strerror or error}") from error
    try:
        yield file
    finally:
        os.close(file)


def progress(run: Run) -> Progress:
    """What its process said last; nothing where that cannot be read."""
    try:
        body = _json(run.folder / PROGRESS)
        rows = tuple((str(w), float(d), float(t)) for w, d, t in body["work"])
        stages = tuple(str(s) for s in body["stages"])
        return Progress(stages, float(body["forecast_s"]), str(body["updated"]), rows)
    except (DataError, KeyError, TypeError, ValueError):
        return Progress()


def messages(run: Run) -> str:
    """The end of what its process said."""
    try:
        with (run.folder / MESSAGES).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - DEFAULT.web_note_bytes))
            return file.read(DEFAULT.web_note_bytes).decode("utf-8", "replace")
    except OSError:
        return ""


def _json(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(DEFAULT.web_note_bytes + 1)
        body = json.loads(data) if len(data) <= DEFAULT.web_note_bytes else None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: not read") from error
    if not isinstance(body, dict):
        raise DataError(f"{file}: no JSON object, or over the limit of {DEFAULT.web_note_bytes:,} bytes")
    return body
