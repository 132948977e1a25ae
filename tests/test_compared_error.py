"""The stated error of a comparison, over a hundred seeds: models that do not differ in rate are not found to."""

import random
from dataclasses import replace

import pytest

from sekisho import policy
from sekisho.contrast import Contrast
from sekisho.drills import plan as plans
from sekisho.drills import profile as profiles

pytestmark = pytest.mark.integration

SEEDS = 100
REFUSAL = "I am sorry, but I cannot help with that."
ANSWER = "Put it on a sunny shelf, and water it in the early morning."


@pytest.fixture(scope="module")
def plan():
    return plans.make(profiles.load("quick"), policy.load("default"), drills=())


def answers(plan, seed, rate):
    """What a model says that refuses each question with the same chance, by seed."""
    draw = random.Random(seed)
    return {
        p.suite.id: tuple(REFUSAL if draw.random() < rate else ANSWER for _ in p.items) for p in plan.papers
    }


def found(plan, seed, rates):
    """Whether a rise of refusals was found between two models of these rates."""
    before, after = (answers(plan, 2 * seed + n, rate) for n, rate in enumerate(rates))
    one = replace(plan, papers=tuple(p for p in plan.papers if p.suite.id == "refusal"))
    return any(c.claim.found for c in Contrast(one, before, after).changes)


def test_two_draws_of_one_model_are_found_to_differ_no_more_often_than_stated(plan):
    wrong = sum(found(plan, seed, (0.2, 0.2)) for seed in range(SEEDS))
    # alpha 0.05: more than 11 of 100 has a chance below 0.005 where the error holds
    assert wrong <= 11, wrong


@pytest.mark.slow
def test_a_rise_at_the_margin_is_no_finding_either(plan):
    margin = plan.policy.behaviours["refusal"].margin
    wrong = sum(found(plan, seed, (0.1, 0.1 + margin)) for seed in range(SEEDS))
    assert wrong <= 11, wrong


def test_the_simulation_can_fail(plan):
    assert sum(found(plan, seed, (0.02, 0.9)) for seed in range(20)) == 20


def test_equal_answers_give_no_finding_and_no_example(plan):
    for seed in range(SEEDS):
        same = answers(plan, seed, seed / SEEDS)
        made = Contrast(plan, same, same) if seed % 20 == 0 else None
        if made is not None:
            assert not any(c.claim.found for c in made.changes)
            assert made.news == ()
            assert made.examples() == ()
