"""The recorder: what begins, goes on and ends a record, whatever the training loop is.

A record that cannot be begun stops the training before it costs anything. One that cannot be gone on with (a full disk)
ends there, with a warning, and the training goes on: such a record has no end and says so when it is read.
"""

import os
import sys
import time
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, final

from sekisho import shipped
from sekisho.errors import SekishoError, StorageError
from sekisho.training_log import code, environment, models, settings
from sekisho.training_log import data as datas
from sekisho.training_log.chain import Log
from sekisho.training_log.data import Data
from sekisho.training_log.rows import Growing

SCHEMA: Final = 1
"""Layout of a record's lines."""
OWNER: Final = "SEKISHO_DATA_OWNER"
"""Environment variable: who answers for the training data."""
CLASS: Final = "SEKISHO_DATA_CLASS"
"""Environment variable: classification of the training data, in the company's own words."""
RECORD: Final = "SEKISHO_TRAINING_RECORD"
"""Environment variable: where the record goes, before what the script says; `sekisho record` sets it."""
DATA: Final = "SEKISHO_TRAINING_DATA"
"""Environment variable: file of the training rows, where the script names none."""
_CHUNK: Final = 4_096
"""Marks of rows in one line."""
Row = TypeVar("Row")


@final
@dataclass(frozen=True)
class About:
    """What a person says of a training; nothing here can be measured."""

    owner: str = ""
    """Who answers for the data."""
    classification: str = ""
    """Of the data, in the company's own words."""

    def filled(self) -> "About":
        """The same, with what the environment says where nothing was said."""
        return About(
            self.owner or os.environ.get(OWNER, ""), self.classification or os.environ.get(CLASS, "")
        )


@final
class Recorder:
    """An open record. Every method is quick and none raises once it is open."""

    def __init__(self, path: Path, method: str, about: About) -> None:
        """Begin a record. Raises UsageError, StorageError."""
        self._log: Log | None = Log(path)
        self.path, self._begun = path, time.monotonic()
        self._since = time.time() - 2  # clocks of file systems are coarse
        self._streams: list[tuple[str, Growing]] = []
        self.newest = 0
        """The last step that was logged."""
        said = about.filled()
        self.add(
            "open",
            {
                "schema": SCHEMA,
                "run": uuid.uuid4().hex,
                "tool": shipped.tool(),
                "method": method,
                "owner": said.owner,
                "classification": said.classification,
                "command": settings.command(list(getattr(sys, "orig_argv", sys.argv))),
                "folder": str(Path.cwd()),
            },
            sync=True,
        )

    @property
    def head(self) -> str:
        """Digest of the newest line; empty once the record ended."""
        return self._log.head if self._log else ""

    def add(self, kind: str, body: Mapping[str, Any], *, sync: bool = False) -> None:
        """Write one line."""
        if self._log is None:
            return
        try:
            self._log.append(kind, body, sync=sync)
        except (StorageError, TypeError, ValueError) as error:
            self._log.close()
            self._log = None
            warnings.warn(f"sekisho: the training record ends here: {error}", RuntimeWarning, stacklevel=2)

    def base(self, named: str, revision: str = "") -> None:
        """Digests of the model that is trained on, by folder or by its name in the local cache."""
        folder, why = models.base(named)
        known = {"unknown": why} if folder is None else models.known(folder)
        self.add("base", {"name": named, "revision": revision, **known})

    def data(self, role: str, found: Data) -> None:
        """Digests of a dataset; `role` is `given` (as the user has it) or `trained` (as the trainer got it)."""
        body: dict[str, Any] = {"role": role, "kind": found.kind}
        body["sources"] = [{"path": s.path, "sha256": s.sha256} for s in found.sources]
        rows = found.rows
        if rows is None:
            self.add("data", {**body, "unknown": found.unknown})
            return
        body |= {"rows": rows.count, "digest": rows.digest, "root": rows.root, "block": rows.block}
        self.add("data", body)
        for at in range(0, len(rows.marks), _CHUNK):
            self.add("rows", {"role": role, "first": at, "marks": list(rows.marks[at : at + _CHUNK])})

    def settings(self, flat: Mapping[str, Any]) -> None:
        """Hyperparameters, a line each, so that a changed line names its setting."""
        for name, value in flat.items():
            self.add("setting", {"name": name, "value": value})

    def surroundings(self) -> None:
        """Code, packages, machine and seeds."""
        self.add("code", code.look())
        locked = environment.packages()
        self.add("packages", {"digest": environment.digest(locked), "versions": locked})
        self.add("machine", environment.machine())
        self.add("seeds", environment.seeds())

    def start(self, step: int = 0) -> None:
        """Everything known beforehand is written: the training begins, or goes on from a step."""
        self.add("start", {"step": step}, sync=True)

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Numbers of a step: loss, learning rate, norm of the gradient."""
        self.newest = step
        self.add("log", {"step": step, "values": settings.plain(values)})

    def rows(self, rows: Iterable[Row], role: str = "given") -> Iterator[Row]:
        """Hand rows through and hash those that pass; their digests are written at the end."""
        growing = Growing()
        self._streams.append((role, growing))
        for row in rows:
            growing.add(row)
            yield row

    def saved(self, folder: Path, step: int, kind: str = "save") -> None:
        """Digests of a checkpoint (`save`) or of the result (`output`)."""
        try:
            files = models.saved(folder, self._since if kind == "output" else 0.0)
        except OSError as error:
            files = {"unknown": f"not read: {error.strerror or error}"}
        if files.get("files", True):
            self.add(kind, {"path": str(folder), "step": step, **files}, sync=True)

    def weights(self, model: Any, step: int) -> None:
        """Digest of the trained weights in memory."""
        try:
            found = models.weights(model)
        except (ImportError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            found = {"unknown": f"the weights cannot be read in this process: {type(error).__name__}"}
        self.add("weights", {"step": step, **found})

    def end(self, outcome: str, step: int, **more: Any) -> None:
        """`finished` or `failed`; lines may follow only about what is saved afterwards."""
        for role, growing in self._streams:
            self.data(role, Data(growing.done(), kind="stream"))
        self._streams.clear()
        seconds = round(time.monotonic() - self._begun, 3)
        self.add(
            "end", {"outcome": outcome, "step": step, "seconds": seconds, **settings.plain(more)}, sync=True
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._log is not None:
            self._log.close()
            self._log = None


def look(data: Any) -> Data:
    """A dataset's digests; what goes wrong is said in them."""
    try:
        return datas.look(data)
    except (SekishoError, OSError) as error:
        return Data(None, str(error), kind=type(data).__name__)


