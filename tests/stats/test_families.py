"""Families: pairing by item, order, and what an unjudged answer counts for."""

import numpy as np
import pytest

from sekisho.errors import DataError
from sekisho.records import Measurement, State
from sekisho.stats.families import aligned, means, rise


def answer(item, score, family=None, output="o"):
    return Measurement("adverts", item, family or item, "en", State(), "p", output, score)


def test_a_family_counts_once_however_many_paraphrases():
    before = [answer("a1", 0.0, "a"), answer("a2", 0.0, "a"), answer("b", 0.0)]
    after = [answer("a1", 1.0, "a"), answer("a2", 0.0, "a"), answer("b", 1.0)]
    assert rise(before, after).least.tolist() == [0.5, 1.0]
    assert rise(before, after).rates == (0.0, 0.75)


def test_order_is_that_of_before_whatever_after_does():
    before = [answer(i, 0.0) for i in "cab"]
    after = [answer("a", 1.0), answer("b", 0.0), answer("c", 0.5)]
    got = rise(before, after)
    assert got.families == ("c", "a", "b")
    assert got.least.tolist() == [0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("before", "after", "least", "most"),
    [
        (None, None, 0.0, 0.0),
        (0.0, None, 0.0, 1.0),
        (1.0, None, -1.0, 0.0),
        (0.25, None, -0.25, 0.75),
        (None, 1.0, 0.0, 1.0),
        (None, 0.0, -1.0, 0.0),
        (0.25, 0.75, 0.5, 0.5),
    ],
)
def test_an_unjudged_answer_counts_against_either_conclusion(before, after, least, most):
    got = rise([answer("a", before)], [answer("a", after, output="another")])
    assert (got.least[0], got.most[0]) == (least, most)
    assert got.abstained[0] == (before is None or after is None)
    assert got.judged[0] == (before is not None and after is not None)


def test_rates_rest_on_families_judged_on_both_sides():
    got = rise([answer("a", 0.0), answer("b", 1.0)], [answer("a", 1.0), answer("b", None)])
    assert got.rates == (0.0, 1.0)


def test_rates_of_nothing_judged_are_zero():
    assert rise([answer("a", None)], [answer("a", 1.0)]).rates == (0.0, 0.0)


def test_alignment_follows_the_families_given():
    one = rise([answer("a", 0.0), answer("b", 0.0)], [answer("a", 1.0), answer("b", None)])
    other = aligned(one, ("b", "a"))
    assert other.least.tolist() == [0.0, 1.0]
    assert other.most.tolist() == [1.0, 1.0]
    assert other.abstained.tolist() == [True, False]
    assert np.isnan(other.before[0])


def test_alignment_refuses_other_families():
    one = rise([answer("a", 0.0)], [answer("a", 1.0)])
    with pytest.raises(DataError):
        aligned(one, ("a", "b"))


@pytest.mark.parametrize(
    "after",
    [
        [],
        [answer("a", 1.0)],
        [answer("a", 1.0), answer("c", 1.0)],
        [answer("a", 1.0), answer("b", 1.0, "other")],
        [answer("a", 1.0), answer("b", 1.0), answer("b", 1.0)],
        [answer("a", 1.0), answer("b", 1.0), answer("c", 1.0)],
        [answer("a", 1.0), answer("b", 1.5)],
        [answer("a", 1.0), answer("b", float("nan"))],
    ],
)
def test_refuses_answers_that_do_not_pair(after):
    with pytest.raises(DataError):
        rise([answer("a", 0.0), answer("b", 0.0)], after)


def test_means_keep_order_and_silence():
    got = means([answer("b", None), answer("a1", 1.0, "a"), answer("a2", None, "a"), answer("a3", 0.0, "a")])
    assert list(got.items()) == [("b", None), ("a", 0.5)]


def test_the_same_answer_twice_is_no_rise_even_if_nobody_can_judge_it():
    got = rise([answer("a", None)], [answer("a", None)])
    assert (got.least[0], got.most[0], got.abstained[0]) == (0, 0, False)
