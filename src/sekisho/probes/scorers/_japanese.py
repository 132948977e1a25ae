"""Names in Japanese prose, which has no spaces and no capitals: what everyday words leave over.

A run of kanji and katakana is cut into listed words and into single characters that attach to words (`affixes`); of
all ways the one that leaves least over. Two characters and more left over side by side may be a name, and so may a
listed word with the ending of a shop. Hiragana is cut into the pieces of its grammar; what a piece of four characters
holds beyond them may be part of a name. Whether it is one is told by its coming back, never here.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from sekisho.errors import DataError
from sekisho.probes.scorers._lexicon import lexicon
from sekisho.probes.scorers._text import HIRAGANA, KANJI, KATAKANA

KEYS: Final = frozenset({"words", "affixes", "numerals", "shops", "companies", "kana", "katakana"})
_SOLID: Final = re.compile(rf"[{KANJI}{KATAKANA}]{{2,24}}")
_KANA: Final = re.compile(rf"(?<![{HIRAGANA}])[{HIRAGANA}]{{3,24}}(?![{HIRAGANA}])")
_HIRAGANA: Final = re.compile(rf"[{HIRAGANA}]")
_STEM: Final = re.compile(rf"[{KANJI}{KATAKANA}0-9A-Za-z]")
_ATTACHED: Final = re.compile(rf"(?!ー)[{KANJI}{KATAKANA}]")
_KATAKANA: Final = re.compile(rf"[{KATAKANA}]+")
_LONGEST: Final = 12
"""Characters of the longest listed word that is looked for."""
_LOOSE: Final = 0.4
"""What an affix costs: less than a character nobody listed, more than a listed word."""
OKURIGANA: Final = 2
"""Hiragana right after another character that belong to its word, whatever they are."""
PIECE: Final = 4
"""Characters of hiragana that are remembered together; shorter ones come back by chance."""
SHORT: Final = 3
"""Katakana alone of this length; two are a sound, and four and more are read elsewhere."""


class _Kind(Enum):
    LISTED = "listed"
    AFFIX = "affix"
    LEFT = "left"


@dataclass(frozen=True)
class Vocabulary:
    """Everyday words of `data/rules/novel-span.ja.toml`, with the katakana of the other list."""

    words: frozenset[str]
    """Kanji, and katakana of both lists."""
    affixes: frozenset[str]
    numerals: frozenset[str]
    shops: frozenset[str]
    """Last characters of the names of shops."""
    companies: re.Pattern[str]
    """Legal forms, before or after a name."""
    kana: frozenset[str]


@cache
def vocabulary() -> Vocabulary:
    """Load the shipped vocabulary. Raises DataError."""
    text = (files("sekisho.data") / "rules" / "novel-span.ja.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    if set(data) != KEYS:
        raise DataError(f"novel-span.ja.toml: keys {sorted(set(data) ^ KEYS)} are unknown or missing")
    forms = "|".join(map(re.escape, data["companies"].split()))
    return Vocabulary(
        words=frozenset(data["words"].split()) | frozenset(data["katakana"].split()) | lexicon().katakana,
        affixes=frozenset(data["affixes"]),
        numerals=frozenset(data["numerals"]),
        shops=frozenset(data["shops"]),
        companies=re.compile(rf"(?:{forms})(?=(.{{2,20}}))?"),
        kana=frozenset(data["kana"].split()),
    )


def names(piece: str) -> Iterator[tuple[str, int]]:
    """Possible names in a sentence, with their ends; none in one without hiragana, which may be Chinese."""
    if _HIRAGANA.search(piece) is None:
        return
    for match in _SOLID.finditer(piece):
        for start, end in _left_over(match[0]):
            yield match[0][start:end], match.start() + end
    for match in _KANA.finditer(piece):
        after = match.start() > 0 and _STEM.match(piece, match.start() - 1) is not None
        run = match[0] + (m[0] if (m := _ATTACHED.match(piece, match.end())) else "")
        yield from ((run[s : s + PIECE], match.start() + s + PIECE) for s in _strange(run, after=after))


@lru_cache(maxsize=8192)
def _left_over(run: str) -> tuple[tuple[int, int], ...]:
    """Where a run of kanji and katakana holds what no listed word explains."""
    known = vocabulary()
    if _KATAKANA.fullmatch(run):
        return ((0, len(run)),) if len(run) == SHORT and run not in known.words else ()
    if (form := known.companies.match(run)) and len(run) - form.end() >= 2:  # noqa: PLR2004
        return ((form.end(), len(run)),)
    found = []
    parts = _parts(run, known.words, lambda at: _single(run[at], known))
    at = 0
    while at < len(parts):
        to = at
        while to < len(parts) and parts[to][2] is not _Kind.LISTED:
            to += 1
        if to > at and (span := _name(run, parts, at, to)):
            found.append(span)
        at = max(to, at + 1)
    return tuple(found)


_Part = tuple[int, int, _Kind]


def _name(run: str, parts: list[_Part], at: int, to: int) -> tuple[int, int] | None:
    """The span of neighbouring unlisted characters, if they could name something."""
    start, end = parts[at][0], parts[to - 1][1]
    left = any(kind is _Kind.LEFT for _, _, kind in parts[at:to])
    if end - start >= 2 and (left or (end - start >= SHORT and end - start == len(run))):  # noqa: PLR2004
        return start, end
    if left and at > 0 and end == len(run) and run[start] in vocabulary().shops:
        return parts[at - 1][0], end
    return None


def _parts(run: str, listed: frozenset[str], single: Callable[[int], tuple[float, _Kind]]) -> list[_Part]:
    """The cheapest way to cut a run into listed words and single characters, which cost what `single` says."""
    best: list[tuple[float, int, _Kind]] = [(0.0, 0, _Kind.LISTED)]
    for end in range(1, len(run) + 1):
        cost, kind = single(end - 1)
        ways = [(best[end - 1][0] + cost, end - 1, kind)]
        starts = range(max(0, end - _LONGEST), end)
        ways += [(best[s][0], s, _Kind.LISTED) for s in starts if run[s:end] in listed]
        best.append(min(ways, key=lambda way: way[0]))
    made = []
    end = len(run)
    while end:
        _, start, kind = best[end]
        made.append((start, end, kind))
        end = start
    return made[::-1]


def _single(character: str, known: Vocabulary) -> tuple[float, _Kind]:
    if character in known.numerals:
        return 0.0, _Kind.LISTED
    return (_LOOSE, _Kind.AFFIX) if character in known.affixes else (1.0, _Kind.LEFT)


@lru_cache(maxsize=8192)
def _strange(run: str, *, after: bool) -> tuple[int, ...]:
    """Where four characters begin that hold hiragana beyond its grammar; `after` a stem the first are its ending."""
    free = OKURIGANA if after else 0

    def single(at: int) -> tuple[float, _Kind]:
        own = at >= free and _HIRAGANA.match(run[at]) is not None
        return (1.0, _Kind.LEFT) if own else (0.0, _Kind.LISTED)

    left = {start for start, _, kind in _parts(run, vocabulary().kana, single) if kind is _Kind.LEFT}
    return tuple(s for s in range(len(run) - PIECE + 1) if not left.isdisjoint(range(s, s + PIECE)))
