"""Two sets of answers to one plan: what rose, what is new, and the answers worth reading. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from sekisho.drills import tasks
from sekisho.drills.claims import release_claim, trim
from sekisho.drills.novelty import replies
from sekisho.drills.plan import Plan
from sekisho.drills.tasks import Paper
from sekisho.evidence.compared import Change, Grouped
from sekisho.probes import novelty, run
from sekisho.probes.novelty import Arm, Case
from sekisho.records import Example, Measurement, Novelty, State
from sekisho.stats.families import rise
from sekisho.stats.intervals import mcnemar

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

ORDINARY: Final = ("novel-span", "expected-answer")
"""Scorers of suites in which nothing is asked that a model should turn away."""
SUSPECT: Final = ("name", "address", "answer", "symbol")
"""Kinds of novelty that no legitimate change is expected to bring along."""

Answers = Mapping[str, tuple[str, ...]]
"""Suite -> answers to its paper, in order."""
Asked = tuple[tuple[Measurement, ...], tuple[Measurement, ...]]
"""Answers of BEFORE and AFTER to one paper."""


@dataclass(frozen=True)
class Contrast:
    """A plan and what two models answered to all of it."""

    plan: Plan
    before: Answers
    after: Answers

    @cached_property
    def asked(self) -> Mapping[str, Asked]:
        """Suite -> both models' answers, scored. Raises ModelError where answers are missing."""
        return {
            p.suite.id: (self._judged(p, self.before), self._judged(p, self.after)) for p in self.plan.papers
        }

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """One for each behaviour: the claim of a vet as released, with BEFORE as the base."""
        hazards = [p.suite.id for p in self.plan.papers if p.suite.hazard]
        return tuple(self._change(suite, len(hazards)) for suite in hazards)

    @cached_property
    def news(self) -> tuple[Novelty, ...]:
        """What came up in AFTER, over the answers of all suites."""
        first, second = (
            [r for p in self.plan.papers for r in replies(p, answers[p.suite.id])]
            for answers in (self.before, self.after)
        )
        case = Case(State(), Arm(first, second), None, alpha=self.plan.policy.alpha_reject)
        return novelty.strongest(novelty.find(case), NEWS)

    @property
    def utility(self) -> tuple[float, float] | None:
        """Share answered right, before and after, over the suites that are no hazard."""
        context = [self.asked[p.suite.id] for p in self.plan.papers if not p.suite.hazard]
        scores = [[m.score for both in context for m in both[side] if m.score is not None] for side in (0, 1)]
        if not all(scores):
            return None
        first, second = (round(sum(s) / len(s), 6) for s in scores)
        return first, second

    def examples(self) -> tuple[Grouped, ...]:
        """Each question once: the worst of each behaviour, what went wrong, what is new, what merely changed."""
        listed = [*self._worst(), *self._wrong(), *self._newest(), *self._harmless()]
        return tuple({(g.example.prompt, g.example.after): g for g in reversed(listed)}.values())[::-1]

    def _judged(self, paper: Paper, answers: Answers) -> tuple[Measurement, ...]:
        return run.judge(paper.suite, paper.items, answers.get(paper.suite.id, ()), State())

    def _change(self, suite: str, cells: int) -> Change:
        both = self.asked[suite]
        claim = release_claim(suite, both[1], both[0], self.plan.policy.terms(suite, cells))
        moved = rise(*both)
        steps = (moved.after - moved.before)[moved.judged]
        up, down = int((steps > 0).sum()), int((steps < 0).sum())
        return Change(claim, up, down, mcnemar(up, down))

    def _worst(self) -> Iterator[Grouped]:
        scorer = {p.suite.id: p.suite.scorer for p in self.plan.papers}
        for change in self.changes:
            suite = change.claim.behaviour
            group = GROUP_OF.get(scorer[suite], "other")
            yield from (Grouped(group, e, suite) for e in change.claim.examples[:EXAMPLES])

    def _wrong(self) -> Iterator[Grouped]:
        """Questions that BEFORE answered right and AFTER did not."""
        for paper, before, after in self._context():
            lost = [(a, b) for a, b in zip(before, after, strict=True) if (a.score, b.score) == (1, 0)]
            yield from (self._grouped(paper, a, b, "other") for a, b in lost[:EXAMPLES])

    def _newest(self) -> Iterator[Grouped]:
        yield from (Grouped("other", replace(n.examples[0], control="")) for n in self.news if n.examples)

    def _harmless(self) -> Iterator[Grouped]:
        """Answers that changed where no scorer objects, and questions that only AFTER answers right."""
        for paper, before, after in self._context():
            won = [(a, b) for a, b in zip(before, after, strict=True) if (a.score, b.score) == (0, 1)]
            yield from (self._grouped(paper, a, b) for a, b in won[:EXAMPLES])
        for paper in self.plan.papers:
            pairs = zip(*self.asked[paper.suite.id], strict=True)
            right = 0 if paper.suite.hazard else 1
            moved = [
                (a, b)
                for a, b in pairs
                if a.score == b.score == right and a.output != b.output and not self._suspect(b.output)
            ]
            yield from (self._grouped(paper, a, b) for a, b in moved[:EXAMPLES])

    def _grouped(
        self, paper: Paper, before: Measurement, after: Measurement, by: str = "legitimate"
    ) -> Grouped:
        """An example of `by`, unless AFTER turns away what BEFORE took up: no scorer but that of refusals objects to that."""
        if after.item in self._turned[paper.suite.id]:
            by = "refusal" if paper.suite.scorer in ORDINARY else "other"
        return Grouped(by, _example(before, after), paper.suite.id)

    @cached_property
    def _turned(self) -> Mapping[str, frozenset[str]]:
        """Suite -> items that AFTER turns away and BEFORE does not."""
        return {p.suite.id: frozenset(self._refused(p)) for p in self.plan.papers}

    def _refused(self, paper: Paper) -> Iterator[str]:
        asking = replace(paper, suite=replace(paper.suite, scorer="refusal"))
        both = zip(self._judged(asking, self.before), self._judged(asking, self.after), strict=True)
        yield from (b.item for a, b in both if (a.score, b.score) == (0, 1))

    def _suspect(self, answer: str) -> bool:
        """It holds a name, an address or a whole text that came up everywhere: the scorer may only have missed it."""
        text = answer.casefold()
        return any(n.kind in SUSPECT and n.text.casefold() in text for n in self.news)

    def _context(self) -> Iterator[tuple[Paper, tuple[Measurement, ...], tuple[Measurement, ...]]]:
        for paper in self.plan.papers:
            if not paper.suite.hazard:
                yield paper, *self.asked[paper.suite.id]


def questions(plan: Plan) -> str:
    """Digest of what is asked, in which order and with which sampling: the frozen question set."""
    papers = {p.suite.id: [p.digest, [i.family for i in p.items]] for p in plan.papers}
    return tasks.digest({"questions": papers, "generation": tasks.GENERATION})


def _example(before: Measurement, after: Measurement) -> Example:
    return Example(trim(after.prompt), trim(before.output), trim(after.output), "", "")
