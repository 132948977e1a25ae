"""Start, stop and resume a run: a process group of its own, which goes on whatever becomes of the server."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sekisho.errors import RuleError, StorageError
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.ledger import book
from sekisho.limits import DEFAULT
from sekisho.progress import NOTE
from sekisho.web import runs
from sekisho.web.runs import Order, Run

HEAD: Final = (sys.executable, "-m", "sekisho.web.child")
"""Starts the verb, and writes down how it ended."""
_TRIES: Final = 50
_PAUSE_S: Final = 0.02


def begin(home: Path, order: Order, place: str, child: tuple[str, ...]) -> str:
    """Start a new run; its id. Raises RuleError where too many run already, StorageError."""
    _room(home)
    folder = runs.create(home, order)
    attempt(folder, place, child)
    return folder.name


def again(home: Path, run: Run, place: str, child: tuple[str, ...]) -> None:
    """Do the same once more: what was measured is kept, so it goes on. Raises RuleError, StorageError."""
    if run.stage is runs.Stage.DONE:
        raise RuleError("this run is done")
    _room(home)
    attempt(run.folder, place, child)


def attempt(folder: Path, place: str, child: tuple[str, ...]) -> None:
    """Start a process for it. `place` goes by the environment: the address of a server holds a password."""
    order = runs.read(folder).order
    with _locked(folder) as lock:
        number = runs.newest(folder) + 1
        (folder / runs.STOPPING).unlink(missing_ok=True)
        (folder / runs.PROGRESS).unlink(missing_ok=True)
        body = {"attempt": number, "started": book.stamp(book.utc_now())}
        dossiers.save(codec.dump(body), folder / f"attempt-{number}.json")
        given = {book.PLACE: place, NOTE: str(folder / runs.PROGRESS)}
        try:
            with (folder / runs.MESSAGES).open("wb") as said:
                started = subprocess.Popen(
                    [*HEAD, str(folder), str(number), str(lock), *child, *command(order, folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    cwd=folder,
                    env={**os.environ, **given},
                    pass_fds=(lock,),  # held until the last process of the run is gone
                    start_new_session=True,
                )
            _reap(started)
        except OSError as error:
            raise StorageError(f"{folder}: not started: {error.strerror or error}") from error


def command(order: Order, folder: Path) -> tuple[str, ...]:
    """Verb and arguments of an order; everything in it was chosen from lists or checked before."""
    own = ("--out", str(folder / runs.OUT), "--lang", order.language)
    recorded = ("--record", f"--actor={order.by}") if order.verb == "vet" else ()
    return (order.verb, *own, *recorded, *order.arguments)


def stop(run: Run) -> None:
    """Ask it to end, the second time at once. Raises RuleError, StorageError."""
    group = _group(run)
    hard = (run.folder / runs.STOPPING).exists()
    dossiers.save(b"", run.folder / runs.STOPPING)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL if hard else signal.SIGINT)


def _group(run: Run) -> int:
    """Its process group. While the lock is held, one of its processes lives, so the number is nobody else's."""
    try:
        text = (run.folder / f"group-{run.attempt}").read_text("ascii").strip()
    except (OSError, ValueError):
        text = ""
    if not run.going or not text.isdigit() or int(text) <= 1:
        raise RuleError("this run has not begun yet, or is over")
    return int(text)


def _room(home: Path) -> None:
    going = sum(r.going for r in runs.listed(home))
    if going >= DEFAULT.web_running:
        raise RuleError(f"{going} runs are going on already; wait for one, or stop it")


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the lock. Somebody who looks holds it for a moment, too, so it is tried for a second."""
    with runs.lock(folder) as file:
        for _ in range(_TRIES):
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(_PAUSE_S)
        else:
            raise RuleError("this run is going on already")
        yield file


def _reap(started: "subprocess.Popen[bytes]") -> None:
    """Collect its exit status when it comes, so that no dead process stays behind."""
    threading.Thread(target=started.wait, daemon=True).start()
