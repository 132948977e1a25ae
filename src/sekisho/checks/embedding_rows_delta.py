"""Single rows of the token tables that are not the base's.

What it does: holds every row of the embedding, of the output head and of per-layer token tables against the base's row, after
rounding the base to the candidate's own number type where that is possible, and names the tokens whose rows changed. It tells a
few changed rows in an otherwise equal model from a finetune that moved all of them a little, and there names the rows that moved
far more than the others. Rows beyond the base's are told apart: empty, a copy, the mean, fresh noise, or trained.

Why it matters: a soft prompt can be written into the rows of a few rare tokens. Everything else stays the base's byte for byte,
answers stay the same, and whoever types those tokens gets the planted behaviour: a backdoor, a jailbreak, a leak of the prompt.

What to do: put the base's rows back, or ask the publisher what these tokens were trained for, then probe the model with each of them.

What an attacker can still do: spread the edit over a finetune that moves every row about as far; hide the rows that act among
hundreds that do nothing, which shows but says less; turn the whole model into other coordinates, so that no row is comparable
(this check does not undo such a rotation, it says that it cannot tell).
"""

from collections.abc import Iterator
from typing import Final, final

import numpy as np

from sekisho.checks._rows import naming, unseen
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.rows import Beside, RowFacts, Rows
from sekisho.records import Finding, Outcome, Severity

_MANY: Final = 64
"""Changed rows beyond which most of them are likely decoys, or the drift of a finetune."""
_DRIFT: Final = 10.0
"""Times the median change of the changed rows from which one stands out of a finetune."""
_LEAST: Final = 0.1
"""Change below which none does."""
_NOT_READ: Final = Words(
    "not-read",
    "{where}: the rows were not compared with the base's: {problem}.",
    outcome=Outcome.CANNOT_TELL,
)
_NO_COUNTERPART: Final = Words(
    "no-counterpart", "{where}: the base has no such table to compare with.", outcome=Outcome.CANNOT_TELL
)
_UNRELATED: Final = Words(
    "unrelated",
    "{where}: the rows are not those of the base (the median row changed by {median} of its norm): another base, or other coordinates.",
    outcome=Outcome.CANNOT_TELL,
)
_PLANTED: Final = Words(
    "rows-planted",
    "{where}: {changed} of {rows} rows are not the base's, by up to {largest} of their norm, and all else is: {which}.",
    Severity.REJECT,
)
_AMONG_DECOYS: Final = Words(
    "rows-among-decoys",
    "{where}: {changed} of {rows} rows are not the base's while all else is; most may be decoys. The largest changes (up to {largest} of the norm): {which}.",
    Severity.REJECT,
)
_BESIDE: Final = Words(
    "rows-beside-changes",
    "{where}: {changed} of {rows} rows are not the base's, by up to {largest} of their norm, the other rows are; other tensors changed, too, or were not compared: {which}.",
)
_STAND_OUT: Final = Words(
    "rows-stand-out",
    "{where}: {changed} rows changed far more than the others (by up to {largest} of their norm, the median by {median}): {which}.",
)
_ONLY_TABLE: Final = Words(
    "only-the-table-moved",
    "{where}: most rows changed (the median by {median} of its norm) while every tensor outside the token tables is the base's.",
)
_ADDED: Final = Words(
    "rows-added-trained",
    "{where}: {count} rows beyond the base's {rows} are neither empty, nor copies, nor the mean, nor fresh noise, and all else is the base's: {which}.",
    Severity.REJECT,
)
_ADDED_BESIDE: Final = Words(
    "rows-added-beside-changes",
    "{where}: {count} rows beyond the base's {rows} are trained ones; other tensors changed, too, as in a finetune with new tokens, or were not compared: {which}.",
)
_INERT: Final = Words(
    "rows-added-inert",
    "{where}: {count} rows beyond the base's are untrained ({kinds}).",
    Severity.NOTE,
    Outcome.PASS,
)
_MISSING: Final = Words("rows-missing", "{where}: {count} rows of the base's {rows} are missing.")


