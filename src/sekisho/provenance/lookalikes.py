"""Names made to be taken for another: a letter swapped, foreign letters that look Latin, punycode, a known name dressed up.

`data/rules/lookalikes.toml` has the letters, in the sense of Unicode TS 39 (skeletons).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

_SEPARATORS: Final = re.compile(r"[-_.]+")
_LONGEST: Final = 128
"""Characters of a name that are compared; the hub allows 96."""
_SHORT, _LONG = 4, 8
"""One slip is looked for in names from the first length on, two from the second."""


@dataclass(frozen=True)
class Likeness:
    """A name that is not a known one and looks like it."""

    known: str
    kind: str
    """`homoglyph`, `spelling`, `dressed` or `other-script`."""


def likeness(name: str, known: Iterable[str]) -> Likeness | None:
    """Find the known name that this one could be taken for; None if it is known itself or like none."""
    names = tuple(known)
    if name in names:
        return None
    mine = name[:_LONGEST]
    for kind, alike in (("homoglyph", _same_shape), ("spelling", _misspelt), ("dressed", _dressed)):
        found = next((other for other in names if alike(mine, other[:_LONGEST])), None)
        if found is not None:
            return Likeness(found, kind)
    return Likeness("", "other-script") if odd_script(name) else None


def odd_script(name: str) -> bool:
    """Say whether a name is punycode, has letters outside ASCII, or characters that do not show."""
    return any(part.startswith("xn--") for part in name.casefold().split(".")) or not name.isascii()


@cache
def skeleton(name: str) -> str:
    """What is left of a name for a hurried eye."""
    rules = _rules()
    shown = unicodedata.normalize("NFKC", _decoded(name)).casefold()
    shown = "".join(
        c for c in unicodedata.normalize("NFD", shown) if unicodedata.category(c) not in {"Mn", "Cf", "Cc"}
    )
    shown = shown.translate(rules["letters"])
    for pair, letter in rules["pairs"].items():
        shown = shown.replace(pair, letter)
    return _SEPARATORS.sub("", shown)


def distance(a: str, b: str, most: int) -> int:
    """Slips (a letter left out, put in, swapped for another or for its neighbour) between two names; `most + 1` beyond."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]


def _same_shape(name: str, known: str) -> bool:
    return skeleton(name) == skeleton(known)


def _misspelt(name: str, known: str) -> bool:
    shorter = min(len(name), len(known))
    slips = 0 if shorter < _SHORT else 1 if shorter < _LONG else 2
    return slips > 0 and distance(skeleton(name), skeleton(known), slips) <= slips


def _dressed(name: str, known: str) -> bool:
    """A known name with a word of trust before or after it."""
    mine, other = skeleton(name), skeleton(known)
    if len(other) < _SHORT or not (mine.startswith(other) or mine.endswith(other)):
        return False
    rest = mine.removeprefix(other) if mine.startswith(other) else mine.removesuffix(other)
    return rest in _dress()


def _decoded(name: str) -> str:
    """Show punycode as it would be shown."""
    parts = []
    for part in name.split("."):
        try:
            parts.append(
                part[4:].encode("ascii").decode("punycode") if part.lower().startswith("xn--") else part
            )
        except (UnicodeError, ValueError, OverflowError):
            parts.append(part)
    return ".".join(parts)


@cache
def _rules() -> Mapping[str, Any]:
    table = tomllib.loads((files("sekisho.data") / "rules" / "lookalikes.toml").read_text("utf-8"))
    letters = {ord(c): letter for letter, characters in table["letters"].items() for c in characters}
    return {"letters": letters, "pairs": table["pairs"], "dress": table["dress"]["words"]}


@cache
def _dress() -> frozenset[str]:
    """Words of trust, folded as the names are that they are looked for in."""
    return frozenset(skeleton(word) for word in _rules()["dress"])
