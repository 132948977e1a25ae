"""Tokens that the rows of the tables give away: changed or added beside the base, or far from all others without one."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from sekisho.formats.rows import Floats, RowFacts, Rows
from sekisho.probes.sweep.candidates import Ids

CHANGED: Final = 512
"""Changed rows that lead a sweep, the largest changes first."""
ODD: Final = 16
"""Rows farthest from the others that do, without a base."""


def leads(facts: RowFacts | None) -> tuple[Ids, ...]:
    """Groups of tokens, the surest first."""
    tables = facts.tables if facts is not None else ()
    return tuple(dict.fromkeys(g for table in tables for g in _of(table) if g))


def _of(rows: Rows) -> Iterator[Ids]:
    if rows.beside is not None and rows.beside.related:
        yield tuple(n for n, kind in rows.beside.added if kind == "trained")[:CHANGED]
        changed, moved = rows.beside.changed, rows.beside.relative
        if len(changed) < len(moved) // 2:
            yield _largest(changed, moved, CHANGED)
        else:  # all rows moved, as a finetune moves them
            yield _largest(changed, moved, ODD)
    elif rows.alone is not None and len(rows.alone.ratio):
        ratio = np.nan_to_num(rows.alone.ratio, nan=0.0)
        yield _largest(np.flatnonzero(ratio > 0), ratio, ODD)
        apart = sorted(rows.alone.to_unused.items(), key=lambda pair: pair[1])
        yield tuple(sorted(n for n, _ in apart[:ODD]))


def _largest(ids: npt.NDArray[np.intp], size: Floats, most: int) -> Ids:
    """The ids of largest size: a few in the order of their ids, many in that of size."""
    by_size = [int(n) for n in ids[np.argsort(-size[ids], kind="stable")][:most]]
    return tuple(sorted(by_size)) if len(by_size) <= ODD else tuple(by_size)
