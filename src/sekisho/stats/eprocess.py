"""Betting e-processes: evidence against "the mean is at most mu0" that may be looked at after every family.

Ten gamblers each stake a fixed share of their wealth on the mean being larger. Where the claim under test is
true, none of them can expect to gain, so their average wealth reaches 1/alpha with probability at most alpha,
whenever one looks and however one stops (Ville). All values are natural logarithms.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sekisho.errors import DataError

Array = NDArray[np.float64]

BETS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the wealth lost if the worst possible value comes; all below 1, so nobody is ever ruined."""

FORECAST_FAMILIES: Final = 5_000
"""A forecast beyond this many families is no forecast."""


def log_wealth(x: ArrayLike, mu0: float, lo: float = -1.0) -> Array:
    """Return the running log wealth of each gambler, shape (..., bets, n), against E[x_i | past] <= mu0, lo <= x <= 1."""
    values = np.asarray(x, dtype=np.float64)
    if not lo < mu0 < 1:
        raise DataError(f"the mean tested, {mu0}, must lie inside ({lo}, 1)")
    if not np.all((values >= lo) & (values <= 1)):
        raise DataError(f"values must lie in [{lo}, 1]")
    stakes = np.asarray(BETS)[:, None] / (mu0 - lo)
    return np.cumsum(np.log1p(stakes * (values[..., None, :] - mu0)), axis=-1)


def log_e(x: ArrayLike, mu0: float, lo: float = -1.0) -> Array:
    """Return the running log e-value after each x, shape (..., n): the log of the gamblers' mean wealth."""
    return log_mean(log_wealth(x, mu0, lo), axis=-2)


def log_mean(logs: ArrayLike, axis: int = 0) -> Array:
    """Log of the mean of exp(logs) along an axis; a mean of e-processes on one clock is an e-process."""
    values = np.asarray(logs, dtype=np.float64)
    top = values.max(axis=axis, keepdims=True)
    mean: Array = np.log(np.mean(np.exp(values - top), axis=axis)) + top.squeeze(axis)
    return mean


def peak(logs: ArrayLike) -> Array:
    """Largest value along the last axis: what Ville's inequality bounds."""
    return np.asarray(np.max(logs, axis=-1), dtype=np.float64)


def forecast(wealth: ArrayLike, threshold: float, cap: int = FORECAST_FAMILIES) -> int | None:
    """Families until the mean of all the walks in `wealth` (..., n) reaches `threshold` at the growth seen.

    At least n + 1; None where the growth seen never gets there, or only beyond `cap`.
    """
    walks = np.asarray(wealth, dtype=np.float64)
    seen = walks.shape[-1]
    growth = walks[..., -1].reshape(-1) / seen
    ahead = np.arange(seen + 1, cap + 1)
    if not ahead.size:
        return None
    reached = log_mean(growth[None, :] * ahead[:, None], axis=1) >= threshold
    return int(ahead[int(np.argmax(reached))]) if reached.any() else None
