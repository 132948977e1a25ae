"""A table against the base's: how much each row moved, and what rows beyond the base's hold."""

from typing import Final

import numpy as np

from sekisho.formats._numbers import Floats
from sekisho.formats.rows.facts import Beside, Digests
from sekisho.formats.rows.quants import FLOORS, rendered
from sekisho.formats.rows.tables import Table, blocks, gather

_EXACT: Final = 0.5
"""Share of rows that the rounded base must equal for its rounding to be known."""
_MEAN: Final = 0.999
"""Cosine to the mean row from which an added row is the mean, as a resize makes it."""
_NOISE: Final = (0.01, 0.03)
"""Standard deviation of freshly drawn rows; the usual setting is 0.02."""
_MOST_ADDED: Final = 4_096
_SEED: Final = 7


def multipliers(width: int) -> Digests:
    """Odd numbers, one for each element of a row."""
    made = np.random.default_rng(_SEED).integers(0, 2**63, size=width, dtype=np.uint64)
    return made * np.uint64(2) + np.uint64(1)


def digested(rows: Floats, factors: Digests) -> Digests:
    """One number for each row of float32; rows of equal values get the same."""
    plain = np.ascontiguousarray(rows, dtype=np.float32) + np.float32(0)  # minus zero becomes zero
    words = plain.view(np.uint64) if plain.shape[1] % 2 == 0 else plain.view(np.uint32).astype(np.uint64)
    made: Digests = (words * factors[: words.shape[1]]).sum(axis=1, dtype=np.uint64)
    return made ^ (made >> np.uint64(29))


def lengths(rows: Floats) -> Floats:
    """Euclidean norm of each row; not finite where a row holds what is no number."""
    with np.errstate(all="ignore"):
        made: Floats = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return made


def walk(mine: Table, theirs: Table | None) -> tuple[Floats, Digests, Beside | None]:
    """Norms and digests of a table's rows and, beside a base's table of equal width, how each row differs."""
    norms, digests = np.zeros(mine.rows), np.zeros(mine.rows, dtype=np.uint64)
    factors = multipliers(mine.width)
    shared = min(mine.rows, theirs.rows) if theirs else 0
    change, size = np.zeros(shared), np.zeros(shared)
    others = np.zeros(shared, dtype=np.uint64)
    base = blocks(theirs, shared) if theirs else iter(())
    for first, rows in blocks(mine):
        span = slice(first, first + len(rows))
        norms[span], digests[span] = lengths(rows), digested(rows, factors)
        beside = next(base, None)
        if beside is not None:
            expected = rendered(beside[1], mine.dtype)
            here = slice(first, first + len(expected))
            with np.errstate(all="ignore"):
                change[here] = lengths(rows[: len(expected)] - expected)
            size[here], others[here] = lengths(beside[1]), digested(expected, factors)
    if theirs is None:
        return norms, digests, None
    return norms, digests, _beside(mine, theirs, relative=_relative(change, size), digests=others)


def _relative(change: Floats, size: Floats) -> Floats:
    finite = size[np.isfinite(size) & (size > 0)]
    usual = float(np.median(finite)) if len(finite) else 1.0
    with np.errstate(all="ignore"):
        relative = change / np.where(size > 0, size, usual)
    return np.nan_to_num(relative, nan=np.inf, posinf=np.inf)


def _beside(mine: Table, theirs: Table, *, relative: Floats, digests: Digests) -> Beside:
    exact = len(relative) > 0 and float((relative == 0).mean()) >= _EXACT
    floor = 0.0 if exact else max(FLOORS[mine.dtype], FLOORS[theirs.dtype])
    return Beside(relative, floor, digests, theirs.rows, _added(mine, theirs))


def _added(mine: Table, theirs: Table) -> tuple[tuple[int, str], ...]:
    """Say what the rows beyond the base's are."""
    ids = list(range(theirs.rows, mine.rows))[:_MOST_ADDED]
    if not ids:
        return ()
    factors = multipliers(mine.width)
    total = np.zeros(mine.width)
    known: set[int] = set()
    for _, rows in blocks(mine, theirs.rows):
        total += np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0).sum(axis=0, dtype=np.float64)
        known.update(digested(rows, factors).tolist())
    rows = gather(mine, ids)
    mean = total / max(1.0, float(np.linalg.norm(total)))
    marks = digested(rows, factors).tolist()
    return tuple((n, _kind(row, mean, mark in known)) for n, row, mark in zip(ids, rows, marks, strict=True))


def _kind(row: Floats, mean: Floats, known: bool) -> str:
    norm = float(np.linalg.norm(row.astype(np.float64)))
    if norm == 0:
        return "zero"
    if known:
        return "copy"
    cosine = float(row @ mean) / norm
    if cosine > _MEAN:
        return "mean"
    low, high = (deviation * np.sqrt(len(row)) for deviation in _NOISE)
    return "noise" if low < norm < high and abs(cosine) < 4 / np.sqrt(len(row)) else "trained"
