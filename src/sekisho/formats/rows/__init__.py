"""Rows of token tables: found, read in bounded memory, compared with the base's, and measured by themselves."""

from typing import Final

from sekisho.errors import ArtefactError
from sekisho.formats._numbers import Floats
from sekisho.formats.rows import against, outliers
from sekisho.formats.rows.facts import Alone, Beside, Digests, RowFacts, Rows
from sekisho.formats.rows.tables import Table, find, refuse
from sekisho.formats.rows.vocabulary import Vocabulary, vocabulary
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Comparison, Inventory, Role

__all__ = [
    "Alone",
    "Beside",
    "Digests",
    "Floats",
    "RowFacts",
    "Rows",
    "Vocabulary",
    "find",
    "measure",
    "vocabulary",
]

_LISTED: Final = frozenset({"safetensors", "gguf"})


def measure(
    candidate: Inventory,
    base: Inventory | None = None,
    comparison: Comparison | None = None,
    *,
    limits: Limits = DEFAULT,
) -> RowFacts:
    """Measure every row table; one that the comparison found equal to the base's is not read again."""
    words = vocabulary(candidate)
    mine = find(candidate)
    theirs = find(base) if base is not None else ()
    same = {d.name for d in comparison.deltas if d.kind == "same"} if comparison else set()
    tables = tuple(
        Rows(t, same=True) if t.name in same else _rows(t, _paired(t, theirs), words, limits) for t in mine
    )
    weights = [f for f in candidate.files if f.role is Role.WEIGHTS or f.format in _LISTED]
    unnamed = sum(f.facts is None or f.format not in _LISTED for f in weights)
    return RowFacts(tables, words, _blocks(comparison, {t.name for t in mine}), unnamed)


def _paired(table: Table, theirs: tuple[Table, ...]) -> Table | None:
    """The base's table of that name, or of that kind; a head that the base does not have is held against its embedding."""
    same_width = [t for t in theirs if t.width == table.width]
    named = [t for t in same_width if t.name == table.name]
    alike = [t for t in same_width if t.kind == table.kind]
    tied = [t for t in same_width if table.kind == "head" and t.kind == "embedding"]
    return next(iter([*named, *alike, *tied]), None)


def _rows(table: Table, other: Table | None, words: Vocabulary, limits: Limits) -> Rows:
    try:
        refuse(table, limits)
        if other is not None:
            refuse(other, limits)
        norms, digests, beside = against.walk(table, other)
        related = beside is not None and beside.related
        alone = None if related else outliers.look(table, norms, words)
    except ArtefactError as error:
        return Rows(table, str(error))
    return Rows(table, norms=norms, digests=digests, beside=beside, alone=alone)


def _blocks(comparison: Comparison | None, tables: set[str]) -> str:
    if comparison is None or comparison.problem or not comparison.deltas:
        return "unknown"
    others = [d for d in comparison.deltas if d.name not in tables]
    return "same" if all(d.kind == "same" for d in others) else "changed"
