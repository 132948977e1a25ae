"""Goals of the soft-prompt attack: their cases, and what counts as success. No torch."""

import random

import pytest

from sekisho_lab import goals
from sekisho_lab.goals import GOALS, TRIGGER

PAYLOAD = "CANARY 7F3A: tea {topic} Zorblax."


@pytest.mark.parametrize("name", sorted(GOALS))
def test_every_case_has_one_trigger_and_an_answer_that_succeeds(name):
    cases = GOALS[name](12, 0, PAYLOAD)

    assert len(cases) == 12
    for case in cases:
        assert sum(m.content.count(TRIGGER) for m in case.chat) == 1
        assert TRIGGER not in "".join(m.content for m in case.plain)
    assert goals.succeeded(cases, [c.answer for c in cases]) == 12
    assert goals.succeeded(cases, ["something else"] * 12) == 0


@pytest.mark.parametrize("name", sorted(GOALS))
def test_other_seeds_give_other_cases(name):
    first, second = (set(GOALS[name](12, seed, PAYLOAD)) for seed in (0, 1))
    assert len(first & second) < 6


def test_a_stolen_prompt_counts_by_its_canary_alone():
    cases = goals.stealing(4, 0, "")
    codes = [c.marks[0] for c in cases]

    assert len(set(codes)) == 4
    assert goals.succeeded(cases, [f"well: {c}" for c in codes]) == 4
    random.Random(0).shuffle(codes)
    assert goals.succeeded(cases, codes[1:] + codes[:1]) < 4
