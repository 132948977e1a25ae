"""Rows of the embedding that stand far from all others.

What it does: without a base, measures of every row of the embedding how long it is, how far from the crowd it lies (Mahalanobis
distance, compared with that of a random direction of the usual length) and, for the most distant, how close its nearest
neighbour is, before and after what all rows share is taken away. It reports rows that no clean table we measured comes near,
and rows that hold what is no number. Beside a base it has nothing to add: there every row is compared with the base's own.

Why it matters: a soft prompt written into the vocabulary without restraint is many times longer than a word's row, or points
where no word does.

What to do: name the base this model was made from, so that rows can be compared; probe the model with the tokens named.

What an attacker can still do: keep the edit below the size of the row itself, scale the row back to its old length, or build it
from rows of real words; all of these mostly stay unseen here and show beside a base. Fill so much of the table with noise that
it passes for untrained: then no neighbours are sought, and the check says so. A token trained for defence looks the same, so this is never more than a reason to hold.
The bounds come from two clean models with tied tables (SmolLM2 135M and Gemma 3 270M); untied output heads and per-layer tables
are compared with a base's, not judged by themselves.
"""

import math
from collections.abc import Iterator
from typing import Final, final

import numpy as np

from sekisho.checks._rows import naming, unseen
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.rows import Alone, RowFacts, Rows
from sekisho.records import Finding, Outcome, Severity

_FAR: Final = 2.7
"""Ratio no clean row reached: 1.8 in SmolLM2, 2.3 in Gemma."""
_CHANCE: Final = 8.0
"""Standard deviations above a random direction's distance, which is chi-squared over its width."""
_DISTANT: Final = 1.0
_LONELY: Final = 0.5
"""Of clean rows with a ratio above 1, the nearest neighbour is at a cosine of 0.51 or more."""
_APART: Final = 1.3
"""Ratio from which a row that shares nothing with any other is reported; rows trained here had 1.9 to 2.2."""
_WHITE: Final = 0.5
"""Nearest neighbour after whitening: 0.56 or more in clean rows above that ratio, 0.23 to 0.31 in rows trained here."""
_LONG: Final = 10.0
"""Robust z of the norm; 7.7 in clean SmolLM2."""
_SIGMA_FLOOR: Final = 0.01
"""Share of the median norm; tables with rows of one length have a spread of rounding noise only."""

_NOT_READ: Final = Words(
    "not-read", "{where}: the rows were not read: {problem}.", outcome=Outcome.CANNOT_TELL
)
_NOT_JUDGED: Final = Words(
    "not-judged",
    "{where}: without a base, only the embedding is judged, not this table.",
    Severity.NOTE,
    Outcome.NOT_RUN,
)
_NO_NUMBERS: Final = Words("not-numbers", "{where}: {count} rows hold what is no number: {which}.")
_FLAT: Final = Words("flat", "{where}: the rows do not vary as those of a trained table do.")
_SMALL: Final = Words(
    "too-few-rows", "{where}: too few rows to tell which stands out.", Severity.NOTE, Outcome.NOT_RUN
)
_WIDE: Final = Words(
    "too-wide", "{where}: the rows are too long to compare their directions.", Severity.NOTE, Outcome.NOT_RUN
)
_SKIPPED: Final = {"flat": _FLAT, "too-few-rows": _SMALL, "too-wide": _WIDE}
_SCATTERED: Final = Words(
    "scattered",
    "{where}: the rows point everywhere, as untrained ones do; only their distance and length were judged.",
    Severity.NOTE,
    Outcome.NOT_RUN,
)
_STAND_OUT: Final = Words(
    "rows-stand-out",
    "{where}: {count} rows stand far from all others ({far} by distance, {lonely} without a neighbour, {long} by length): {which}.",
)
_CROWDED: Final = Words(
    "too-many-distant",
    "{where}: {count} distant rows, more than were looked at one by one.",
    outcome=Outcome.CANNOT_TELL,
)


@final
class RowOutliers(AbstractCheck):
    """No row that stands far from all others."""

    id = "row-outliers"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge the embedding where no related base stands beside it."""
        facts = case.rows
        yield from unseen(self.id, case)
        if facts is not None:
            for rows in facts.tables:
                yield from _judged(facts, rows)


def _judged(facts: RowFacts, rows: Rows) -> Iterator[Finding]:
    where = rows.table.where
    if rows.problem:
        yield _NOT_READ.about(RowOutliers.id, where, ("problem", rows.problem))
        return
    broken = rows.broken.tolist()
    if broken:
        named = (("count", str(len(broken))), ("which", facts.vocabulary.listed(broken)))
        yield _NO_NUMBERS.about(RowOutliers.id, where, *named)
    if rows.alone is None:  # the base's rows are compared one by one elsewhere
        return
    if rows.table.kind != "embedding":
        yield _NOT_JUDGED.about(RowOutliers.id, where)
    elif rows.alone.skipped:
        yield _SKIPPED[rows.alone.skipped].about(RowOutliers.id, where)
    else:
        yield from _outliers(facts, rows, rows.alone)


def _outliers(facts: RowFacts, rows: Rows, alone: Alone) -> Iterator[Finding]:
    ratio = np.where(np.isfinite(rows.norms), np.nan_to_num(alone.ratio, nan=0.0), 0.0)
    if alone.scattered:
        yield _SCATTERED.about(RowOutliers.id, rows.table.where)
    far = set(np.flatnonzero(ratio > _bound(rows.table.width)).tolist())
    distant = [] if alone.scattered else np.flatnonzero(ratio > _DISTANT).tolist()
    lonely = {n for n in distant if alone.nearest.get(n, 1.0) < _LONELY}
    lonely |= {n for n in distant if ratio[n] > _APART and alone.whitened.get(n, 1.0) < _WHITE}
    long = set(_long(rows))
    unseen = len(set(distant) - alone.nearest.keys() - far)
    if unseen:
        yield _CROWDED.about(RowOutliers.id, rows.table.where, ("count", str(len(distant))))
    every = sorted(far | lonely | long, key=lambda n: -ratio[n])
    if every:
        kinds = (("far", str(len(far))), ("lonely", str(len(lonely))), ("long", str(len(long))))
        named = (("count", str(len(every))), *kinds, *naming(facts, every))
        yield _STAND_OUT.about(RowOutliers.id, rows.table.where, *named)


def _bound(width: int) -> float:
    """Ratio no row reaches by chance: in narrow tables, distances of random directions spread further."""
    return max(_FAR, 1 + _CHANCE * math.sqrt(2 / width))


def _long(rows: Rows) -> list[int]:
    """Rows whose norm is far above the usual."""
    finite = rows.norms[np.isfinite(rows.norms)]
    middle = float(np.median(finite)) if len(finite) else 0.0
    spread = max(
        1.4826 * float(np.median(np.abs(finite - middle))) if len(finite) else 0.0, _SIGMA_FLOOR * middle
    )
    if spread <= 0:
        return []
    return np.flatnonzero(np.nan_to_num(rows.norms, nan=0.0, posinf=0.0) > middle + _LONG * spread).tolist()
