"""One trial: a model, the papers it has still to answer and the finetune it takes them after, as plain data.

Every engine runs trials by `measured`, so that where a trial ran cannot show in its results. Answers come out
one paper at a time; whoever runs the trial keeps them in the cache at once.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from sekisho.drills import costs, triage
from sekisho.drills import recipe as recipes
from sekisho.drills.tasks import Change, Store, Task, Watched, as_json
from sekisho.errors import DivergedError, ModelError
from sekisho.models.base import Chat, Checkpoint, Finetune, Model, Sampling
from sekisho.records import DrillResult

ATTEMPTS: Final = 2
"""A trial whose process died is begun once more, from what the cache holds of it."""

Notice = Callable[[str, float, float], None]
"""Called with (what, cost units done, cost units in all); may come from any worker's thread."""


@dataclass(frozen=True)
class Sheet:
    """One paper to be answered."""

    step: int
    """Optimiser steps after which it is put; 0 without a drill."""
    key: str
    """Under which the answers are kept."""
    chats: tuple[Chat, ...] = field(repr=False)
    sampling: Sampling
    cost: float


@dataclass(frozen=True)
class Trial:
    """What is left of a task; holds all that a machine elsewhere needs, but for the model's folder."""

    label: str
    path: Path
    identity: str
    sheets: tuple[Sheet, ...]
    job: Finetune | None = field(repr=False)
    training: float
    """Cost of the training alone."""
    result_key: str
    record: DrillResult | None
    """What is kept of the drill, with nothing trained yet."""
    changes: tuple[tuple[int, str, Change], ...] = ()
    """(step, key of its record, perturbation) of those that are not done."""

    @property
    def total(self) -> float:
        """Cost of all of it."""
        return self.training + sum(s.cost for s in self.sheets)


@dataclass(frozen=True)
class Failure:
    """A trial that ended without its results, as a value: the rest of the grid goes on."""

    task: Task
    died: bool
    """Its process was killed or crashed, in every attempt; otherwise the model could not be trained or asked."""
    message: str


class Engine(Protocol):
    """Runs tasks somewhere and keeps what comes of them in a store."""

    @property
    def size(self) -> int:
        """Trials at a time."""
        ...

    def speed(self, path: Path) -> float:
        """Tokens per second through a model, timed where its trials run; 0 if that is not known beforehand."""
        ...

    def run(self, tasks: Sequence[Task], notice: Notice) -> tuple[Failure, ...]:
        """Do what is missing. Raises ModelError, StorageError, UsageError."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def prepare(task: Task, store: Store) -> Trial:
    """Write out what the store does not hold of a task yet."""
    sheets = tuple(
        Sheet(step, task.key(step, p), p.chats, p.sampling, costs.asking(p))
        for step, p in task.missing(store)
    )
    job, record = None, None
    if task.drill is not None:
        recipe = task.drill.recipe
        job = recipes.job(recipe, task.drill.chats)
        record = DrillResult(recipe.id, recipe.digest, recipe.data_digest, recipe.seed, (), 0.0, 0)
    return Trial(
        label=task.label,
        path=task.subject.path.absolute(),
        identity=task.subject.identity,
        sheets=sheets,
        job=job,
        training=costs.training(task),
        result_key=task.result_key,
        record=record,
        changes=_changes(task, store, {s.step for s in sheets}),
    )


def measured(model: Model, trial: Trial, notice: Notice) -> Generator[tuple[str, Any], None, None]:
    """Do a trial; yields (key, JSON value) as soon as each is known. Raises ModelError."""
    if trial.changes:
        yield from _perturbed(model, trial, notice)
        return
    if trial.job is None or trial.record is None:
        yield from _asked(model, trial, notice)
        return
    last_step, asked = trial.job.checkpoints[-1], 0.0
    last: Checkpoint | None = None

    def trained(done: int, steps: int) -> None:
        notice(trial.label, asked + trial.training * done / steps, trial.total)

    try:
        with closing(model.finetune(trial.job, trained)) as checkpoints:
            for last in checkpoints:
                for sheet in trial.sheets:
                    if sheet.step == last.step:
                        yield sheet.key, list(model.generate(sheet.chats, sheet.sampling))
                        asked += sheet.cost
                        notice(trial.label, asked + trial.training * last.step / last_step, trial.total)
    except DivergedError as error:  # an outcome, not a failure: another attempt would end alike
        facts = _facts(last) if last else {}
        yield (
            trial.result_key,
            {**as_json(trial.record), **facts, "diverged": f"{error.what}, step {error.step}"},
        )
        return
    if last is None:
        raise ModelError(f"drill {trial.label}: the training ended before its first checkpoint")
    yield trial.result_key, {**as_json(trial.record), **_facts(last)}


def _asked(model: Model, trial: Trial, notice: Notice) -> Iterator[tuple[str, Any]]:
    before = 0.0
    for sheet in trial.sheets:

        def asked(done: int, of: int, base: float = before, share: float = sheet.cost) -> None:
            notice(trial.label, base + share * done / of, trial.total)

        yield sheet.key, list(model.generate(sheet.chats, sheet.sampling, asked))
        before += sheet.cost


def _changes(task: Task, store: Store, open_steps: set[int]) -> tuple[tuple[int, str, Change], ...]:
    keyed = [(n, task.change_key(change), _placed(change)) for n, change in enumerate(task.changes, 1)]
    return tuple((n, k, c) for n, k, c in keyed if n in open_steps or store.get(k) is None)


def _placed(change: Change) -> Change:
    """The same with the whole path of its base: a machine elsewhere works in another folder."""
    if change.base is None:
        return change
    return replace(change, base=replace(change.base, path=change.base.path.absolute()))


def _perturbed(model: Model, trial: Trial, notice: Notice) -> Iterator[tuple[str, Any]]:
    """Ask as released, then under one perturbation after another."""
    asked = 0.0
    margins: dict[tuple[Watched, ...], float] = {}
    for sheet in (s for s in trial.sheets if s.step == 0):
        yield sheet.key, list(model.generate(sheet.chats, sheet.sampling))
        asked += sheet.cost
        notice(trial.label, asked, trial.total)
    for step, key, change in trial.changes:
        if change.watched not in margins:
            margins[change.watched] = triage.margin(model, change.watched)
        chats = [w.chat for w in change.watched]
        base = change.base.path if change.base else None
        with model.perturb(change.perturbation, base, chats) as done:
            for sheet in (s for s in trial.sheets if s.step == step):
                yield sheet.key, list(model.generate(sheet.chats, sheet.sampling))
                asked += sheet.cost
                notice(trial.label, asked, trial.total)
            after = triage.margin(model, change.watched)
        yield key, triage.as_json(done, margins[change.watched], after)


def _facts(last: Checkpoint) -> dict[str, Any]:
    return {"losses": last.losses, "displacement": last.displacement, "tokens": last.tokens}
