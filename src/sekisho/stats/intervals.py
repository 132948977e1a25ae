"""Intervals and fixed-size tests, for people to read; verdicts rest on the e-processes instead.

Rates: Wilson, or Clopper-Pearson where the guarantee must be exact. Paired differences: MOVER, that is, the
Wilson intervals of the rate of rises and of the rate of falls, joined by square-and-add with their correlation.
It depends on the differences alone and does not collapse where nothing changed. Sample size fixed in advance.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincinv

from sekisho.errors import DataError


@dataclass(frozen=True)
class Interval:
    """An estimate with the two ends of its interval."""

    estimate: float
    low: float
    high: float


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Wilson score interval of a rate; `successes` may be fractional (a sum of family means)."""
    _check(successes, n)
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    rate = successes / n
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(rate, min(rate, max(0.0, centre - half)), max(rate, min(1.0, centre + half)))


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval of a rate: covers at least `level`, whatever the true rate."""
    _check(successes, n)
    tail = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return Interval(successes / n, low, high)


def paired_difference(differences: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of the mean of after - before, each in [-1, 1]; the whole range if there are none."""
    d = np.asarray(differences, dtype=np.float64)
    if not d.size:
        return Interval(0.0, -1.0, 1.0)
    up, down = np.maximum(d, 0.0), np.maximum(-d, 0.0)
    rises, falls = wilson(float(up.sum()), d.size, level), wilson(float(down.sum()), d.size, level)
    r = _correlation(up, down)
    mean = rises.estimate - falls.estimate
    low = mean - _join(rises.estimate - rises.low, falls.high - falls.estimate, r)
    high = mean + _join(rises.high - rises.estimate, falls.estimate - falls.low, r)
    return Interval(mean, max(-1.0, low), min(1.0, high))


def mcnemar(rises: int, falls: int) -> float:
    """Exact one-sided p-value that rises are no likelier than falls, for paired yes-or-no answers."""
    _check(rises, max(1, rises + falls))
    n = rises + falls
    return float(sum(math.comb(n, k) for k in range(rises, n + 1)) / 2**n)


def fisher(hits: int, n: int, others: int, m: int) -> float:
    """Exact one-sided p-value that `hits` of n come no likelier than `others` of m, for independent trials."""
    _check(hits, n)
    _check(others, m)
    both = hits + others
    ways = sum(math.comb(n, k) * math.comb(m, both - k) for k in range(hits, min(n, both) + 1))
    return ways / math.comb(n + m, both)


def exceeds(hits: int, n: int, rate: float) -> float:
    """Exact one-sided p-value that the mean rate is at most `rate`; rates of single trials may differ."""
    _check(hits, n)
    return float(betainc(hits, n - hits + 1, rate)) if hits else 1.0


def _join(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _check(successes: float, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise DataError(f"{successes} of {n} is no rate")
