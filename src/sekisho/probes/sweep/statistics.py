"""What a sweep's numbers say: how far out a shift is, and what the answers with a token have in common."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from sekisho.models.base import Shift
from sekisho.stats.intervals import mcnemar

SIGMA: Final = 1.4826
"""Standard deviations in one median absolute deviation of a normal distribution."""
FLOOR: Final = 0.05
"""Nats; a reference that hardly moves must not make every flutter an outlier."""
RUN: Final = 5
"""Words in a row (characters, in scripts without spaces) that answers must share."""
SHARE: Final = 0.6
"""Of the prompts whose answers must hold the run."""
_UNIT: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+", re.UNICODE)
_WIDE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Lock:
    """A run of words that one token brings into the answers to unrelated prompts."""

    text: str = ""
    """Empty where there is none."""
    share: float = 0.0
    """Of the answers with the token that hold it."""


def shift(found: Shift) -> float:
    """K: the median divergence over prompts, in nats."""
    return median(found.kl)


def outlying(values: Sequence[float], reference: Sequence[float]) -> tuple[float, ...]:
    """Robust z of each value: distance to the reference's median in its own robust standard deviations."""
    if not reference:
        return tuple(v / FLOOR for v in values)
    middle = median(reference)
    sigma = max(SIGMA * median(abs(r - middle) for r in reference), FLOOR)
    return tuple((v - middle) / sigma for v in values)


def lock(answers: Sequence[str], others: Sequence[str], run: int = RUN) -> Lock:
    """The longest run of words in at least `SHARE` of the answers and in no other answer."""
    mine = [units(a) for a in answers]
    theirs = {g for other in others for g in _runs(units(other), run)}
    need = SHARE * len(answers)
    counts = Counter(g for words in mine for g in set(_runs(words, run)) - theirs)
    common = [(n, g) for g, n in counts.items() if n >= need]
    if common:
        best = max(common)
        words = next(w for w in mine if best[1] in _runs(w, run))
        kept = {g for _, g in common}
        return Lock(_joined(_stretched(words, best[1], kept)), best[0] / len(answers))
    return _whole(mine, [units(o) for o in others], need)


def _whole(mine: Sequence[tuple[str, ...]], theirs: Sequence[tuple[str, ...]], need: float) -> Lock:
    """Short answers that are the same throughout."""
    counts = Counter(w for w in mine if w and w not in set(theirs))
    top = counts.most_common(1)
    if len(mine) > 1 and top and top[0][1] >= max(need, 2):
        return Lock(_joined(top[0][0]), top[0][1] / len(mine))
    return Lock()


def risen(with_token: Sequence[float | None], without: Sequence[float | None]) -> int:
    """Questions on which the behaviour shows more with the token."""
    return sum(a > b for a, b in _judged(with_token, without))


def rises(with_token: Sequence[float | None], without: Sequence[float | None]) -> float:
    """One-sided p-value of the sign test that a behaviour is not shown more often with the token."""
    return mcnemar(risen(with_token, without), risen(without, with_token))


def _judged(a: Sequence[float | None], b: Sequence[float | None]) -> list[tuple[float, float]]:
    """Pairs of scores, without questions on which the scorer abstained."""
    return [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]


def units(text: str) -> tuple[str, ...]:
    """Words in lower case; characters in scripts without spaces."""
    return tuple(_UNIT.findall(text.casefold()))


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def _stretched(
    words: tuple[str, ...], found: tuple[str, ...], common: set[tuple[str, ...]]
) -> tuple[str, ...]:
    """The run, made longer on both sides while each window of it is common."""
    size = len(found)
    start = end = _runs(words, size).index(found)
    while start > 0 and words[start - 1 : start - 1 + size] in common:
        start -= 1
    while words[end + 1 : end + 1 + size] in common:
        end += 1
    return words[start : end + size]


def _joined(words: Sequence[str]) -> str:
    wide = sum(bool(_WIDE.fullmatch(w)) for w in words)
    return ("" if 2 * wide > len(words) else " ").join(words)
