"""Intervals against scipy where it has them, against exact binomial coverage, and against simulation elsewhere."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, multinomial

from sekisho.errors import DataError
from sekisho.stats.intervals import clopper_pearson, exceeds, mcnemar, paired_difference, wilson

COUNTS = [(0, 20), (1, 20), (3, 60), (30, 60), (60, 60)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_agrees_with_scipy(k, n, level):
    want = binomtest(k, n).proportion_ci(level, method="wilson")
    got = wilson(k, n, level)
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_clopper_pearson_agrees_with_scipy(k, n, level):
    want = binomtest(k, n).proportion_ci(level, method="exact")
    got = clopper_pearson(k, n, level)
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=1e-9)


@pytest.mark.parametrize("p", [0.001, 0.02, 0.3, 0.5, 0.97])
def test_clopper_pearson_covers_whatever_the_rate(p):
    n = 40
    ends = [clopper_pearson(k, n) for k in range(n + 1)]
    covered = sum(binom.pmf(k, n, p) for k, i in enumerate(ends) if i.low <= p <= i.high)
    assert covered >= 0.95


@pytest.mark.parametrize(("rises", "falls"), [(0, 0), (4, 0), (7, 2), (2, 7), (15, 15), (120, 80)])
def test_mcnemar_agrees_with_the_binomial_test(rises, falls):
    want = binomtest(rises, rises + falls, 0.5, "greater").pvalue if rises + falls else 1.0
    assert mcnemar(rises, falls) == pytest.approx(want, rel=1e-9)


def test_four_flips_of_two_hundred_are_no_proof():
    assert mcnemar(4, 0) * 2 == pytest.approx(0.125)


@pytest.fixture(scope="module")
def every_sample():
    """Every way that 30 families can (rise, fall, stay), with its interval."""
    counts = [(up, down, 30 - up - down) for up in range(31) for down in range(31 - up)]
    samples = [np.repeat([1.0, -1.0, 0.0], c) for c in counts]
    return np.array(counts), [paired_difference(s) for s in samples]


@pytest.mark.parametrize(
    ("up", "down"), [(0, 0), (0.02, 0.02), (0.12, 0.02), (0.02, 0.1), (0.25, 0.25), (0.5, 0.1), (0.9, 0)]
)
def test_paired_difference_covers_by_enumeration(up, down, every_sample):
    counts, ends = every_sample
    inside = [i.low - 1e-12 <= up - down <= i.high + 1e-12 for i in ends]
    assert multinomial.pmf(counts, 30, [up, down, 1 - up - down]) @ inside >= 0.95


def test_paired_difference_does_not_collapse_where_nothing_changed():
    interval = paired_difference(np.zeros(60))
    assert (interval.low, interval.high) == pytest.approx((-0.060, 0.060), abs=0.001)


def test_paired_difference_mirrors():
    d = np.array([1, 1, 0, 0, -1, 0, 0.5, 0])
    one, other = paired_difference(d), paired_difference(-d)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_paired_difference_of_nothing_says_nothing():
    interval = paired_difference([])
    assert (interval.low, interval.high) == (-1.0, 1.0)


def test_intervals_narrow_with_more_families():
    wide, narrow = paired_difference([1, 0, 0, 0] * 10), paired_difference([1, 0, 0, 0] * 40)
    assert narrow.high - narrow.low < 0.6 * (wide.high - wide.low)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_refuses_what_is_no_rate(k, n):
    with pytest.raises(DataError):
        wilson(k, n)
    with pytest.raises(DataError):
        clopper_pearson(k, n)


@pytest.mark.parametrize(("hits", "n", "rate"), [(0, 10, 0.05), (1, 30, 0.05), (4, 30, 0.03), (30, 30, 0.5)])
def test_the_chance_to_exceed_a_rate_is_the_binomial_tail(hits, n, rate):
    assert exceeds(hits, n, rate) == pytest.approx(binom.sf(hits - 1, n, rate))
