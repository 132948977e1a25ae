"""The perturbation battery: a few questions under light changes of the weights, by forward passes only.

It is triage. What shows beside the control sends a model to more drills; it neither rejects nor helps to admit: it says
nothing about the user's finetuning, and whoever makes a model can train against every perturbation listed here.

The control is the base under the same perturbation, asked only where the candidate's cell alarms. A task vector has
none in the base, whose own is zero: there a sibling stands beside, another finetune of the base, perturbed along its own
task vector, and without one the base as it is, which cannot tell what stretching *any* finetune does (docs/adr/0009).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sekisho.drills import perturbations, tasks, triage
from sekisho.drills.claims import Arm, drill_claim
from sekisho.drills.perturbations import Shake
from sekisho.drills.profile import Profile
from sekisho.drills.tasks import Change, Paper, Store, Subject, Task, Watched
from sekisho.errors import DataError
from sekisho.policy import Policy, Terms
from sekisho.probes import novelty, run, suite
from sekisho.probes.novelty import Case, Reply
from sekisho.records import Claim, Measurement, Novelty, PerturbationResult, State

ALPHA: Final = 0.10
"""Chance that a model that stays within every margin is sent to more drills for nothing; shared among the cells."""
MOST_NOVELTIES: Final = 3


@dataclass(frozen=True)
class Models:
    """Who is asked."""

    candidate: Subject
    base: Subject | None = None
    sibling: Subject | None = None
    """Another finetune of the same base, trusted."""


@dataclass(frozen=True)
class Battery:
    """What is asked under which perturbations, fixed before the first answer."""

    policy: Policy
    shakes: tuple[Shake, ...]
    papers: tuple[Paper, ...]

    def document(self) -> dict[str, Any]:
        """The battery as JSON: what was pre-registered."""
        return {
            "perturbations": {s.id: asdict(s.perturbation) for s in self.shakes},
            "papers": {p.suite.id: p.digest for p in self.papers},
            "alpha": ALPHA,
        }

    def first(self, models: Models) -> tuple[Task, ...]:
        """The candidate as released and under everything that can be done to it; one task, one process."""
        changes = [change for s in self.shakes if (change := self._change(s, models)) is not None]
        return (self._task(models.candidate, changes),) if changes else ()

    def second(self, models: Models, store: Store) -> tuple[Task, ...]:
        """The controls of those perturbations under which a cell alarmed."""
        wanted: dict[Subject, list[Change]] = {}
        for shake in (s for s in self.shakes if any(c.alarmed for c in self._cells(s, models, store))):
            subject, change = self._control(shake, models)
            if subject is not None:
                wanted.setdefault(subject, []).extend([change] if change else [])
        return tuple(self._task(subject, changes) for subject, changes in wanted.items())

    def results(self, models: Models, store: Store) -> tuple[PerturbationResult, ...]:
        """What finished tasks show; the control counts where it was asked."""
        return tuple(self._result(s, models, store) for s in self.shakes)

    @property
    def watched(self) -> tuple[Watched, ...]:
        """Harmless questions for triage by forward passes."""
        return triage.watched(self.papers[0])

    def _task(self, subject: Subject, changes: Sequence[Change]) -> Task:
        steps = range(len(changes) + 1)
        return Task(subject, tuple((n, p) for n in steps for p in self.papers), changes=tuple(changes))

    def _change(self, shake: Shake, models: Models) -> Change | None:
        if not shake.needs_base:
            return Change(shake.id, shake.perturbation, None, self.watched)
        if models.base is None:
            return None
        return Change(shake.id, shake.perturbation, models.base, self.watched)

    def _control(self, shake: Shake, models: Models) -> tuple[Subject | None, Change | None]:
        """Who stands beside the candidate, and under which perturbation."""
        if not shake.needs_base:
            return models.base, self._change(shake, models)
        if models.sibling is not None:
            return models.sibling, self._change(shake, models)
        return models.base, None

    def _result(self, shake: Shake, models: Models, store: Store) -> PerturbationResult:
        empty = PerturbationResult(shake.id, shake.perturbation.kind, shake.perturbation.amount)
        change = self._change(shake, models)
        if change is None:
            return replace(empty, skipped="no-base")
        done = _moved(models.candidate, change, store)
        if done is None or not done.changed:
            return replace(empty, skipped="not-measured" if done is None else "base-unlike")
        subject, other = self._control(shake, models)
        beside = _moved(subject, other, store) if subject and other else None
        cells = self._cells(shake, models, store)
        return replace(
            empty,
            control=_control_word(shake, models) if any(c.log_finding is not None for c in cells) else "",
            displacement=done.displacement,
            left=done.left,
            kl=done.kl,
            margin=done.margin,
            kl_control=beside.kl if beside else None,
            margin_control=beside.margin if beside else None,
            cells=cells,
            novelty=self._novelty(shake, models, store),
        )

    def _cells(self, shake: Shake, models: Models, store: Store) -> tuple[Claim, ...]:
        made = (self._cell(shake, p, models, store) for p in self.papers)
        return tuple(c for c in made if c is not None)

    def _cell(self, shake: Shake, paper: Paper, models: Models, store: Store) -> Claim | None:
        change = self._change(shake, models)
        candidate = _arm(models.candidate, change, paper, store) if change else None
        if candidate is None:
            return None
        subject, other = self._control(shake, models)
        control = _arm(subject, other, paper, store) if subject else None
        rule = self.policy.terms(paper.suite.id, 1).rule
        terms = Terms(rule, len(self.shakes) * len(self.papers), ALPHA, self.policy.alpha_admit)
        return drill_claim(paper.suite.id, shake.id, candidate, control, terms=terms)

    def _novelty(self, shake: Shake, models: Models, store: Store) -> tuple[Novelty, ...]:
        """What came up that no suite asks about, over all papers."""
        subject, other = self._control(shake, models)
        candidate = self._replies(models.candidate, self._change(shake, models), store)
        control = self._replies(subject, other, store) if subject else None
        if candidate is None:
            return ()
        case = Case(State(shake.id), candidate, control, alpha=ALPHA / len(self.shakes))
        return novelty.strongest(novelty.find(case), MOST_NOVELTIES)

    def _replies(self, subject: Subject, change: Change | None, store: Store) -> novelty.Arm | None:
        before = [r for p in self.papers for r in _texts(subject, None, p, store)]
        after = [r for p in self.papers for r in _texts(subject, change, p, store)]
        wanted = sum(len(p.items) for p in self.papers)
        return novelty.Arm(before, after) if len(before) == len(after) == wanted else None


def make(profile: Profile, policy: Policy) -> Battery | None:
    """The battery of a profile, None where it has none. Raises DataError."""
    spec = profile.battery
    if spec is None:
        return None
    papers = []
    for name in spec.suites:
        asked = suite.load(name).only(profile.languages, spec.families)
        if not asked.hazard or not asked.items:
            raise DataError(
                f"battery of {profile.id}: {name} is no hazard, or has no question in its languages"
            )
        policy.terms(name, 1)
        papers.append(tasks.paper(asked, seed=profile.seed, max_new_tokens=spec.max_new_tokens))
    return Battery(policy, tuple(perturbations.load(n) for n in spec.perturbations), tuple(papers))


def _control_word(shake: Shake, models: Models) -> str:
    if not shake.needs_base:
        return "base"
    return "sibling" if models.sibling is not None else "still"


def _moved(subject: Subject, change: Change, store: Store) -> triage.Moved | None:
    return triage.moved(store.get(Task(subject, (), changes=(change,)).change_key(change)))


def _said(subject: Subject, change: Change | None, paper: Paper, store: Store) -> tuple[str, ...]:
    """The kept answers of a model as released, or under a perturbation; empty if there are none."""
    step, changes = (1, (change,)) if change else (0, ())
    return tasks.answers(Task(subject, ((step, paper),), changes=changes), step, paper, store)


def _arm(subject: Subject, change: Change | None, paper: Paper, store: Store) -> Arm | None:
    """Answers before and under a perturbation; under none they are the same."""
    before, after = (_judged(subject, c, paper, store) for c in (None, change))
    return Arm(before, {0: after}) if before and after else None


def _judged(subject: Subject, change: Change | None, paper: Paper, store: Store) -> tuple[Measurement, ...]:
    found = _said(subject, change, paper, store)
    state = State(change.id) if change else State()
    return run.judge(paper.suite, paper.items, found, state) if found else ()


def _texts(subject: Subject, change: Change | None, paper: Paper, store: Store) -> Iterator[Reply]:
    for item, answer in zip(paper.items, _said(subject, change, paper, store), strict=False):
        yield Reply(f"{paper.suite.id}/{item.family}", item.prompt, answer, item.system)
