"""The local engine: one confined process per trial, as many at a time as there are cores, one thread each.

Two single-threaded processes are faster than one with two threads, and give equal answers on any machine
load. A trial's results are kept as soon as each paper is finished, so a run that is stopped goes on later.
A process that dies ends its own trial and no other.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol, final, runtime_checkable

from sekisho.drills.costs import remaining
from sekisho.drills.tasks import Store, Task
from sekisho.drills.trial import ATTEMPTS, Failure, Notice, measured, prepare
from sekisho.errors import ModelError, ProcessDiedError
from sekisho.models.base import Model

GRACE_S: Final = 2.0
"""Seconds that a run which broke off waits for its threads."""


class Opened(Model, Protocol):
    """A model that can be ended while it works."""

    def kill(self) -> None:
        """End it at once."""
        ...


Opener = Callable[[Path], Opened]


@runtime_checkable
class Closes(Protocol):
    """An opener that holds something itself."""

    def close(self) -> None:
        """Free it."""
        ...


@final
class Grid:
    """A few worker threads; each opens a model for one trial and closes it again."""

    def __init__(self, opener: Opener, store: Store, size: int) -> None:
        self.size = size
        self._opener, self._store = opener, store
        self._ready: dict[Path, Opened] = {}
        self._lock = threading.Lock()
        self._open: list[Opened] = []
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._failures: list[Failure] = []

    def speed(self, path: Path) -> float:
        """Open a model ahead of its first trial; return its measured tokens per second, 0 if it does not say."""
        self._ready[path] = model = self._opener(path)
        return float(getattr(model, "speed", 0.0))

    def run(self, tasks: Sequence[Task], notice: Notice) -> tuple[Failure, ...]:
        """Do what is missing, perturbations first, then the longest task; returns the trials that failed by themselves.

        Raises the first error that concerns more than its trial: after a ModelError the other workers end
        the trial they are at; after anything else all stop at once.
        """
        self._failures = []
        left = sorted(
            (t for t in tasks if not t.done(self._store)),
            key=lambda t: (not t.changes, -remaining(t, self._store)),
        )
        # an interrupt may come inside Thread.start, when the thread works already: each tells its end by an event
        ends: list[threading.Event] = []
        try:
            for _ in range(min(self.size, len(left))):
                ends.append(threading.Event())
                work = threading.Thread(target=self._work, args=(left, notice, ends[-1]), daemon=True)
                work.start()
            for end in ends:
                while not end.wait(0.2):
                    pass
        except BaseException:
            self.stop()
            deadline = time.monotonic() + GRACE_S
            for end in ends:
                end.wait(max(0.0, deadline - time.monotonic()))
            raise
        if self._error is not None:
            raise self._error
        return tuple(self._failures)

    def stop(self) -> None:
        """End every model at once, those still being opened too; what is finished is kept."""
        self._stop.set()
        with self._lock:
            for model in self._open:
                model.kill()

    def close(self) -> None:
        """End a model that was opened ahead and never asked for, and the opener where it can be."""
        while self._ready:
            self._ready.popitem()[1].close()
        if isinstance(self._opener, Closes):
            self._opener.close()

    def _work(self, left: list[Task], notice: Notice, end: threading.Event) -> None:
        try:
            while (task := self._take(left)) is not None:
                if (failure := self._attempt(task, notice)) is not None:
                    with self._lock:
                        self._failures.append(failure)
        except BaseException as error:  # noqa: BLE001  the end of a thread: what is lost here is never heard of
            self._failed(error)
        finally:
            end.set()

    def _attempt(self, task: Task, notice: Notice) -> Failure | None:
        """Do one trial, again if its process died."""
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._once(task, notice)
            except ProcessDiedError as error:
                if self._stop.is_set():
                    raise
                if not left:
                    return Failure(task, died=True, message=str(error))
        return None

    def _once(self, task: Task, notice: Notice) -> Failure | None:
        """Do one trial; a drill whose model opened and then failed says nothing of the other trials."""
        with self._opened(task.subject.path) as model:
            try:
                self._perform(model, task, notice)
            except ProcessDiedError:
                raise
            except ModelError as error:
                if task.drill is None:
                    raise
                return Failure(task, died=False, message=str(error))
        return None

    def _perform(self, model: Model, task: Task, notice: Notice) -> None:
        with closing(measured(model, prepare(task, self._store), notice)) as results:
            for key, value in results:
                self._store.put(key, value)

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
        self._stop.set()
        if not isinstance(error, ModelError):
            self.stop()

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Opened]:
        with self._lock:
            ready = self._ready.pop(path, None)
        model = ready or self._opener(path)
        try:
            with self._lock:
                self._open.append(model)
                late = self._stop.is_set()
            if late:
                raise ModelError("the run was stopped while a model was being opened")
            yield model
        finally:
            with self._lock:
                self._open.remove(model)
            model.close()

    def _take(self, left: list[Task]) -> Task | None:
        with self._lock:
            return None if self._stop.is_set() or not left else left.pop(0)
