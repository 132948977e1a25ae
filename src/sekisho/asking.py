"""Puts a plan's papers before models and collects the answers; what a model on this machine answered is kept."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.contrast import Answers
from sekisho.drills import tasks
from sekisho.drills.costs import workers
from sekisho.drills.grid import Grid, Opener
from sekisho.drills.plan import Plan
from sekisho.drills.tasks import Store, Subject, Task
from sekisho.errors import ModelError
from sekisho.parties import Openers, Party
from sekisho.records import Facts
from sekisho.watch import Observer

_NAME: Final = 30
"""Characters of a model's name beside a bar."""


@final
class Memory:
    """A store that forgets: for answers of endpoints, and to prompts that belong to somebody."""

    def __init__(self) -> None:
        self._cells: dict[str, Any] = {}

    def get(self, key: str) -> Any | None:
        """The value under a key, or None."""
        return self._cells.get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value until the end of the run; the first one stays."""
        self._cells.setdefault(key, value)


@dataclass(frozen=True)
class Answered:
    """What one party gave."""

    answers: Answers
    said: Facts = ()
    """What a server says of itself: `model` and `system_fingerprint`, as often as they differ."""


def ask(
    plan: Plan, parties: Sequence[Party], store: Store, *, opener: Opener | None, watch: Observer
) -> tuple[Answered, ...]:
    """Every party's answers to every paper, equal models asked once. Raises ModelError, UsageError, StorageError."""
    memory = Memory()
    said: dict[str, Facts] = {}
    stores: dict[str, Store] = {p.subject.identity: store if p.keeps else memory for p in parties}
    for chosen in (store, memory):
        mine = [p for p in parties if stores[p.subject.identity] is chosen]
        work = {
            (p.subject.identity, s.suite.id): Task(p.subject, ((0, s),), who=who)
            for p, who in zip(mine, _names(mine), strict=True)
            for s in plan.papers
        }
        todo = [t for t in work.values() if not t.done(chosen)]
        if todo:
            openers = Openers(tuple(mine), opener)
            _run(todo, Grid(openers, chosen, _size(mine)), watch)
            said |= openers.said()
    return tuple(
        Answered(_answers(plan, p.subject, stores[p.subject.identity]), said.get(p.subject.identity, ()))
        for p in parties
    )


def _names(parties: Sequence[Party]) -> tuple[str, ...]:
    """What a bar calls each; where two bear one name, the second is numbered."""
    names = [p.name[:_NAME] for p in parties]
    return tuple(f"{n} ({names[:at].count(n) + 1})" if n in names[:at] else n for at, n in enumerate(names))


def _size(parties: Sequence[Party]) -> int:
    """An endpoint has four questions under way by itself."""
    most = max(p.weights for p in parties)
    return workers(most) if most else 1


def _run(todo: Sequence[Task], grid: Grid, watch: Observer) -> None:
    with closing(grid) as engine:
        failures = engine.run(todo, watch.notice)
    if failures:
        raise ModelError(f"{failures[0].task.subject.path.name}: {failures[0].message}")


def _answers(plan: Plan, subject: Subject, store: Store) -> Answers:
    return {p.suite.id: tasks.answers(Task(subject, ((0, p),)), 0, p, store) for p in plan.papers}
