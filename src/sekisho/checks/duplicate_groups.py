"""Rows of one token that are another's, and untrained rows that no longer equal their like.

What it does: finds rows of a token table that hold exactly the same numbers. Beside a base it names changed rows that became
a copy of another token's row, and rows that left a group of equal rows whose other members stayed together. Without a base it
names small groups of equal rows that lie among trained rows; untrained rows, which are often equal, lie near the mean.

Why it matters: giving a token another token's row makes a filter, a refusal or a stop token read as something else, without any
training. Untrained rows are often equal to the last digit: one that left was written to.

What to do: put back the base's rows; ask what the token is for.

What an attacker can still do: add a little noise, so that nothing is equal; without a base, leave a group, which then nobody
knows to have been larger.
"""

from collections.abc import Iterator
from typing import Final, final

import numpy as np

from sekisho.checks._rows import naming, unjudged
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.rows import Alone, Beside, Digests, Floats, RowFacts, Rows
from sekisho.records import Finding, Severity

_SMALL: Final = 8
"""Rows of a group up to which it may be a copy rather than padding."""
_TRAINED: Final = 25.0
"""Percentile of the distances above which a row is not an untrained one; clean groups lie at the very bottom."""
_TOGETHER: Final = 2
"""Members of a group that must still be equal for another to have left them, if all of them moved."""

_COPIED: Final = Words(
    "row-copied",
    "{where}: {count} changed rows hold exactly another token's row: {which}.",
    Severity.REJECT,
)
_LEFT: Final = Words(
    "left-its-group",
    "{where}: {count} rows no longer equal the untrained rows that they equal in the base: {which}.",
)
_EQUAL: Final = Words(
    "equal-rows", "{where}: {count} tokens share a row with another although the row is trained: {which}."
)


@final
class DuplicateGroups(AbstractCheck):
    """No token with another token's row."""

    id = "duplicate-groups"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each table, beside its base where there is one."""
        facts = case.rows
        yield from unjudged(self.id, facts)
        if facts is not None:
            for rows in facts.tables:
                yield from _judged(facts, rows)


def _judged(facts: RowFacts, rows: Rows) -> Iterator[Finding]:
    if rows.related is not None:
        yield from _compared(facts, rows, rows.related)
    elif rows.embedding is not None:
        yield from _by_itself(facts, rows, rows.embedding)


def _compared(facts: RowFacts, rows: Rows, beside: Beside) -> Iterator[Finding]:
    where, mine = rows.table.where, rows.digests[: len(beside.digests)]
    copied = _copied(mine, rows.norms, beside)
    if copied:
        count = ("count", str(len(copied)))
        yield _COPIED.about(DuplicateGroups.id, where, count, *naming(facts, copied))
    left = _left(mine, beside)
    if left:
        count = ("count", str(len(left)))
        yield _LEFT.about(DuplicateGroups.id, where, count, *naming(facts, left))


def _copied(mine: Digests, norms: Floats, beside: Beside) -> list[int]:
    """Changed rows equal to a row that they did not equal in the base; empty rows are no copies."""
    groups = _groups(mine)
    changed = set(beside.changed.tolist())
    return sorted(
        n
        for group in groups
        for n in group
        if n in changed and norms[n] > 0 and len({int(beside.digests[m]) for m in group}) > 1
    )


def _left(mine: Digests, beside: Beside) -> list[int]:
    """Members that no longer equal the group, where part of it stayed as it was or at least stayed together."""
    found: list[int] = []
    for group in _groups(beside.digests):
        values, counts = np.unique(mine[group], return_counts=True)
        if len(values) == 1:
            continue
        kept = [n for n in group if mine[n] == beside.digests[n]]
        together = counts.max() >= max(_TOGETHER, len(group) // 2)
        if kept or together:
            own = mine[kept[0]] if kept else values[counts.argmax()]
            found += [n for n in group if mine[n] != own]
    return sorted(found)


def _groups(digests: Digests) -> list[list[int]]:
    """Groups of equal rows, each in order."""
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    wanted = np.flatnonzero(ends - starts > 1)
    return [order[starts[n] : ends[n]].tolist() for n in wanted]


def _by_itself(facts: RowFacts, rows: Rows, alone: Alone) -> Iterator[Finding]:
    ratio = np.nan_to_num(alone.ratio, nan=0.0)
    bound = float(np.nanpercentile(alone.ratio, _TRAINED))
    equal = [
        n
        for group in _groups(rows.digests)
        if len(group) <= _SMALL and rows.norms[group[0]] > 0 and ratio[group[0]] > bound
        for n in group
    ]
    if equal:
        count = ("count", str(len(equal)))
        yield _EQUAL.about(DuplicateGroups.id, rows.table.where, count, *naming(facts, equal))
