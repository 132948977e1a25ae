"""The e-process is exact: checked by enumeration and against a product written out by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.errors import DataError
from sekisho.stats.eprocess import BETS, forecast, log_e, log_mean, log_wealth, peak

VALUES = (-1.0, 0.0, 1.0)
PATHS = np.array(list(product(VALUES, repeat=6)))


def chances(p):
    """Probability of each path of six independent draws from VALUES."""
    return np.prod(np.array(p)[(PATHS + 1).astype(int)], axis=1)


def with_mean(mean, churn):
    up = (churn + mean) / 2
    return (churn - up, 1 - churn, up)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-0.9, 0.9))
def test_equals_the_brute_force_product(xs, mu0):
    wealths = []
    for bet in BETS:
        wealth = 1.0
        for x in xs:
            wealth *= 1 + bet / (mu0 + 1) * (x - mu0)
        wealths.append(wealth)
    assert np.exp(log_e(xs, mu0)[-1]) == pytest.approx(sum(wealths) / len(BETS), rel=1e-9)


@pytest.mark.parametrize("mean", [0.0, 0.05, 0.15, -0.1])
@pytest.mark.parametrize("churn", [0.2, 0.6, 1.0])
def test_is_a_martingale_at_the_boundary(mean, churn):
    e = np.exp(log_e(PATHS, mean))
    expected = chances(with_mean(mean, churn)) @ e
    assert expected == pytest.approx(np.ones(6), abs=1e-12)


@pytest.mark.parametrize("mean", [-0.2, 0.0, 0.04])
def test_expects_to_lose_below_the_boundary(mean):
    expected = chances(with_mean(mean, 0.5)) @ np.exp(log_e(PATHS, 0.05))
    assert np.all(np.diff(expected) < 0)
    assert expected[0] < 1


def test_stays_a_martingale_when_the_past_decides_the_next_draw():
    """Only the conditional mean matters: here the churn jumps after every rise."""
    mu0, weight = 0.05, np.ones(len(PATHS))
    for i in range(6):
        wild = PATHS[:, i - 1] > 0 if i else np.zeros(len(PATHS), bool)
        table = np.where(wild[:, None], with_mean(mu0, 0.9), with_mean(mu0, 0.1))
        weight *= np.take_along_axis(table, (PATHS[:, [i]] + 1).astype(int), axis=1)[:, 0]
    assert weight.sum() == pytest.approx(1)
    assert weight @ np.exp(log_e(PATHS, mu0)) == pytest.approx(np.ones(6), abs=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 0.3, 0.2])
@pytest.mark.parametrize("churn", [0.3, 0.7, 1.0])
def test_ville_holds_exactly_on_short_paths(alpha, churn):
    crossed = peak(log_e(PATHS, 0.1)) >= -np.log(alpha)
    assert 0 < chances(with_mean(0.1, churn)) @ crossed <= alpha


def test_a_mean_over_checkpoints_is_a_martingale_however_they_depend():
    """Two checkpoints of one run: the second copies the first, then turns away from it."""
    other = np.concatenate([PATHS[:, :3], -PATHS[:, 3:]], axis=1)
    both = log_mean(np.stack([log_e(PATHS, 0.0), log_e(other, 0.0)]))
    assert chances(with_mean(0.0, 0.4)) @ np.exp(both) == pytest.approx(np.ones(6), abs=1e-12)


def test_the_best_of_several_checkpoints_is_none():
    """Why checkpoints are averaged: their maximum exceeds expectation 1."""
    other = -PATHS
    best = np.maximum(log_e(PATHS, 0.0), log_e(other, 0.0))
    assert (chances(with_mean(0.0, 0.4)) @ np.exp(best))[-1] > 1.1


def test_order_changes_the_path_but_not_the_end():
    xs = np.array([1, 0, -1, 0, 1, 1, 0, 0.5])
    shuffled = xs[[3, 1, 7, 0, 5, 2, 4, 6]]
    assert log_e(xs, 0.05)[-1] == pytest.approx(log_e(shuffled, 0.05)[-1], abs=1e-12)
    assert peak(log_e(xs, 0.05)) != pytest.approx(peak(log_e(shuffled, 0.05)))


def test_value_after_n_depends_on_nothing_later():
    xs = np.array([0, 1, 0, 1, 1.0])
    assert log_e(xs, 0.05)[:3] == pytest.approx(log_e([0, 1, 0, -1, -1], 0.05)[:3])


def test_rows_are_independent_walks():
    xs = np.array([[0, 1, 1], [0, 0, -1.0]])
    assert log_e(xs, 0.05) == pytest.approx(np.stack([log_e(x, 0.05) for x in xs]))
    assert log_wealth(xs, 0.05).shape == (2, len(BETS), 3)


def test_nobody_is_ruined_by_the_worst_value():
    assert np.isfinite(log_e(-np.ones(500), 0.05)).all()
    assert np.isfinite(log_e(np.zeros(500), 0.01, lo=0.0)).all()


def test_knowing_that_nothing_can_fall_sees_more():
    """Rates as released cannot be negative, so a bet may be larger."""
    xs = np.zeros(60)
    xs[5::10] = 1
    assert peak(log_e(xs, 0.01, lo=0.0)) > peak(log_e(xs, 0.01)) + 1


@pytest.mark.parametrize("xs", [[-1.01], [1.01], [float("nan")]])
def test_refuses_values_out_of_range(xs):
    with pytest.raises(DataError):
        log_e(xs, 0.05)


@pytest.mark.parametrize("mu0", [-1.0, 1.0, float("nan")])
def test_refuses_means_that_cannot_be_bet_on(mu0):
    with pytest.raises(DataError):
        log_e([0.0], mu0)


def test_forecast_is_the_first_family_at_which_repetition_gets_there():
    xs = np.tile([0, 0, 0, 1.0], 5)
    need = forecast(log_wealth(xs, 0.05), threshold=np.log(1000))
    longer = log_e(np.tile([0, 0, 0, 1.0], 50), 0.05)
    actual = int(np.argmax(longer >= np.log(1000))) + 1
    assert need is not None
    assert abs(need - actual) <= 4  # one period: the repetition comes in steps, the forecast is smooth


def test_forecast_sees_no_end_where_nothing_grows():
    assert forecast(log_wealth(np.zeros(30), 0.05), np.log(20)) is None
    assert forecast(log_wealth([1.0, 1.0], 0.05), np.log(20), cap=2) is None