def place(named: str | Path) -> Path:
    """Where a record goes: where the environment says, unless a record lies there; else where the script says."""
    given = os.environ.get(RECORD)
    return Path(named).absolute() if not given or Path(given).exists() else Path(given).absolute()


def free(path: Path) -> Path:
    """The path, or the first of `name-2`, `name-3`, ... that is not taken."""
    stem, ending = path.name.partition(".")[0], path.name.partition(".")[2]
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{stem}-{number}.{ending}" if ending else f"{stem}-{number}")
    return found


@contextmanager
def recording(
    path: str | Path,
    *,
    base: str | Path = "",
    data: Any = None,
    settings: Mapping[str, Any] | None = None,
    about: About = About(),
    output: str | Path | None = None,
) -> Iterator[Recorder]:
    """Record any training loop: everything known is written on entering, digests of `output` on leaving.

    Within: `run.log(step, {"loss": ...})`, `run.saved(folder, step)`, `run.weights(model, step)`, `run.rows(stream)`.
    Raises UsageError where a record lies at `path`, StorageError where none can be written.
    """
    run = Recorder(place(path), "recording", about)
    try:
        run.base(str(base))
        if data is not None:
            run.data("given", look(data))
        run.settings({f"training.{k}": v for k, v in _plain(settings or {}).items()})
        run.surroundings()
        run.start()
        yield run
    except BaseException as error:
        run.end("failed", run.newest, error=type(error).__name__)
        raise
    else:
        run.end("finished", run.newest)
        if output is not None:
            with suppress(OSError):
                run.saved(Path(output), run.newest, "output")
    finally:
        run.close()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    made = settings.plain(values)
    return made if isinstance(made, dict) else {}
