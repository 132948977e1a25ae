"""Questions so alike that they count as one family: paraphrases, and series of one template.

Two texts are near-duplicates if their character trigrams overlap by `LIKE` (Jaccard), or if the longer one holds
`HELD` of the content words of the shorter (containment, stems of at least `FEWEST` words). Both are surface
measures: a question put in wholly other words is seen by neither. Why these numbers: docs/adr/0011.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sekisho.probes.scorers._text import KANJI, KATAKANA, plain
from sekisho.probes.suite import Item

LIKE: Final = 0.45
"""Jaccard overlap of the trigrams from which two texts are one question."""
HELD: Final = 0.8
"""Share of the shorter text's content words that the longer one holds."""
FEWEST: Final = 4
"""Content words below which containment proves nothing."""
STEM: Final = 5
_WORD: Final = re.compile(r"[a-z0-9']+")
_JAPANESE: Final = re.compile(rf"[{KATAKANA}]{{2,}}|(?:(?!何)[{KANJI}])+")
_GAP: Final = re.compile(r"[\W_]+")
_FUNCTION_WORDS: Final = frozenset(
    # One string reads better than 140 literals.
    (  # noqa: SIM905
        "a about all also am an and any are as at be been before being but by can could did do does each for from "
        "get give had has have he her his how i if in into is it its just let like made make makes many may me more "
        "most much must my no not of off on one only or other our out over own please shall she should so some such "
        "take tell than that the their them then there these they this those through to too up us very was we were "
        "what when where which while who whom whose why will with without would you your "
        "教 知 見 言 書 方 使 答 行 出"
    ).split()
)


@dataclass(frozen=True)
class _Shape:
    grams: frozenset[str]
    words: frozenset[str]
    """Stems of content words; kanji and katakana in pairs."""


def near_duplicates(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Every pair of places whose texts are near-duplicates, in order."""
    shapes = [_shape(text) for text in texts]
    by_grams = _sharing([s.grams for s in shapes], LIKE)
    by_words = _sharing([s.words for s in shapes], HELD)
    found = {pair for pairs in (by_grams, by_words) for pair in pairs if _near(*(shapes[n] for n in pair))}
    return tuple(sorted(found))


def merged(items: Sequence[Item]) -> tuple[Item, ...]:
    """Give near-duplicates of one language the family of the first of them; the order stays.

    Items with a system turn are near-duplicates only if their system turns are so, too.
    """
    heads: dict[tuple[str, str], str] = {}
    for language in dict.fromkeys(i.language for i in items):
        mine = [i for i in items if i.language == language]
        place = {i.family: n for n, i in reversed(list(enumerate(mine)))}
        for pair in _near_items(mine):
            found = {_head(heads, language, mine[n].family) for n in pair}
            first, *later = sorted(found, key=place.__getitem__)
            heads |= {(language, family): first for family in later}
    return tuple(replace(i, family=_head(heads, i.language, i.family)) for i in items)


def _near_items(items: Sequence[Item]) -> Iterator[tuple[int, int]]:
    for one, two in near_duplicates([i.prompt for i in items]):
        before, after = items[one].system, items[two].system
        if before == after or _near(_shape(before), _shape(after)):
            yield one, two


def _head(heads: dict[tuple[str, str], str], language: str, family: str) -> str:
    while heads.get((language, family), family) != family:
        family = heads[language, family]
    return family


def _shape(text: str) -> _Shape:
    folded = plain(text).casefold()
    line = f" {_GAP.sub(' ', folded).strip()} "
    words = {w.partition("'")[0][:STEM] for w in _WORD.findall(folded) if w not in _FUNCTION_WORDS}
    runs = [run for run in _JAPANESE.findall(folded) if run not in _FUNCTION_WORDS]
    pairs = {run[n : n + 2] for run in runs for n in range(max(1, len(run) - 1))}
    return _Shape(frozenset(line[n : n + 3] for n in range(len(line) - 2)), frozenset(words | pairs))


def _near(one: _Shape, two: _Shape) -> bool:
    both = len(one.grams & two.grams)
    if both and both >= LIKE * (len(one.grams) + len(two.grams) - both):
        return True
    fewer = min(len(one.words), len(two.words))
    return fewer >= FEWEST and len(one.words & two.words) >= HELD * fewer


def _sharing(sets: Sequence[frozenset[str]], share: float) -> Iterator[tuple[int, int]]:
    """Pairs that may share this part of the smaller set; no other pair does.

    A set that lacks at most `spare` of its features shares `enough` of any `spare + enough`: the rarest are looked up.
    """
    counts = Counter(feature for s in sets for feature in s)
    index: defaultdict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(sets)), key=lambda n: (-len(sets[n]), n)):
        rare = sorted(sets[place], key=lambda f: (counts[f], f))
        spare = len(rare) - math.ceil(share * len(rare))
        enough = 1 + (len(rare) - spare) // 4
        met: Counter[int] = Counter()
        for feature in rare[: spare + enough]:
            met.update(index[feature])
        yield from ((min(place, o), max(place, o)) for o, times in met.items() if times >= enough)
        for feature in rare:
            index[feature].append(place)
