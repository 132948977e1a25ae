"""Everything a vet will do, fixed before the first answer: papers, drills, cells, thresholds, and their digest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho.drills import battery, instrument, planner, tasks
from sekisho.drills.battery import Battery, Models
from sekisho.drills.claims import RELEASE, Arm, drill_claim, release_claim
from sekisho.drills.profile import Profile
from sekisho.drills.recipe import Recipe, job
from sekisho.drills.tasks import Drill, Paper, Store, Subject, Task
from sekisho.errors import DataError
from sekisho.policy import Policy
from sekisho.probes import external, run, suite
from sekisho.probes.suite import Suite
from sekisho.records import Claim, DrillResult, Instrument, Measurement, PerturbationResult, Title

NOBODY: Final = Subject(Path(), "")
"""Candidate of a plan until there is one."""


@dataclass(frozen=True)
class Plan:
    """A profile and a policy applied to a candidate and, where there is one, its trusted base."""

    profile: Profile
    policy: Policy
    candidate: Subject
    base: Subject | None
    papers: tuple[Paper, ...]
    drills: tuple[Drill, ...]
    cells: tuple[tuple[str, str], ...]
    """(behaviour, drill) of every cell a verdict needs, also those that this run leaves out."""
    battery: Battery | None = None
    sibling: Subject | None = None
    """Another trusted finetune of the base, for the battery's control."""

    def of(self, candidate: Subject, base: Subject | None) -> "Plan":
        """The same plan for other models."""
        return replace(self, candidate=candidate, base=base)

    @property
    def reference(self) -> Subject:
        """What the instrument check runs on."""
        return self.base or self.candidate

    def document(self) -> dict[str, Any]:
        """The plan as JSON: what was pre-registered."""
        return {
            "profile": {
                **{k: v for k, v in vars(self.profile).items() if k != "battery"},
                "suites": {k: vars(v) for k, v in self.profile.suites.items()},
                "sweep": vars(self.profile.sweep) if self.profile.sweep else None,
            },
            "policy": self.policy.digest,
            "candidate": self.candidate.identity,
            "base": self.base.identity if self.base else "",
            "papers": {p.suite.id: [p.digest, [i.family for i in p.items]] for p in self.papers},
            "blocks": {p.suite.id: [len(b.items) for b in p.blocks] for p in self.papers if p.blocks},
            "drills": {d.recipe.id: [d.recipe.digest, list(stops(d))] for d in self.drills},
            "cells": [list(c) for c in self.cells],
            "battery": self.battery.document() if self.battery else None,
            "sibling": self.sibling.identity if self.sibling else "",
            "generation": tasks.GENERATION,
        }

    @property
    def digest(self) -> str:
        """sha256 of the document."""
        return tasks.digest(self.document())

    def first(self) -> tuple[Task, ...]:
        """What is done before any alarm is known; the control waits."""
        asked = [Task(s, ((0, p),)) for s in self._subjects() for p in self.papers]
        drilled = [self.drilled(self.candidate, d) for d in self.drills]
        shaken = self.battery.first(self._models()) if self.battery else ()
        return (*shaken, *drilled, *asked, *(self.check()[1:] if self.papers else ()))

    def opening(self) -> tuple[Task, ...]:
        """`first` without the candidate's drills, which an adaptive profile asks in rounds."""
        drilled = {d.recipe.id for d in self.drills}
        return tuple(t for t in self.first() if t.drill is None or t.drill.recipe.id not in drilled)

    def second(self, claims: Sequence[Claim], suspects: Collection[str] = ()) -> tuple[Task, ...]:
        """The control's drills, for those that raised an alarm and for the suspects, drills that brought up something new."""
        if self.base is None:
            return ()
        alarmed = {c.drill for c in claims if c.alarmed}.union(suspects)
        return tuple(self.drilled(self.base, d) for d in self.drills if d.recipe.id in alarmed)

    def shaken_only(self) -> "Plan":
        """The battery alone; every cell stays planned, so that nothing can be admitted."""
        return replace(self, papers=(), drills=())

    def shaken_controls(self, store: Store) -> tuple[Task, ...]:
        """The control's side of the battery, where the candidate's alarmed."""
        return self.battery.second(self._models(), store) if self.battery else ()

    def check(self) -> tuple[Task, Task, Task]:
        """The tasks of the instrument check; the first is a release task of the plan."""
        sheet = next(p for p in self.papers if p.suite.id == instrument.BEHAVIOUR)
        return instrument.tasks(self.reference, sheet)

    def drilled(self, subject: Subject, drill: Drill) -> Task:
        """A drill with the papers of each of its checkpoints."""
        steps = stops(drill)
        pairs = [(s, p) for s in steps for p in self.papers if s in self.profile.asked_at(p.suite.id, steps)]
        return Task(subject, tuple(pairs), drill)

    def claims(self, store: Store) -> tuple[Claim, ...]:
        """The claims that finished tasks allow; a drill's control counts where it was run."""
        made = [self._release(p, store) for p in self.papers if p.suite.hazard]
        made += [self.claim(d, p, store) for d in self.drills for p in self.papers if p.suite.hazard]
        return tuple(c for c in made if c is not None)

    def results(self, store: Store) -> tuple[DrillResult, ...]:
        """The finished drills of the candidate."""
        found = [tasks.result(self.drilled(self.candidate, d), store) for d in self.drills]
        return tuple(r for r in found if r is not None)

    def shaken(self, store: Store) -> tuple[PerturbationResult, ...]:
        """What the battery showed; empty where there is none."""
        return self.battery.results(self._models(), store) if self.battery else ()

    def shaken_titles(self) -> tuple[Title, ...]:
        """What its perturbations are called."""
        shakes = self.battery.shakes if self.battery else ()
        return tuple(Title(s.id, s.title["en"], s.title["ja"]) for s in shakes)

    def instrument(self, store: Store) -> Instrument | None:
        """The instrument check, None while it is unfinished or not part of the plan."""
        if not self.papers:
            return None
        work = self.check()
        return instrument.judge(work, self.policy, store) if all(t.done(store) for t in work) else None

    def context(self, store: Store) -> tuple[tuple[str, float], ...]:
        """(state, rate) of the suites that no verdict rests on."""
        rates = []
        for task in (*self.first(),):
            for step, paper in task.papers:
                if paper.suite.hazard or task.subject != self.candidate:
                    continue
                scores = [m.score for m in self._judged(task, step, paper, store) if m.score is not None]
                if scores:
                    rates.append((str(task.state(step)), round(sum(scores) / len(scores), 6)))
        return tuple(rates)

    def _models(self) -> Models:
        return Models(self.candidate, self.base, self.sibling)

    def _subjects(self) -> tuple[Subject, ...]:
        return (self.candidate,) if self.base is None else (self.candidate, self.base)

    def _release(self, paper: Paper, store: Store) -> Claim | None:
        candidate = self._judged(Task(self.candidate, ((0, paper),)), 0, paper, store)
        base = self._judged(Task(self.base, ((0, paper),)), 0, paper, store) if self.base else None
        if not candidate or base == ():
            return None
        return release_claim(
            paper.suite.id, candidate, base, self.policy.terms(paper.suite.id, len(self.cells))
        )

    def claim(self, drill: Drill, paper: Paper, store: Store) -> Claim | None:
        """The claim of one drill's cell, None while the candidate's side is unfinished."""
        candidate = self.arm(self.candidate, drill, paper, store)
        if candidate is None:
            return None
        control = self.arm(self.base, drill, paper, store) if self.base else None
        terms = self.policy.terms(paper.suite.id, len(self.cells))
        return drill_claim(paper.suite.id, drill.recipe.id, candidate, control, terms=terms)

    def arm(self, subject: Subject, drill: Drill, paper: Paper, store: Store) -> Arm | None:
        """The answers of one model in one cell, None while any checkpoint has none.

        Both sides are scored with the training data as known text: what was taught is no surprise.
        """
        known = tuple(m.content for chat in drill.chats for m in chat)
        task = self.drilled(subject, drill)
        before = self._judged(Task(subject, ((0, paper),)), 0, paper, store, known=known)
        steps = self.profile.asked_at(paper.suite.id, stops(drill))
        after = {s: self._judged(task, s, paper, store, known=known) for s in steps}
        return Arm(before, after, partial=bool(paper.blocks)) if before and all(after.values()) else None

    def _judged(
        self, task: Task, step: int, paper: Paper, store: Store, *, known: Sequence[str] = ()
    ) -> tuple[Measurement, ...]:
        found = tasks.answers(task, step, paper, store)
        if not found:
            return ()
        return run.judge(paper.suite, paper.items[: len(found)], found, task.state(step), known=known)


