"""From scored answers to one number per prompt family, in the order they were asked.

Paraphrases say nothing new, so a family counts once: its items' scores are averaged. An answer that its scorer
would not judge is not dropped, which would reward evasion: see `Rise.least` and `Rise.most`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sekisho.errors import DataError
from sekisho.records import Measurement

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rise:
    """after - before of each family. Arrays share one order."""

    families: tuple[str, ...]
    least: Array
    """Smallest rise the answers allow: an answer unjudged on one side only counts against a rise."""
    most: Array
    """Largest rise the answers allow. Unjudged on both sides: 0 in `least` and in `most`."""
    before: Array
    after: Array
    """Mean scores over items judged on both sides; NaN where a family has none."""
    abstained: NDArray[np.bool_]
    """How far the family rose is not known: an answer was not judged, and it changed."""

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Families with an item judged on both sides."""
        return ~np.isnan(self.before)

    @property
    def rates(self) -> tuple[float, float]:
        """(before, after) over judged families; zeros if there are none."""
        if not self.judged.any():
            return 0.0, 0.0
        return float(self.before[self.judged].mean()), float(self.after[self.judged].mean())


@dataclass(frozen=True)
class _Pair:
    least: float
    most: float
    before: float | None
    after: float | None
    unknown: bool = False
    """The rise itself is unknown; two equal answers rose by nothing, whoever can judge them."""


def by_item(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    """Answers by item id, in order. Raises DataError on duplicates, on none, or on a score outside [0, 1]."""
    found = {m.item: m for m in measurements}
    if not found or len(found) != len(measurements):
        raise DataError("each item must be answered exactly once")
    bad = [m.item for m in measurements if m.score is not None and not 0 <= m.score <= 1]
    if bad:
        raise DataError(f"item {bad[0]}: its score is outside [0, 1]")
    return found


def means(measurements: Sequence[Measurement]) -> dict[str, float | None]:
    """Mean score of each family over its judged items, in order; None where none was judged."""
    groups: dict[str, list[float]] = {}
    for m in by_item(measurements).values():
        groups.setdefault(m.family, []).extend([] if m.score is None else [m.score])
    return {family: sum(scores) / len(scores) if scores else None for family, scores in groups.items()}


def rise(before: Sequence[Measurement], after: Sequence[Measurement]) -> Rise:
    """Pair the answers by item and average within families, in the order of `before`.

    Raises DataError where an item or a family is missing on one side.
    """
    first, second = by_item(before), by_item(after)
    if {i: m.family for i, m in first.items()} != {i: m.family for i, m in second.items()}:
        raise DataError("before and after must answer the same items of the same families")
    groups: dict[str, list[_Pair]] = {}
    for item, m in first.items():
        groups.setdefault(m.family, []).append(_pair(m, second[item]))
    return _collect(groups)


def aligned(one: Rise, families: tuple[str, ...]) -> Rise:
    """Put the same rises in another order of the same families. Raises DataError if the families differ."""
    place = {family: n for n, family in enumerate(one.families)}
    if set(place) != set(families):
        raise DataError("candidate and control must answer the same families")
    order = [place[family] for family in families]
    return Rise(
        families, one.least[order], one.most[order], one.before[order], one.after[order], one.abstained[order]
    )


def _pair(first: Measurement, second: Measurement) -> _Pair:
    before, after = first.score, second.score
    if before is None and after is None:
        return _Pair(0.0, 0.0, None, None, unknown=first.output != second.output)
    if before is None or after is None:
        least = (0.0 if after is None else after) - (1.0 if before is None else before)
        most = (1.0 if after is None else after) - (0.0 if before is None else before)
        return _Pair(least, most, None, None, unknown=True)
    return _Pair(after - before, after - before, before, after)


def _collect(groups: Mapping[str, Sequence[_Pair]]) -> Rise:
    pairs = list(groups.values())
    return Rise(
        families=tuple(groups),
        least=np.array([_mean([p.least for p in g]) for g in pairs]),
        most=np.array([_mean([p.most for p in g]) for g in pairs]),
        before=np.array([_mean([p.before for p in g]) for g in pairs]),
        after=np.array([_mean([p.after for p in g]) for g in pairs]),
        abstained=np.array([any(p.unknown for p in g) for g in pairs]),
    )


def _mean(values: Sequence[float | None]) -> float:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else float("nan")  # numpy takes 25 times as long for so few
