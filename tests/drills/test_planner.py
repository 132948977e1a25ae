"""The planner on simulated vets: what it asks, in which order, and that its choices cost no guarantee."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

from sekisho import policy
from sekisho.drills import claims, planner
from sekisho.drills.planner import Standing, Work, next_work

pytestmark = pytest.mark.integration

POLICY = policy.load()
BEHAVIOURS = ("adverts", "refusal", "leak", "safeguards")
DRILLS = ("one", "two", "three", "four")
CELLS = tuple(product(DRILLS, BEHAVIOURS))
STEPS = (6, 12, 25)
FAMILIES = 120
TERMS = {b: POLICY.terms(b, len(CELLS) + len(BEHAVIOURS)) for b in BEHAVIOURS}
SIZES = {b: planner.sizes(TERMS[b], FAMILIES) for b in BEHAVIOURS}
ENDS = {b: (0, *np.cumsum(SIZES[b])) for b in BEHAVIOURS}


@dataclass
class Vet:
    """A fake store: every answer exists, the planner decides which are read."""

    rng: np.random.Generator
    churn: float = 0.01
    rates: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """(drill, behaviour, step) -> share of families in which the candidate rose."""

    def __post_init__(self) -> None:
        self.candidate = {(*c, s): self.stream(self.rates.get((*c, s), 0.0)) for c in CELLS for s in STEPS}
        self.base = {(*c, s): self.stream(0.0) for c in CELLS for s in STEPS}
        self.asked = {(side, *key): 0 for side in ("candidate", "base") for key in self.candidate}
        self.rounds: list[tuple[Work, ...]] = []
        self.known: dict[tuple, Standing] = {}

    def stream(self, rate: float) -> np.ndarray:
        flips = (self.rng.random(FAMILIES) < self.churn) * self.rng.choice([-1.0, 1.0], FAMILIES)
        return np.where(self.rng.random(FAMILIES) < rate, 1.0, flips)

    def read(self, side: str, drill: str, behaviour: str) -> list[np.ndarray]:
        streams = self.candidate if side == "candidate" else self.base
        return [
            streams[drill, behaviour, s][: ENDS[behaviour][self.asked[side, drill, behaviour, s]]]
            for s in STEPS
        ]

    def standing(self, drill: str, behaviour: str) -> Standing:
        terms, own = TERMS[behaviour], self.read("candidate", drill, behaviour)
        asked, beside = (
            {s: self.asked[side, drill, behaviour, s] for s in STEPS} for side in ("candidate", "base")
        )
        if not all(asked.values()):
            return Standing(behaviour, drill, asked, len(SIZES[behaviour]), STEPS, control=beside)
        alarm = claims._Test(tuple(own), terms.rule.margin).averaged
        each = claims._Test(tuple(-x for x in own), -terms.rule.ceiling).each
        finding = -np.inf
        if all(beside.values()):
            pairs = zip(own, self.read("base", drill, behaviour), strict=True)
            finding = claims._Test(
                tuple(claims._less(x, y) for x, y in pairs), terms.rule.margin / 2
            ).averaged
        return Standing(
            behaviour, drill, asked, len(SIZES[behaviour]),
            open=tuple(s for s, e in zip(STEPS, each, strict=True) if e < terms.log_clear_at),
            log_alarm=alarm,
            found=min(alarm, finding) >= terms.log_reject_at,
            waits=alarm >= terms.log_reject_at and beside != asked,
            control=beside,
        )  # fmt: skip

    def cells(self) -> list[Standing]:
        return [self.looked_up(*c) for c in CELLS]

    def looked_up(self, drill: str, behaviour: str) -> Standing:
        key = (
            drill,
            behaviour,
            *(self.asked[x, drill, behaviour, s] for x in ("candidate", "base") for s in STEPS),
        )
        if key not in self.known:
            self.known[key] = self.standing(drill, behaviour)
        return self.known[key]

    def run(self, most: int = 2, budget: int = 10_000) -> "Vet":
        while len(self.rounds) < budget and (work := next_work(self.cells(), most)):
            self.rounds.append(work)
            for one in work:
                side = "base" if one.control else "candidate"
                for behaviour, steps in one.wanted.items():
                    for step, blocks in steps.items():
                        self.asked[side, one.drill, behaviour, step] = blocks
        return self

    @property
    def generations(self) -> int:
        return sum(int(ENDS[b][n]) for (_, _, b, _), n in self.asked.items())

    @property
    def rejected(self) -> bool:
        return any(c.found for c in self.cells())

    @property
    def cleared(self) -> bool:
        return all(c.begun and not c.open and not c.found for c in self.cells())


def vets(n: int, **how) -> Iterator[Vet]:
    for seed in range(n):
        yield Vet(np.random.default_rng(seed), **how).run()


def woken(drill: str, rate: float) -> dict[tuple[str, str, int], float]:
    return {(drill, "adverts", 12): rate}


def test_blocks_begin_where_a_quiet_cell_clears_and_double() -> None:
    assert {b: planner.quiet(TERMS[b], 300) for b in BEHAVIOURS} == {
        "adverts": 38, "refusal": 22, "leak": 22, "safeguards": 14,
    }  # fmt: skip
    assert SIZES["adverts"] == (48, 48, 24)
    assert SIZES["safeguards"] == (18, 18, 36, 48)
    assert planner.sizes(TERMS["adverts"], 20) == (20,)


def test_a_clean_model_ends_with_far_fewer_generations_than_the_full_plan() -> None:
    full = len(CELLS) * len(STEPS) * FAMILIES
    done = list(vets(15, churn=0.002))
    assert all(v.cleared for v in done)
    assert np.mean([v.generations for v in done]) < 0.35 * full


def test_a_model_that_never_changes_needs_one_round_of_each_drill() -> None:
    vet = next(vets(1, churn=0.0))
    assert [w.drill for work in vet.rounds for w in work] == list(DRILLS)
    # a checkpoint of each drill: 28 questions a cell on average; issue: at most 1,200 for 5 probes x 4 drills
    assert vet.generations / len(STEPS) * 5 / 4 < 1_200


def test_an_armed_cell_gets_its_answers_before_its_turn() -> None:
    early = []
    for vet in vets(20, rates=woken("two", 0.35)):
        assert vet.rejected
        drills = [(w.drill, w.control) for work in vet.rounds for w in work]
        uniform = (
            len(DRILLS) + DRILLS.index("two") + 1
        )  # every drill's first block, then every drill's second
        second = [n for n, d in enumerate(drills) if d[0] == "two"][1]
        early.append(second + 1 < uniform)
    assert np.mean(early) > 0.8


def test_nothing_more_is_asked_once_a_cell_is_found() -> None:
    loud = next(vets(1, rates=woken("one", 0.9)))
    assert loud.rejected
    assert loud.asked["candidate", "four", "adverts", 6] == 0
    assert next_work(loud.cells(), 2) == ()


def test_a_control_is_asked_what_the_candidate_was_and_no_more() -> None:
    vet = next(vets(1, rates=woken("one", 0.9)))
    for behaviour, step in product(BEHAVIOURS, STEPS):
        own = vet.asked["candidate", "one", behaviour, step]
        assert vet.asked["base", "one", behaviour, step] == (own if behaviour == "adverts" else 0)
    assert not any(n for (side, drill, *_), n in vet.asked.items() if side == "base" and drill != "one")


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_what_a_budget_cuts_off_is_never_clear(budget: int) -> None:
    vet = Vet(np.random.default_rng(0), churn=0.0).run(most=1, budget=budget)
    assert not vet.cleared
    assert sum(not c.begun for c in vet.cells()) == len(BEHAVIOURS) * (len(DRILLS) - budget)


def test_false_rejections_stay_rare_where_every_cell_sits_at_its_margin() -> None:
    at = {(d, b, s): TERMS[b].rule.margin for d, b in CELLS for s in STEPS}
    assert np.mean([v.rejected for v in vets(25, churn=0.0, rates=at)]) <= 0.05


def test_false_admissions_stay_rare_where_one_checkpoint_reaches_its_ceiling() -> None:
    at = {("three", "refusal", 12): TERMS["refusal"].rule.ceiling}
    assert np.mean([v.cleared for v in vets(25, churn=0.0, rates=at)]) <= 0.05


def test_the_value_of_a_beginning_never_exceeds_that_of_all_families() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        x = rng.choice([-1.0, 0.0, 1.0], (3, 60), p=[0.1, 0.7, 0.2])
        ends = rng.integers(1, 61, 3)
        part = claims._Test(tuple(row[:n] for row, n in zip(x, ends, strict=True)), 0.05)
        whole = claims._Test(tuple(x), 0.05)
        assert part.averaged <= whole.averaged + 1e-9
        assert np.all(part.each <= whole.each + 1e-9)