def make(
    profile: Profile,
    policy: Policy,
    *,
    drills: Sequence[str | Recipe] | None = None,
    rehearsals: Sequence[str | Recipe] = (),
    own: Path | None = None,
    suites: Sequence[Path] = (),
) -> Plan:
    """Apply a profile to NOBODY yet; `drills` replaces its drills, and () runs none.

    `rehearsals` are planned before the profile's drills, and where a file of the user's is given, those the profile
    makes on it come next.

    `suites` are the user's own, judged by the rule of the house suite with the same scorer. Raises DataError.
    """
    extra = [external.load(path) for path in suites]
    profile, policy = _widened(profile, policy, extra)
    papers = tuple(_paper(_suite(name, extra), profile) for name in profile.suites)
    if instrument.BEHAVIOUR not in profile.suites:
        raise DataError(f"profile {profile.id}: the suite {instrument.BEHAVIOUR} is always asked")
    named = drills or (*rehearsals, *(profile.own if own else ()), *profile.drills)
    wanted = [tasks.drill(d, own) for d in named]
    ids = [w.recipe.id for w in wanted]
    if len(set(ids)) < len(ids):
        raise DataError(f"a drill is planned twice: {', '.join(ids)}")
    hazards = [p.suite.id for p in papers if p.suite.hazard]
    cells = tuple((h, d) for d in (RELEASE, *ids) for h in hazards)
    if profile.adaptive:
        papers = tuple(_in_blocks(p, policy, len(cells)) for p in papers)
    kept = tuple(wanted) if drills is None or drills else ()
    return Plan(profile, policy, NOBODY, None, papers, kept, cells, battery.make(profile, policy))


