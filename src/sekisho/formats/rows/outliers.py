"""How far each row of a table stands from the crowd: Mahalanobis distance, nearest neighbour, centre of the unused rows.

Work is bounded: the covariance comes from a sample; in a large table distances are estimated from random projections first and
taken exactly for the most distant rows, and neighbours are sought for those only.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sekisho.formats._numbers import Floats
from sekisho.formats.rows.facts import Alone
from sekisho.formats.rows.tables import Table, blocks, gather
from sekisho.formats.rows.vocabulary import Vocabulary

_SAMPLE: Final = 16_384
_WIDEST: Final = 4_096
_FEWEST: Final = 1_000
_SHRINK: Final = 0.01
"""Share of the mean variance that is added to every direction."""
_COVARIANCE: Final = 3.5e10
"""Multiplications spent on the covariance, unless that left fewer than four rows for each dimension."""
_EXACT: Final = 2e10
"""Multiplications up to which every distance is taken exactly; SmolLM2 and whatever is smaller."""
_SKETCH: Final = 128
"""Random projections that estimate a squared distance, to 13 % of it (one standard deviation)."""
_SKETCH_SEED: Final = 11
_TOGETHER: Final = 1_024
"""Single rows held at once."""
_NEIGHBOURS: Final = 512
"""Rows whose neighbours are sought."""
_DISTANT: Final = 0.9
"""Ratio below which a row's neighbours do not matter."""
_SCATTERED: Final = 0.2
"""Share of such rows; half of them in tables drawn at random, 1 in 1,000 in SmolLM2 and Gemma."""
_OFF_CENTRE: Final = 0.5
"""Cosine to the centre of its kind below which an unused row's neighbours do matter."""
_TRIMMED: Final = 3.0
"""Times the median norm beyond which a row does not shape the covariance."""
_EXTREME: Final = 2_048
"""Rows of the largest estimates whose distances are then taken exactly."""


Whitening = tuple[Floats, Floats, float]
"""Mean, matrix, and the squared distance of a random direction of the median norm."""


def look(table: Table, norms: Floats, vocabulary: Vocabulary) -> Alone:
    """Measure a table by itself."""
    if table.rows < max(_FEWEST, 2 * table.width):
        return Alone(np.zeros(0), {}, {}, skipped="too-few-rows")
    if table.width > _WIDEST:
        return Alone(np.zeros(0), {}, {}, skipped="too-wide")
    whitening = _whitening(table, norms)
    if whitening is None:
        return Alone(np.zeros(0), {}, {}, skipped="flat")
    unused = [n for n in vocabulary.unused(table.rows) if np.isfinite(norms[n])]
    ratio = _ratios(table, norms, whitening, watched=unused)
    to_centre = _to_centre(table, unused, vocabulary)
    if scattered(ratio):
        return Alone(ratio, {}, to_centre, scattered=True)
    astray = [n for n, c in sorted(to_centre.items(), key=lambda item: item[1]) if c < _OFF_CENTRE]
    ids = _distant(ratio, unused, astray)
    rows = gather(table, ids)
    plain = _nearest(table, norms, ids, aims=rows)
    mean, matrix, random = whitening
    # Two whitened rows are compared as one row put through the matrix twice with the other put through it not at all.
    with np.errstate(all="ignore"):
        aims = ((rows - mean) @ matrix.T) @ matrix
    whitened = _nearest(table, np.sqrt(ratio * random), ids, aims=aims, mean=mean)
    return Alone(ratio, plain, to_centre, whitened)


def scattered(ratio: Floats) -> bool:
    """Say whether so many rows lie as far out as random directions do that there is no crowd to stand out from."""
    known = ratio[np.isfinite(ratio)]
    return len(known) > 0 and float((known > 1).mean()) >= _SCATTERED


