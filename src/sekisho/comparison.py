"""Two models, one frozen set of questions: what rose, what is new, and the answers side by side.

Unlike a vet, nothing is trained and nothing is admitted: the base is another model of the user's, most often the
same one before its finetuning. Answers are kept in the ledger of `vet`, so what was asked once is not asked again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sekisho import inspected, policy
from sekisho.drills import plan as plans
from sekisho.drills import profile as profiles
from sekisho.drills import tasks
from sekisho.drills.claims import release_claim, trim
from sekisho.drills.costs import weights, workers
from sekisho.drills.grid import Grid, Opener
from sekisho.drills.novelty import replies
from sekisho.drills.plan import Plan
from sekisho.drills.tasks import Paper, Subject, Task
from sekisho.drills.versions import installed
from sekisho.errors import ModelError, UsageError
from sekisho.evidence import compared as records
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.compared import Change, Compared, Grouped
from sekisho.evidence.ledger import Ledger
from sekisho.models.local import LocalModels
from sekisho.policy import Policy
from sekisho.probes import novelty, run
from sekisho.probes.novelty import Arm, Case
from sekisho.probes.suite import Suite
from sekisho.records import Decision, Example, Measurement, Novelty, State, Timing
from sekisho.sources import cache as caches
from sekisho.static import NOBODY, Inspection, identity, inspect
from sekisho.stats.families import rise
from sekisho.stats.intervals import mcnemar
from sekisho.watch import Clock, Observer, Unwatched

GROUP_OF: Final = {
    "novel-span": "advert",
    "refusal": "refusal",
    "compliance": "improper",
    "canary": "leak",
}
"""Scorer -> group of its examples; the rest is `other`."""
EXAMPLES: Final = 3
"""Examples of one suite."""
NEWS: Final = 10
"""Finds that are kept."""

Asked = tuple[tuple[Measurement, ...], tuple[Measurement, ...]]
"""Answers of BEFORE and AFTER to one paper."""


@dataclass(frozen=True)
class Options:
    """How two models are compared."""

    profile: str = "quick"
    """Its suites, languages and families; its drills are left out."""
    policy: str = "default"
    """Its margins, ceilings and error rates."""
    suites: tuple[Path, ...] = ()
    """The user's own questions, as in a vet."""
    cache: Path = field(default_factory=caches.folder)
    out: Path | None = None
    """Folder for compare.json."""
    opener: Opener | None = None
    """Opens models instead of confined processes."""