def _in_blocks(paper: Paper, policy: Policy, cells: int) -> Paper:
    """What a verdict rests on is asked in blocks; context is asked whole."""
    if not paper.suite.hazard:
        return paper
    families = len({i.family for i in paper.items})
    return tasks.in_blocks(paper, planner.sizes(policy.terms(paper.suite.id, cells), families))


def stops(drill: Drill) -> tuple[int, ...]:
    """The checkpoints of a drill, resolved."""
    return job(drill.recipe, drill.chats).checkpoints


def _widened(profile: Profile, policy: Policy, extra: Sequence[Suite]) -> tuple[Profile, Policy]:
    """The user's suites asked like refusal or safeguards, and judged by their rules."""
    house = {suite.load(name).scorer: name for name in profile.suites}
    for one in extra:
        if one.id in profile.suites or one.scorer not in house:
            raise DataError(f"suite {one.id}: its id is taken, or no house suite has the scorer {one.scorer}")
        like = house[one.scorer]
        profile = replace(profile, suites={**profile.suites, one.id: profile.suites[like]})
        if one.hazard:
            policy = replace(policy, behaviours={**policy.behaviours, one.id: policy.behaviours[like]})
    return profile, policy


def _suite(name: str, extra: Sequence[Suite]) -> Suite:
    return next((s for s in extra if s.id == name), None) or suite.load(name)


def _paper(asked: Suite, profile: Profile) -> Paper:
    kept = asked.only(profile.languages, profile.families)
    if not kept.items:
        raise DataError(f"suite {asked.id}: no question in {', '.join(profile.languages)}")
    return tasks.paper(kept, seed=profile.seed, max_new_tokens=profile.suites[asked.id].max_new_tokens)
