"""How far each row of a table stands from the crowd: Mahalanobis distance, nearest neighbour, centre of the unused rows.

Work is bounded: the covariance comes from a sample, a very large table is looked at in part, and neighbours are sought
for the most distant rows only.
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
_WORK: Final = 2.5e11
"""Multiplications spent on distances."""
_NEIGHBOURS: Final = 512
"""Rows whose neighbours are sought."""
_DISTANT: Final = 0.9
"""Ratio below which a row's neighbours do not matter."""
_OFF_CENTRE: Final = 0.5
"""Cosine to the centre of its kind below which an unused row's neighbours do matter."""
_TRIMMED: Final = 3.0
"""Times the median norm beyond which a row does not shape the covariance."""
_EXTREME: Final = 4_096


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


def _whitening(table: Table, norms: Floats) -> Whitening | None:
    """Mean, whitening matrix, and what a random direction of median norm measures; None if the rows do not vary."""
    usual = np.flatnonzero(np.isfinite(norms) & (norms > 0) & (norms <= _TRIMMED * _median(norms)))
    if len(usual) < _FEWEST:
        return None
    rows = gather(table, usual[:: max(1, len(usual) // _SAMPLE)][:_SAMPLE].tolist())
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
    mean, matrix, random = whitening
    ratio = np.full(table.rows, np.nan)
    chosen = _chosen(table, norms, watched) & np.isfinite(norms)
    for first, rows in blocks(table):
        inside = np.flatnonzero(chosen[first : first + len(rows)])
        with np.errstate(all="ignore"):
            white = (rows[inside] - mean) @ matrix.T
            ratio[first + inside] = np.einsum("ij,ij->i", white, white) / random
    return ratio


def _chosen(table: Table, norms: Floats, watched: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Every row, or as many as there is time for: those watched, the longest, and every so many-th."""
    affordable = int(_WORK // table.width**2)
    if table.rows <= affordable:
        return np.ones(table.rows, dtype=bool)
    chosen = np.zeros(table.rows, dtype=bool)
    chosen[:: -(-table.rows // affordable)] = True
    chosen[list(watched)] = True
    chosen[np.argsort(-np.nan_to_num(norms, nan=np.inf))[:_EXTREME]] = True
    return chosen


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
