"""Rows of reserved, unused or unreachable tokens that are not as untrained rows are.

What it does: collects the rows that no training text should ever have reached: tokens named as unused or reserved, and rows
without a token. Beside a base it names those that changed, or that moved far more than the other rows of a finetune did. Without
a base it names those far from the centre of their kind that also have no neighbour, and those that stand out of the whole table.

Why it matters: a reserved token is the usual host of a soft prompt, since nobody misses it.

What to do: put back the base's rows, or ask the publisher what these tokens are for; drop their ids from users' text.

What an attacker can still do: use the row of a rare ordinary word; without a base, change a reserved row by less than its own
length, or make it a neighbour of words; in a finetune, by less than a tenth of it. Clean models train some reserved rows
(Gemma 3 has four), so the base's own value wins.
"""

from collections.abc import Iterator
from typing import Final, final

import numpy as np

from sekisho.checks._rows import naming, unjudged
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.rows import Alone, Beside, RowFacts, Rows
from sekisho.records import Finding, Outcome, Severity

_OFF: Final = 0.5
"""Cosine to the centre of the kind; in clean Gemma, 0.51 or more but for four rows."""
_LONELY: Final = 0.7
"""Nearest neighbour of a row off its centre; those four have 0.78 or more."""
_DISTANT: Final = 0.9
"""Ratio of the Mahalanobis distance; clean unused rows stay below 0.75."""
_NOISY: Final = 0.3
"""Median cosine to the centre below which a kind has no centre: its rows are fresh noise."""
_LEAST, _TIMES = 0.1, 5.0
"""In a finetune: smallest change of a reserved row that counts, and how many times the median row's."""

_NO_TOKENS: Final = Words(
    "no-tokens", "No file says which token each row stands for.", Severity.NOTE, Outcome.NOT_RUN
)
_SCATTERED: Final = Words(
    "scattered",
    "{where}: the rows point everywhere, as untrained ones do; reserved ones cannot be told by that.",
    Severity.NOTE,
    Outcome.NOT_RUN,
)
_CHANGED: Final = Words(
    "reserved-changed",
    "{where}: {count} rows of reserved or special tokens are not the base's (by up to {largest} of their norm): {which}.",
)
_MOVED: Final = Words(
    "reserved-moved",
    "{where}: {count} rows of reserved or special tokens moved far more (by up to {largest} of their norm) than the table did ({median}): {which}.",
)
_TRAINED: Final = Words(
    "reserved-trained",
    "{where}: {count} rows of reserved tokens are not as untrained rows are: {which}.",
)


@final
class ReservedRows(AbstractCheck):
    """No reserved token with a row of its own."""

    id = "reserved-rows"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each table, beside its base where there is one."""
        facts = case.rows
        yield from unjudged(self.id, facts)
        if facts and facts.tables and not facts.vocabulary.tokens:
            yield _NO_TOKENS.about(self.id, "")
        if facts is not None:
            for rows in facts.tables:
                yield from _judged(facts, rows)


def _judged(facts: RowFacts, rows: Rows) -> Iterator[Finding]:
    if rows.related is not None:
        yield from _compared(facts, rows, rows.related)
    elif rows.embedding is not None and rows.embedding.scattered:
        yield _SCATTERED.about(ReservedRows.id, rows.table.where)
    elif rows.embedding is not None:
        yield from _by_itself(facts, rows, rows.embedding)


def _compared(facts: RowFacts, rows: Rows, beside: Beside) -> Iterator[Finding]:
    shared = len(beside.relative)
    watched = [*facts.vocabulary.unused(shared), *(n for n in facts.vocabulary.special if n < shared)]
    sparse = beside.median <= beside.floor
    # a short finetune moves some rows and leaves most as they round to; its own reserved ones move by thousandths
    trained = facts.blocks == "changed"
    bound = max(beside.floor, _LEAST if trained else 0.0) if sparse else max(_LEAST, _TIMES * beside.median)
    moved = sorted((n for n in watched if beside.relative[n] > bound), key=lambda n: -beside.relative[n])
    if not moved:
        return
    named = (("count", str(len(moved))), ("largest", f"{beside.relative[moved[0]]:.3g}"))
    which = naming(facts, moved)
    if sparse:
        yield _CHANGED.about(ReservedRows.id, rows.table.where, *named, *which)
    else:
        median = ("median", f"{beside.median:.3g}")
        yield _MOVED.about(ReservedRows.id, rows.table.where, *named, median, *which)


def _by_itself(facts: RowFacts, rows: Rows, alone: Alone) -> Iterator[Finding]:
    ratio = np.nan_to_num(alone.ratio, nan=0.0)
    found = [n for n in _astray(alone) if alone.nearest.get(n, 1.0) < _LONELY]
    found += [n for n in facts.vocabulary.unused(rows.table.rows) if ratio[n] > _DISTANT]
    found = sorted(set(found), key=lambda n: -ratio[n])
    if found:
        count = ("count", str(len(found)))
        yield _TRAINED.about(ReservedRows.id, rows.table.where, count, *naming(facts, found))


def _astray(alone: Alone) -> list[int]:
    """Unused rows off the centre of their kind, where the kind has one."""
    cosines = np.array(list(alone.to_unused.values()))
    if not len(cosines) or float(np.median(cosines)) < _NOISY:
        return []
    return [n for n, cosine in alone.to_unused.items() if cosine < _OFF]
