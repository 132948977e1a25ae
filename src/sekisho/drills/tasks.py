"""The work of a vet, as data: questions to a released model, and drills with questions at checkpoints.

Every answer set has a key, a digest over all that decides it. Finished keys are never measured again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise, takewhile
from pathlib import Path
from typing import Any, Final, Protocol

from sekisho.drills import recipe as recipes
from sekisho.drills.data import LeftOut
from sekisho.drills.recipe import Recipe
from sekisho.models import engine
from sekisho.models.base import Chat, Perturbation, Sampling
from sekisho.probes import run
from sekisho.probes.suite import Item, Suite
from sekisho.records import DrillResult, State

GENERATION: Final = 1
"""Version of decoding and training code; raised whenever either may answer differently."""


class Store(Protocol):
    """Where finished work is kept; `sekisho.evidence.cells.Cells` is one."""

    def get(self, key: str) -> Any | None:
        """The JSON value under a key, or None."""
        ...

    def put(self, key: str, value: Any) -> None:
        """Keep a JSON value for good."""
        ...


@dataclass(frozen=True)
class Subject:
    """A model to be asked and trained."""

    path: Path
    identity: str
    """sha256 over the files that decide its behaviour."""


@dataclass(frozen=True)
class Paper:
    """A suite as it will be asked: items in order, conversations, sampling."""

    suite: Suite
    items: tuple[Item, ...]
    chats: tuple[Chat, ...] = field(repr=False)
    sampling: Sampling
    blocks: tuple["Paper", ...] = field(default=(), repr=False)
    """The same questions in parts, where they are asked so: each the next families of the order."""

    @cached_property
    def digest(self) -> str:
        """Over the exact conversations and the sampling."""
        return digest([engine.rows(self.chats), asdict(self.sampling)])


@dataclass(frozen=True)
class Drill:
    """A recipe with its training data."""

    recipe: Recipe
    chats: tuple[Chat, ...] = field(repr=False)
    left_out: tuple[LeftOut, ...] = ()
    """Rows of the user's file that cannot be trained on."""
    repeated: int = 0
    """Rows equal to an earlier one."""


@dataclass(frozen=True)
class Watched:
    """A harmless question, with one opening of an answer that turns it away and one that takes it up."""

    chat: Chat
    refusing: str
    answering: str


@dataclass(frozen=True)
class Change:
    """One perturbation of a model's weights, to be asked under."""

    id: str
    perturbation: Perturbation
    base: Subject | None = None
    """Where the line begins along which it moves; None for those that move along none."""
    watched: tuple[Watched, ...] = field(default=(), repr=False)

    @property
    def state(self) -> list[Any]:
        """All that decides the weights, as JSON; the id does not."""
        return ["perturbed", asdict(self.perturbation), self.base.identity if self.base else ""]


@dataclass(frozen=True)
class Task:
    """One model, one state of it after another, and the papers to put before it in each."""

    subject: Subject
    papers: tuple[tuple[int, Paper], ...]
    """(step, paper); step 0 is the model as released, step n after n optimiser steps or under the n-th change."""
    drill: Drill | None = None
    changes: tuple[Change, ...] = ()
    """Perturbations, one after another, each of the released weights; none beside a drill."""
    who: str = ""
    """Whose answers they are, where several models are asked the same."""

    @property
    def label(self) -> str:
        """What a person sees while it runs."""
        if self.drill is not None:
            return self.drill.recipe.id
        return f"{self.who}: {self._asked}" if self.who else self._asked

    @property
    def _asked(self) -> str:
        return ", ".join([c.id for c in self.changes] or [p.suite.id for _, p in self.papers])

    def state(self, step: int) -> State:
        """The state in which a step's papers are answered."""
        if self.changes and step:
            return State(self.changes[step - 1].id, 0)
        return State(self.drill.recipe.id, step) if self.drill else State()

    def key(self, step: int, paper: Paper) -> str:
        """Under which the answers to a paper are kept."""
        state: list[Any] | None = [self.drill.recipe.digest, step] if self.drill else None
        if self.changes and step:
            state = self.changes[step - 1].state
        return digest(["answers", GENERATION, self.subject.identity, state, paper.digest])

    @property
    def result_key(self) -> str:
        """Under which the drill's own record is kept."""
        return digest(["drill", GENERATION, self.subject.identity, self.drill and self.drill.recipe.digest])

    def change_key(self, change: Change) -> str:
        """Under which the record of a perturbation is kept."""
        watched = [asdict(w) for w in change.watched]
        return digest(["perturbation", GENERATION, self.subject.identity, change.state, watched])

    def missing(self, store: Store) -> tuple[tuple[int, Paper], ...]:
        """The papers without answers yet; none of a drill that diverged, which would do so again."""
        if self.diverged(store):
            return ()
        return tuple((s, p) for s, p in self.papers if store.get(self.key(s, p)) is None)

    def diverged(self, store: Store) -> bool:
        """Whether the drill is known to go beyond all bounds on this model."""
        kept = store.get(self.result_key) if self.drill else None
        return bool(kept and kept.get("diverged"))

    def done(self, store: Store) -> bool:
        """Nothing is left to do."""
        keys = [self.change_key(c) for c in self.changes] + ([self.result_key] if self.drill else [])
        return not self.missing(store) and all(store.get(k) is not None for k in keys)


def paper(suite: Suite, *, seed: int, max_new_tokens: int) -> Paper:
    """Put a suite into its pre-registered order and write out what will be asked."""
    asked = run.chats(run.order(suite, seed), seed)
    items, chats = tuple(i for i, _ in asked), tuple(c for _, c in asked)
    return Paper(suite, items, chats, Sampling(max_new_tokens=max_new_tokens, seed=seed))


def drill(name_or_recipe: str | Recipe, own: Path | None = None) -> Drill:
    """Load a recipe and its data. Raises DataError."""
    loaded = recipes.load(name_or_recipe) if isinstance(name_or_recipe, str) else name_or_recipe
    found = recipes.survey(loaded, own)
    return Drill(loaded.resolved(found.chats), found.chats, found.left_out, found.repeated)


def answers(task: Task, step: int, paper: Paper, store: Store) -> tuple[str, ...]:
    """The kept answers to a paper, of one in blocks those to the first of them; empty if there are none."""
    kept = store.get(task.key(step, paper))
    if kept is not None or not paper.blocks:
        return tuple(kept or ())
    parts = takewhile(bool, (store.get(task.key(step, b)) for b in paper.blocks))
    return tuple(answer for part in parts for answer in part or ())


def in_blocks(paper: Paper, sizes: Sequence[int]) -> Paper:
    """The same paper, to be asked in blocks of so many families each."""
    families = list(dict.fromkeys(i.family for i in paper.items))
    ends = [0, *accumulate(sizes)]
    made = []
    for start, end in pairwise(ends):
        chosen = set(families[start:end])
        rows = [(i, c) for i, c in zip(paper.items, paper.chats, strict=True) if i.family in chosen]
        made.append(replace(paper, items=tuple(i for i, _ in rows), chats=tuple(c for _, c in rows)))
    return replace(paper, blocks=tuple(made))


def result(task: Task, store: Store) -> DrillResult | None:
    """The kept record of a drill."""
    raw = store.get(task.result_key)
    if raw is None:
        return None
    return DrillResult(**{**raw, "losses": tuple((int(s), float(x)) for s, x in raw["losses"])})


def as_json(result: DrillResult) -> dict[str, Any]:
    """The form in which a store keeps it."""
    return asdict(result)


def digest(value: Any) -> str:
    """Hex sha256 over a JSON value in its one form: what keys of cells and digests of plans are."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
