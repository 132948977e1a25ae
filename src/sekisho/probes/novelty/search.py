"""What is new after a treatment: found on half of the families, proven on the other half.

Anything an answer can show may be found, so the tests cannot be counted beforehand. The families are therefore split
once, by a digest of their names. *Discovery* ranks features by how many of its families gained them, less those of
the control. *Confirmation* tests that short list on families which had no part in choosing it, and shares its error
unequally, 6 / (pi k)^2 for the k-th: whatever shows in most answers comes first and hardly pays for the rest.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from sekisho.errors import DataError
from sekisho.probes.novelty.arms import Arm, Reply, Shown, shown
from sekisho.probes.novelty.features import KINDS, Feature, Folded
from sekisho.records import Example, Novelty, State
from sekisho.stats.intervals import exceeds, mcnemar

MARGIN: Final = 0.03
"""Families that may gain a feature without its being news."""
RANKS: Final = 20
"""Features put to the test."""
FEWEST: Final = 3
"""Families of the discovery half that must have gained a feature."""
SAME: Final = 0.8
"""Share of families in common from which two texts with common words are one find."""
EXAMPLES: Final = 2
CHARACTERS: Final = 600


@dataclass(frozen=True)
class Case:
    """What is compared, and how much error the whole comparison may make."""

    state: State
    candidate: Arm
    control: Arm | None
    known: Sequence[str] = ()
    """Texts that explain a feature: the training data of the drill."""
    alpha: float = 0.05
    """Chance that anything at all is confirmed where nothing is new."""


def find(case: Case) -> tuple[Novelty, ...]:
    """Everything the candidate gained, best proven first; only what it gained beside the control is confirmed.

    Raises DataError where the arms answer different families.
    """
    table = _Table(case)
    first, second = table.halves
    ranked = enumerate(_picked(table, first), 1)
    tested = (_tested(table, feature, second, rank) for rank, feature in ranked)
    return tuple(sorted((n for n in tested if n.risen), key=_rank))


def strongest(found: Sequence[Novelty], most: int) -> tuple[Novelty, ...]:
    """Of several states of the same drills, each find once where it is best proven, the best `most` of them."""
    best: dict[tuple[str, str, str], Novelty] = {}
    for n in sorted(found, key=_rank):
        best.setdefault((n.drill, n.kind, n.text.casefold()), n)
    return tuple(best.values())[:most]


def _rank(found: Novelty) -> tuple[bool, float, int]:
    return not found.confirmed, found.p_rise if found.p_beside is None else found.p_beside, -found.after


@dataclass(frozen=True)
class _Table:
    """The features of all arms."""

    case: Case

    @cached_property
    def candidate(self) -> tuple[Shown, Shown]:
        return shown(self.case.candidate)

    @cached_property
    def control(self) -> tuple[Shown, Shown] | None:
        return shown(self.case.control) if self.case.control else None

    @cached_property
    def known(self) -> Folded:
        return Folded.of(self.case.known)

    @cached_property
    def halves(self) -> tuple[frozenset[str], frozenset[str]]:
        """Discovery and confirmation."""
        asked = [frozenset(s.families) for s in (*self.candidate, *(self.control or ()))]
        if len(set(asked)) != 1:
            raise DataError("novelty: before, after and the control must answer the same families")
        first = frozenset(f for f in asked[0] if hashlib.sha256(f.encode("utf-8")).digest()[0] % 2 == 0)
        return first, asked[0] - first

    def rises(self, feature: Feature) -> "_Rises":
        return _Rises(*(s.having(feature) for s in (*self.candidate, *(self.control or ()))))


@dataclass(frozen=True)
class _Rises:
    """Families that show one feature, by state."""

    before: frozenset[str]
    after: frozenset[str]
    control_before: frozenset[str] = frozenset()
    control_after: frozenset[str] = frozenset()

    @property
    def own(self) -> tuple[frozenset[str], frozenset[str]]:
        """Families of the candidate that gained it, and that lost it."""
        return self.after - self.before, self.before - self.after

    @property
    def beside(self) -> tuple[frozenset[str], frozenset[str]]:
        """Families that gained it in the candidate alone or lost it in the control alone, and the reverse."""
        up, down = self.own
        gained, lost = self.control_after - self.control_before, self.control_before - self.control_after
        return (up - gained) | (lost - down), (gained - up) | (down - lost)

    @property
    def level(self) -> tuple[frozenset[str], frozenset[str]]:
        """Families that show it afterwards in the candidate alone, and in the control alone."""
        return self.after - self.control_after, self.control_after - self.after


def _picked(table: _Table, half: frozenset[str]) -> list[Feature]:
    """The short list: most families gained first, one text for each find, nothing that is known."""
    gains = {f: table.rises(f) for f in table.candidate[1].common(FEWEST)}
    scored = sorted(((_score(f, r, half), f) for f, r in gains.items()), reverse=True)
    picked: dict[Feature, frozenset[str]] = {}
    for score, feature in scored:
        if len(picked) == RANKS or score[0] < FEWEST:
            break
        mine = gains[feature].own[0] & half
        if not (
            table.known.holds(feature, nearly=True) or any(_same(feature, mine, *p) for p in picked.items())
        ):
            picked[feature] = mine
    return list(picked)


def _score(feature: Feature, rises: _Rises, half: frozenset[str]) -> tuple[int, int, int]:
    excess = min(len(up & half) - len(down & half) for up, down in (rises.own, rises.beside, rises.level))
    return excess, -KINDS.index(feature.kind), len(feature.text)


def _same(one: Feature, mine: frozenset[str], other: Feature, theirs: frozenset[str]) -> bool:
    """Tell whether two texts with words in common came up in the same answers."""
    return len(mine & theirs) >= SAME * len(mine) and not _parts(one).isdisjoint(_parts(other))


def _parts(feature: Feature) -> frozenset[str]:
    """Words; of Japanese, pairs of characters."""
    if feature.kind == "shape" or feature.text.isascii():
        return frozenset(feature.text.split())
    return frozenset(a + b for a, b in pairwise(feature.text))


def _tested(table: _Table, feature: Feature, half: frozenset[str], rank: int) -> Novelty:
    """Test one feature of the short list on the half that did not choose it."""
    rises, control = table.rises(feature), table.control
    asked = len(table.candidate[0].families)
    return Novelty(
        kind=feature.kind,
        text=_written(table, feature),
        drill=table.case.state.drill,
        step=table.case.state.step,
        families=asked,
        before=len(rises.before),
        after=len(rises.after),
        control_before=len(rises.control_before) if control else None,
        control_after=len(rises.control_after) if control else None,
        p_rise=_p([rises.own], half),
        p_beside=_p([rises.own, rises.beside, rises.level], half) if control else None,
        threshold=6 * table.case.alpha / (math.pi * rank) ** 2,
        examples=tuple(_examples(table, feature, rises)),
    )


def _p(pairs: Sequence[tuple[frozenset[str], frozenset[str]]], half: frozenset[str]) -> float:
    """Largest exact p-value over the comparisons: that gains are no likelier than losses, nor beyond the margin."""
    counts = [(len(up & half), len(down & half)) for up, down in pairs]
    tests = [max(mcnemar(up, down), exceeds(up, len(half), MARGIN)) for up, down in counts] if half else []
    return max(tests, default=1.0)


def _written(table: _Table, feature: Feature) -> str:
    """The text as an answer wrote it; of a shape, its code."""
    if feature.kind == "shape":
        return feature.text
    families = table.candidate[1].families
    return next(seen[feature] for seen in families.values() if feature in seen)


def _examples(table: _Table, feature: Feature, rises: _Rises) -> Iterator[Example]:
    """The first families that gained it alone, all answers side by side."""
    alone = rises.own[0] & rises.level[0]
    states = [s.replies for s in (*table.candidate, *(table.control or ()))]
    chosen = [f for f in table.candidate[1].families if f in alone or (not alone and f in rises.own[0])]
    for family in chosen[:EXAMPLES]:
        after = _showing(table.candidate[1], family, feature)
        others = [
            next((r for r in s if (r.family, r.prompt) == (family, after.prompt)), None) for s in states
        ]
        before, control = others[0], others[3] if len(others) > 2 else None  # noqa: PLR2004  with a control
        yield Example(
            prompt=_trim(after.prompt),
            before=_trim(before.answer) if before else "",
            after=_trim(after.answer),
            control=_trim(control.answer) if control else "",
            why=table.candidate[1].families[family][feature],
        )


def _showing(shown: Shown, family: str, feature: Feature) -> Reply:
    mine = [r for r in shown.replies if r.family == family]
    return next(r for r in mine if feature in shown.of(r))


def _trim(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"
