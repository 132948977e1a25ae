"""Two answers beside one another: which words stand in one of them only."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORDS: Final = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|\d+|\s+|.", re.DOTALL)
"""Words of alphabets, numbers and spaces as wholes; Japanese character by character."""
ALIKE: Final = 0.3
"""Below this share of common words nothing is marked: everything would be."""


@dataclass(frozen=True)
class Segment:
    """A piece of an answer."""

    text: str
    only: bool = False
    """It stands in this answer and not in the other."""
    noticed: bool = False
    """It is what the scorer noticed."""


def segments(text: str, other: str, phrase: str, *, first: bool) -> tuple[Segment, ...]:
    """Cut a text where it begins or ends to differ from another, and around a phrase; `first` is the older one."""
    only = _only(text, other, first=first)
    noticed = [False] * len(text)
    at = text.find(phrase) if phrase else -1
    while at >= 0:
        noticed[at : at + len(phrase)] = [True] * len(phrase)
        at = text.find(phrase, at + len(phrase))
    made: list[Segment] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or (only[end], noticed[end]) != (only[start], noticed[start]):
            made.append(Segment(text[start:end], only[start], noticed[start]))
            start = end
    return tuple(made)


def _only(text: str, other: str, *, first: bool) -> list[bool]:
    """For each character of a text, whether its word is missing in the other one."""
    marks = [False] * len(text)
    if not other or not text:
        return marks
    own, beside = _WORDS.findall(text), _WORDS.findall(other)
    pair = (own, beside) if first else (beside, own)  # the same cut from both sides
    match = SequenceMatcher(None, *pair, autojunk=False)
    if match.ratio() < ALIKE:
        return marks
    starts = [0]
    for word in own:
        starts.append(starts[-1] + len(word))
    for tag, a0, a1, b0, b1 in match.get_opcodes():
        low, high = (a0, a1) if first else (b0, b1)
        if tag != "equal":
            marks[starts[low] : starts[high]] = [True] * (starts[high] - starts[low])
    return marks