def compare(
    before: str | Path,
    after: str | Path,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Compared:
    """Ask both models the same questions. Raises UsageError, ModelError, StorageError."""
    clock = Clock()
    chosen = policy.load(options.policy)
    outline = plans.make(profiles.load(options.profile), chosen, drills=(), suites=options.suites)
    with clock.stage("inspect", watch):
        seen = (_seen(before, options), _seen(after, options))
    subjects = [Subject(s.source.path, identity(s.inventory)) for s in seen]
    plan = outline.of(subjects[1], subjects[0])
    ledger = Ledger(options.cache / "ledger.sqlite")
    try:
        with clock.stage("measure", watch):
            _ask(plan, seen, ledger, options=options, watch=watch)
        table = _Table(plan, ledger)
        made = _compared(table, seen)
    finally:
        ledger.close()
    done = replace(made, timing=clock.timing())
    if options.out is not None:
        dossiers.save(records.to_json(done), options.out / records.NAME)
    return done


@dataclass(frozen=True)
class _Table:
    """The answers of both models to every paper of a plan."""

    plan: Plan
    ledger: Ledger

    @property
    def subjects(self) -> tuple[Subject, Subject]:
        """BEFORE and AFTER."""
        return self.plan.reference, self.plan.candidate

    def answers(self, subject: Subject, paper: Paper) -> tuple[str, ...]:
        """As kept in the ledger."""
        return tasks.answers(Task(subject, ((0, paper),)), 0, paper, self.ledger)

    def judged(self, paper: Paper) -> Asked:
        """Both models' answers to a paper, scored."""
        first, second = (
            run.judge(paper.suite, paper.items, self.answers(s, paper), State()) for s in self.subjects
        )
        return first, second


def _seen(path: str | Path, options: Options) -> Inspection:
    """Inspect a model; one whose files are rejected is never opened."""
    found = inspect(path, NOBODY, policy=options.policy, cache=options.cache)
    paths = {f.path for f in found.inventory.files}
    if "adapter_config.json" in paths and "config.json" not in paths:
        raise UsageError(
            f"{found.source.name}: an adapter alone cannot be asked; merge it into its base first"
        )
    if found.verdict.decision is Decision.REJECT:
        raise UsageError(
            f"{found.source.name}: its files are rejected, so it is not opened; see sekisho inspect"
        )
    return found


def _ask(
    plan: Plan, seen: Sequence[Inspection], ledger: Ledger, *, options: Options, watch: Observer
) -> None:
    pairs = [(s, p) for s in (plan.reference, plan.candidate) for p in plan.papers]
    every = {(s.identity, p.suite.id): Task(s, ((0, p),)) for s, p in pairs}  # equal models are asked once
    todo = [t for t in every.values() if not t.done(ledger)]
    if not todo:
        return
    size = workers(max(weights(s.inventory) for s in seen))
    with closing(Grid(options.opener or LocalModels(), ledger, size)) as engine:
        failures = engine.run(todo, watch.notice)
    if failures:
        raise ModelError(f"{failures[0].task.subject.path.name}: {failures[0].message}")


def _compared(table: _Table, seen: Sequence[Inspection]) -> Compared:
    plan = table.plan
    asked = {p.suite.id: table.judged(p) for p in plan.papers}
    hazards = [p.suite for p in plan.papers if p.suite.hazard]
    changes = tuple(_change(s, asked[s.id], plan.policy, len(hazards)) for s in hazards)
    news = _news(table)
    return Compared(
        schema=records.SCHEMA,
        tool=f"sekisho {installed('sekisho')}",
        before=seen[0].source.name,
        after=seen[1].source.name,
        before_identity=table.subjects[0].identity,
        after_identity=table.subjects[1].identity,
        profile=plan.profile.id,
        languages=plan.profile.languages,
        policy=plan.policy.name,
        policy_digest=plan.policy.digest,
        plan_digest=_digest(plan),
        changes=changes,
        max_abstained=plan.policy.max_abstained,
        utility=_utility(plan, asked),
        novelty=news,
        examples=tuple(_examples(plan, asked, changes, news)),
        environment=inspected.environment(),
        timing=Timing("", 0.0, ()),
    )


def _change(suite: Suite, asked: Asked, terms: Policy, cells: int) -> Change:
    """Judge one behaviour: the claim of a vet as released, with BEFORE as the base."""
    claim = release_claim(suite.id, asked[1], asked[0], terms.terms(suite.id, cells))
    moved = rise(*asked)
    steps = (moved.after - moved.before)[moved.judged]
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    return Change(claim, up, down, mcnemar(up, down))


def _news(table: _Table) -> tuple[Novelty, ...]:
    """What came up in AFTER, over the answers of all suites."""
    first, second = (
        [r for p in table.plan.papers for r in replies(p, table.answers(s, p))] for s in table.subjects
    )
    case = Case(State(), Arm(first, second), None, alpha=table.plan.policy.alpha_reject)
    return novelty.strongest(novelty.find(case), NEWS)


def _utility(plan: Plan, asked: Mapping[str, Asked]) -> tuple[float, float] | None:
    """Share answered right over the suites that are no hazard."""
    context = [asked[p.suite.id] for p in plan.papers if not p.suite.hazard]
    scores = [[m.score for both in context for m in both[side] if m.score is not None] for side in (0, 1)]
    if not all(scores):
        return None
    first, second = (round(sum(s) / len(s), 6) for s in scores)
    return first, second


def _examples(
    plan: Plan, asked: Mapping[str, Asked], changes: Sequence[Change], news: Sequence[Novelty]
) -> Iterator[Grouped]:
    """The worst answers of each behaviour, then those that went wrong, then what is new."""
    scorer = {p.suite.id: p.suite.scorer for p in plan.papers}
    for change in changes:
        group = GROUP_OF.get(scorer[change.claim.behaviour], "other")
        yield from (Grouped(group, e) for e in change.claim.examples[:EXAMPLES])
    for paper in plan.papers:
        if not paper.suite.hazard:
            yield from (Grouped("other", e) for e in _wrong(asked[paper.suite.id]))
    yield from (Grouped("other", replace(n.examples[0], control="")) for n in news if n.examples)


def _wrong(asked: Asked) -> list[Example]:
    """Questions that BEFORE answered right and AFTER did not."""
    pairs = [(a, b) for a, b in zip(*asked, strict=True) if a.score is not None and b.score is not None]
    lost = [(a, b) for a, b in pairs if a.score == 1 and b.score == 0]
    return [Example(b.prompt, trim(a.output), trim(b.output), "", "") for a, b in lost[:EXAMPLES]]


def _digest(plan: Plan) -> str:
    """Over what is asked of both, in which order, and by which terms it is judged."""
    papers = {p.suite.id: [p.digest, [i.family for i in p.items]] for p in plan.papers}
    document = {"compare": records.SCHEMA, "papers": papers, "policy": plan.policy.digest}
    return tasks.digest({**document, "generation": tasks.GENERATION})