def _whitening(table: Table, norms: Floats) -> Whitening | None:
    """Mean, whitening matrix, and what a random direction of median norm measures; None if the rows do not vary."""
    usual = np.flatnonzero(np.isfinite(norms) & (norms > 0) & (norms <= _TRIMMED * _median(norms)))
    if len(usual) < _FEWEST:
        return None
    sample = min(_SAMPLE, max(4 * table.width, int(_COVARIANCE // table.width**2)))
    rows = gather(table, usual[:: max(1, len(usual) // sample)][:sample].tolist())
    mean = rows.mean(axis=0)
    rows -= mean
    covariance = rows.T @ rows / len(rows)
    scale = float(np.trace(covariance)) / table.width
    if not np.isfinite(scale) or scale <= 0:
        return None
    covariance += _SHRINK * scale * np.eye(table.width, dtype=np.float32)
    try:
        matrix = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)
    except np.linalg.LinAlgError:
        return None
    usual_distance = _median(norms) ** 2 * float((matrix.astype(np.float64) ** 2).sum()) / table.width
    return mean, matrix, usual_distance


def _median(norms: Floats) -> float:
    finite = norms[np.isfinite(norms) & (norms > 0)]
    return float(np.median(finite)) if len(finite) else 0.0


def _ratios(table: Table, norms: Floats, whitening: Whitening, *, watched: Sequence[int]) -> Floats:
    """Squared distances over the usual one: of a large table estimates, but for those watched and the largest."""
    mean, matrix, random = whitening
    finite = np.isfinite(norms)
    if table.rows * table.width**2 <= _EXACT:
        return _projected(table, finite, mean, matrix=matrix) / random
    draws = np.random.default_rng(_SKETCH_SEED).standard_normal((_SKETCH, table.width), dtype=np.float32)
    sketch = draws @ matrix / np.float32(np.sqrt(_SKETCH))
    ratio = _projected(table, finite, mean, matrix=sketch) / random
    largest = np.argsort(-np.nan_to_num(ratio, nan=0.0))[:_EXTREME].tolist()
    ids = sorted({*largest, *watched[:_EXTREME]} & set(np.flatnonzero(finite).tolist()))
    for first in range(0, len(ids), _TOGETHER):
        some = ids[first : first + _TOGETHER]
        with np.errstate(all="ignore"):
            white = (gather(table, some) - mean) @ matrix.T
            ratio[some] = np.einsum("ij,ij->i", white, white) / random
    return ratio


def _projected(table: Table, finite: npt.NDArray[np.bool_], mean: Floats, *, matrix: Floats) -> Floats:
    """Squared length of each finite row, less the mean, put through a matrix."""
    lengths = np.full(table.rows, np.nan)
    for first, rows in blocks(table):
        inside = np.flatnonzero(finite[first : first + len(rows)])
        with np.errstate(all="ignore"):
            white = (rows[inside] - mean) @ matrix.T
            lengths[first + inside] = np.einsum("ij,ij->i", white, white)
    return lengths


def _distant(ratio: Floats, watched: Sequence[int], astray: Sequence[int]) -> list[int]:
    """Rows whose neighbours are worth seeking: unused ones, off their centre first, then the most distant."""
    known = np.nan_to_num(ratio, nan=0.0)
    own = sorted((n for n in watched if known[n] > _DISTANT), key=lambda n: -known[n])
    others = [int(n) for n in np.argsort(-known)[:_NEIGHBOURS] if known[n] > _DISTANT]
    share = _NEIGHBOURS // 4
    return list(dict.fromkeys([*astray[:share], *own[:share], *others]))[:_NEIGHBOURS]


def _nearest(
    table: Table, lengths: Floats, ids: Sequence[int], *, aims: Floats, mean: Floats | None = None
) -> dict[int, float]:
    """Largest cosine of each row to any other, where `aims` times a row (less the mean) is their inner product."""
    at = np.asarray(ids, dtype=np.intp)
    best = np.full(len(ids), -1.0)
    for first, rows in blocks(table) if len(ids) else ():
        with np.errstate(all="ignore"):
            inner = aims @ (rows if mean is None else rows - mean).T
            cosines = inner / lengths[first : first + len(rows)] / lengths[at][:, None]
        inside = np.flatnonzero((at >= first) & (at < first + len(rows)))
        cosines[inside, at[inside] - first] = -1.0
        best = np.fmax(best, np.nan_to_num(cosines, nan=-1.0, posinf=-1.0, neginf=-1.0).max(axis=1))
    return {int(n): float(c) for n, c in zip(ids, best, strict=True)}


def _to_centre(table: Table, unused: Sequence[int], vocabulary: Vocabulary) -> dict[int, float]:
    """Cosine of unused rows to the median of their kind: rows with a reserved name, rows without a token."""
    named = [n for n in unused if n < len(vocabulary.tokens) and vocabulary.tokens[n] is not None]
    found: dict[int, float] = {}
    for kind in (named, sorted(set(unused) - set(named))):
        rows = gather(table, kind[:_SAMPLE])
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        units = rows / np.where(lengths > 0, lengths, 1)
        centre = np.median(units, axis=0) if len(kind) else np.zeros(table.width)
        size = float(np.linalg.norm(centre))
        if size > 0:
            found |= {n: float(c) for n, c in zip(kind, units @ (centre / size), strict=False)}
    return found
