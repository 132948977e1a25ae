"""Runs tasks on this machine: one child process per core, each with one thread and one model.

Two single-threaded processes are faster than one with two threads, and give equal answers on any machine
load. A task's results are kept as soon as each paper is finished, so a run that is stopped goes on later.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, final

from sekisho.drills import recipe as recipes
from sekisho.drills.tasks import Paper, Store, Task, as_json
from sekisho.errors import ModelError
from sekisho.models.base import Checkpoint, Model
from sekisho.records import DrillResult

BYTES_PER_WEIGHT: Final = 20
"""float32 weights, gradient, two Adam moments and the released copy."""

GRACE_S: Final = 2.0
"""Seconds that a run which broke off waits for its threads."""

Notice = Callable[[str, float, float], None]
"""Called with (what, cost units done, cost units in all); may come from any worker's thread."""


class Opened(Model, Protocol):
    """A model that can be ended while it works."""

    def kill(self) -> None:
        """End it at once."""
        ...


Opener = Callable[[Path], Opened]


@dataclass(frozen=True)
class Costs:
    """What work costs, in tokens through a forward pass."""

    @staticmethod
    def asking(paper: Paper) -> float:
        """Prompt tokens at about four characters each, and nearly the longest answers allowed.

        A token that is decoded costs more than one that is read: measured on SmolLM2, 1.6 against 1.1.
        """
        prompts = sum(len(m.content) for chat in paper.chats for m in chat) / 4 + 8 * len(paper.chats)
        return 1.1 * prompts + 1.6 * 0.9 * paper.sampling.max_new_tokens * len(paper.chats)

    @staticmethod
    def task(task: Task, store: Store) -> float:
        """What is left of a task; a step of training costs about 3.3 forward passes."""
        missing = task.missing(store)
        cost = sum(Costs.asking(p) for _, p in missing)
        if task.drill is not None and not task.done(store):
            cost += Costs.training(task)
        return cost

    @staticmethod
    def training(task: Task) -> float:
        """Cost of a drill's training alone."""
        if task.drill is None:
            return 0.0
        settings = task.drill.recipe.training
        rows = int(settings.get("per_device_train_batch_size", 8)) * int(
            settings.get("gradient_accumulation_steps", 1)
        )
        sample = task.drill.chats[:50]
        length = sum(len(m.content) for chat in sample for m in chat) / len(sample) / 3.2 + 40
        steps = recipes.job(task.drill.recipe, task.drill.chats).checkpoints[-1]
        return 3.3 * steps * rows * min(length, int(settings.get("max_length", 512)))


def wall(costs: Sequence[float], workers: int) -> float:
    """Cost units until the last of `workers` is done, the longest task first."""
    ends = [0.0] * workers
    for cost in sorted(costs, reverse=True):
        ends[ends.index(min(ends))] += cost
    return max(ends)


def workers(parameters: int) -> int:
    """How many models of this size may be open at once: one per core while memory lasts."""
    if not {"SC_AVPHYS_PAGES", "SC_PAGE_SIZE"} <= set(os.sysconf_names):  # the first is unknown to macOS
        return 1
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    fit = int(free // (parameters * BYTES_PER_WEIGHT + 2**30))
    return max(1, min(os.cpu_count() or 1, fit))


@final
class Grid:
    """A few worker threads, each with its own model process."""

    def __init__(self, opener: Opener, store: Store, size: int) -> None:
        self._opener, self._store, self._size = opener, store, size
        self._lock = threading.Lock()
        self._open: list[Opened] = []
        self._stop = threading.Event()
        self._failure: BaseException | None = None

    def run(self, tasks: Sequence[Task], notice: Notice) -> None:
        """Do what is missing, the longest task first. Raises the first error of any worker.

        After a ModelError the other workers end the task they are at; after anything else all stop at once.
        """
        left = sorted(
            (t for t in tasks if not t.done(self._store)), key=lambda t: -Costs.task(t, self._store)
        )
        threads = [
            threading.Thread(target=self._work, args=(left, notice), daemon=True)
            for _ in range(min(self._size, len(left)))
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        except BaseException:
            self.stop()
            deadline = time.monotonic() + GRACE_S
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(0.0, deadline - time.monotonic()))
            raise
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End every model at once, those still being opened too; what is finished is kept."""
        self._stop.set()
        with self._lock:
            for model in self._open:
                model.kill()

    def _work(self, left: list[Task], notice: Notice) -> None:
        current: tuple[Path, Opened] | None = None
        try:
            while (task := self._take(left, current[0] if current else None)) is not None:
                if current is None or current[0] != task.subject.path:
                    if current is not None:
                        current[1].close()
                    current = task.subject.path, self._opened(task.subject.path)
                perform(current[1], task, self._store, notice)
        except BaseException as error:  # noqa: BLE001  the end of a thread: what is lost here is never heard of
            self._failed(error)
        finally:
            if current is not None:
                current[1].close()

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
        self._stop.set()
        if not isinstance(error, ModelError):
            self.stop()

    def _opened(self, path: Path) -> Opened:
        model = self._opener(path)
        with self._lock:
            self._open.append(model)
            late = self._stop.is_set()
        if late:
            model.close()
            raise ModelError("the run was stopped while a model was being opened")
        return model

    def _take(self, left: list[Task], path: Path | None) -> Task | None:
        """The next task, of the model already open if there is one."""
        with self._lock:
            if self._stop.is_set() or not left:
                return None
            mine = [t for t in left if t.subject.path == path]
            task = (mine or left)[0]
            left.remove(task)
            return task


def perform(model: Model, task: Task, store: Store, notice: Notice) -> None:
    """Do what is missing of one task. Raises ModelError, StorageError."""
    total = Costs.task(task, store)
    missing = task.missing(store)
    if task.drill is None:
        _ask(model, task, [p for _, p in missing], 0, store=store, notice=notice)
        return
    job = recipes.job(task.drill.recipe, task.drill.chats)
    training, asked = Costs.training(task), 0.0
    last: Checkpoint | None = None

    def trained(done: int, steps: int) -> None:
        notice(task.label, asked + training * done / steps, total)

    with closing(model.finetune(job, trained)) as checkpoints:
        for last in checkpoints:
            for step, sheet in missing:
                if step == last.step:
                    _ask(model, task, [sheet], step, store=store, notice=None)
                    asked += Costs.asking(sheet)
                    notice(task.label, asked + training * step / job.checkpoints[-1], total)
    if last is None:
        raise ModelError(f"drill {task.label}: the training ended before its first checkpoint")
    store.put(task.result_key, as_json(_result(task, last)))


def _ask(
    model: Model, task: Task, papers: Sequence[Paper], step: int, *, store: Store, notice: Notice | None
) -> None:
    total, before = sum(Costs.asking(p) for p in papers), 0.0
    for sheet in papers:
        cost = Costs.asking(sheet)

        def asked(done: int, of: int, base: float = before, share: float = cost) -> None:
            if notice is not None:
                notice(task.label, base + share * done / of, total)

        store.put(task.key(step, sheet), list(model.generate(sheet.chats, sheet.sampling, asked)))
        before += cost


def _result(task: Task, last: Checkpoint) -> DrillResult:
    if task.drill is None:
        raise ModelError("no drill was run")
    recipe = task.drill.recipe
    return DrillResult(
        recipe.id, recipe.digest, recipe.data_digest, recipe.seed, last.losses, last.displacement, last.tokens
    )