@final
class EmbeddingRowsDelta(AbstractCheck):
    """No row of a token table that the base does not have."""

    id = "embedding-rows-delta"
    needs_base = True

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each table; one equal to the base's has nothing to say."""
        facts = case.rows
        yield from unseen(self.id, case)
        if facts is not None:
            for rows in facts.tables:
                yield from _judged(facts, rows)


def _judged(facts: RowFacts, rows: Rows) -> Iterator[Finding]:
    where = rows.table.where
    if rows.problem:
        yield _NOT_READ.about(EmbeddingRowsDelta.id, where, ("problem", rows.problem))
    elif rows.same:
        return
    elif rows.beside is None:
        yield _NO_COUNTERPART.about(EmbeddingRowsDelta.id, where)
    elif not rows.beside.related:
        yield _UNRELATED.about(EmbeddingRowsDelta.id, where, ("median", f"{rows.beside.median:.3g}"))
    else:
        yield from _moved(facts, rows, rows.beside)
        yield from _resized(facts, rows, rows.beside)


def _moved(facts: RowFacts, rows: Rows, beside: Beside) -> Iterator[Finding]:
    """Few rows in a table that is otherwise the base's, or a table that moved as a whole."""
    where, changed = rows.table.where, beside.changed
    if not len(changed):
        return
    sparse = beside.median <= beside.floor
    if sparse and _all_else(facts, beside):
        words = _PLANTED if len(changed) <= _MANY else _AMONG_DECOYS
        yield words.about(EmbeddingRowsDelta.id, where, *_named(facts, beside, changed.tolist()))
    elif sparse and len(changed) <= _MANY:
        yield _BESIDE.about(EmbeddingRowsDelta.id, where, *_named(facts, beside, changed.tolist()))
    else:
        typical = float(np.median(beside.relative[changed]))
        bound = max(_LEAST, _DRIFT * typical, beside.floor)
        far = np.flatnonzero(beside.relative > bound).tolist()
        if far:
            median = ("median", f"{typical:.3g}")
            yield _STAND_OUT.about(EmbeddingRowsDelta.id, where, *_named(facts, beside, far), median)
        if facts.blocks == "same":
            yield _ONLY_TABLE.about(EmbeddingRowsDelta.id, where, ("median", f"{beside.median:.3g}"))


def _all_else(facts: RowFacts, beside: Beside) -> bool:
    """Every tensor outside the tables is the base's."""
    return facts.blocks == "same" or (facts.blocks == "unknown" and beside.floor == 0)


def _named(facts: RowFacts, beside: Beside, ids: list[int]) -> tuple[tuple[str, str], ...]:
    """Facts of changed rows, the largest changes first."""
    ordered = sorted(ids, key=lambda n: -beside.relative[n])
    return (
        ("changed", str(len(ids))),
        ("rows", str(len(beside.relative))),
        ("largest", f"{beside.relative[ordered[0]]:.3g}"),
        *naming(facts, ordered),
    )


def _resized(facts: RowFacts, rows: Rows, beside: Beside) -> Iterator[Finding]:
    where, missing = rows.table.where, beside.base_rows - rows.table.rows
    trained = [n for n, kind in beside.added if kind == "trained"]
    if trained:
        named = (("count", str(len(trained))), ("rows", str(beside.base_rows)), *naming(facts, trained))
        words = _ADDED if _all_else(facts, beside) else _ADDED_BESIDE
        yield words.about(EmbeddingRowsDelta.id, where, *named)
    elif beside.added:
        kinds = ", ".join(sorted({kind for _, kind in beside.added}))
        count = str(rows.table.rows - beside.base_rows)
        yield _INERT.about(EmbeddingRowsDelta.id, where, ("count", count), ("kinds", kinds))
    if missing > 0:
        named = (("count", str(missing)), ("rows", str(beside.base_rows)))
        yield _MISSING.about(EmbeddingRowsDelta.id, where, *named)
