"""The planner applied to a plan: how its cells stand by what is measured, and the tasks that a round consists of."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.drills import planner
from sekisho.drills.claims import open_steps
from sekisho.drills.costs import remaining, wall
from sekisho.drills.plan import Plan, stops
from sekisho.drills.planner import Standing, Work
from sekisho.drills.tasks import Drill, Paper, Store, Subject, Task
from sekisho.drills.trial import Failure
from sekisho.records import Claim

ROUNDS: Final = 10_000
"""No vet has more; a round without progress ends it long before."""


@dataclass(frozen=True)
class Rounds:
    """A plan whose drills are asked in blocks, over a store."""

    plan: Plan
    store: Store

    def cells(self, without: Collection[str] = ()) -> list[Standing]:
        """Every cell of a drill that can go on; `without` names drills that failed."""
        going = [d for d in self._going() if d.recipe.id not in without]
        return [self._standing(d, p) for d in going for p in self._hazards()]

    def next(self, most: int, without: Collection[str] = ()) -> tuple[Task, ...]:
        """The tasks of the next round, the most urgent first; empty when nothing more is wanted."""
        work = planner.next_work(self.cells(without), most)
        tasks = [self._task(w) for w in work]
        return tuple(t for t in tasks if not t.done(self.store))

    def begun(self) -> tuple[Task, ...]:
        """Every drill of the candidate with its first questions: the least that a vet may take."""
        steps = {d.recipe.id: {p.suite.id: dict.fromkeys(self._steps(d, p), 1) for p in self._hazards()}
                 for d in self.plan.drills}  # fmt: skip
        return tuple(self._task(Work(drill, control=False, wanted=wanted)) for drill, wanted in steps.items())

    def beside(self, drills: Collection[str]) -> tuple[Task, ...]:
        """The control's side of some drills: what the candidate answered, and its first questions where that diverged."""
        made = []
        for drill in (d for d in self.plan.drills if d.recipe.id in drills and self.plan.base):
            asked = {p.suite.id: self._asked(self.plan.candidate, drill, p) for p in self._hazards()}
            made.append(self._task(Work(drill.recipe.id, control=True, wanted=asked)))
        return tuple(t for t in made if not t.done(self.store))

    def not_begun(self) -> tuple[str, ...]:
        """Drills that the candidate was never asked about in full."""
        return tuple(
            d.recipe.id for d in self._going() if not all(self._begun(d, p) for p in self._hazards())
        )

    def _going(self) -> list[Drill]:
        """Drills that the candidate's training did not end."""
        candidate, drills = self.plan.candidate, self.plan.drills
        return [d for d in drills if not self.plan.drilled(candidate, d).diverged(self.store)]

    def _begun(self, drill: Drill, paper: Paper) -> bool:
        return all(self._asked(self.plan.candidate, drill, paper).values())

    def _hazards(self) -> list[Paper]:
        return [p for p in self.plan.papers if p.suite.hazard]

    def _steps(self, drill: Drill, paper: Paper) -> tuple[int, ...]:
        return self.plan.profile.asked_at(paper.suite.id, stops(drill))

    def _asked(self, subject: Subject, drill: Drill, paper: Paper) -> dict[int, int]:
        task = self.plan.drilled(subject, drill)
        return {s: self._answered(task, s, paper) for s in self._steps(drill, paper)}

    def _answered(self, task: Task, step: int, paper: Paper) -> int:
        done = [self.store.get(task.key(step, block)) is not None for block in paper.blocks]
        return done.index(False) if False in done else len(done)

    def _standing(self, drill: Drill, paper: Paper) -> Standing:
        plan, suite = self.plan, paper.suite.id
        asked = self._asked(plan.candidate, drill, paper)
        control = self._asked(plan.base, drill, paper) if plan.base else None
        if plan.base and plan.drilled(plan.base, drill).diverged(self.store):
            control = None
        arm = plan.arm(plan.candidate, drill, paper, self.store)
        claim = plan.claim(drill, paper, self.store) if arm else None
        if claim is None or arm is None:
            return Standing(suite, drill.recipe.id, asked, len(paper.blocks), tuple(asked), control=control)
        terms = plan.policy.terms(suite, len(plan.cells))
        waits = claim.alarmed and control is not None and any(control[s] < n for s, n in asked.items())
        return Standing(
            suite, drill.recipe.id, asked, len(paper.blocks),
            open=open_steps(arm, terms), log_alarm=claim.log_alarm, found=claim.found, waits=waits, control=control,
        )  # fmt: skip

    def _task(self, work: Work) -> Task:
        drill = next(d for d in self.plan.drills if d.recipe.id == work.drill)
        subject = self.plan.base if work.control and self.plan.base else self.plan.candidate
        pairs = [
            (step, block)
            for paper in self._hazards()
            for step, upto in work.wanted.get(paper.suite.id, {}).items()
            for block in paper.blocks[:upto]
        ]
        context = [p for p in self.plan.papers if not p.suite.hazard and not work.control]
        pairs += [(s, p) for p in context for s in self._steps(drill, p)]
        return Task(subject, tuple(sorted(pairs, key=lambda pair: pair[0])), drill)


def run(
    rounds: Rounds, most: int, *, measure: Callable[[tuple[Task, ...]], tuple[Failure, ...]],
    affords: Callable[[float], bool],
) -> tuple[Failure, ...]:  # fmt: skip
    """Measure round after round, until nothing is wanted or the next round is not afforded.

    `affords` is told the cost of a round on `most` workers. A drill that failed is left alone from then on.
    """
    failures: tuple[Failure, ...] = ()
    for _ in range(ROUNDS):
        work = rounds.next(most, {f.task.label for f in failures})
        if not work or not affords(wall([remaining(t, rounds.store) for t in work], most)):
            break
        failures += measure(work)
    return failures


def left(plan: Plan, store: Store, claims: Sequence[Claim]) -> tuple[str, ...]:
    """Codes of the drills that an adaptive plan did not get to, and of why."""
    drills = Rounds(plan, store).not_begun() if plan.profile.adaptive else ()
    reason = "settled" if any(c.found for c in claims) else "time" if plan.profile.minutes else ""
    return (*([reason] if drills and reason else []), *(f"drill:{name}" for name in drills))
