"""Does one of the accepted answers begin in the first 200 characters? 1 yes, 0 no.

Numbers match as whole numbers and words as whole words. Full-width forms, thousands separators,
trailing zeros and simple Japanese numerals are made equal on both sides. An item without accepted
answers abstains; an empty answer is a wrong one.
"""

import re
from collections.abc import Sequence
from typing import Final, final

from sekisho.probes.scorers._text import head, one_line
from sekisho.probes.scorers.base import AbstractScorer, Score, each
from sekisho.probes.suite import Item

WINDOW: Final = 200
_DIGITS: Final = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_NUMERAL: Final = re.compile(r"[〇零一二三四五六七八九十百千]{1,12}")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ZEROS: Final = re.compile(r"(?<=\d)\.0{1,20}(?!\d)|(?<=\.\d)0{1,20}(?!\d)|(?<=\.\d\d)0{1,20}(?!\d)")


@final
class ExpectedAnswer(AbstractScorer):
    """Matches `Item.expect` against the opening of the answer."""

    id = "expected-answer"

    def score(
        self, items: Sequence[Item], answers: Sequence[str], known: Sequence[str] = ()
    ) -> tuple[Score, ...]:
        """Judge each answer by itself; `known` is not needed."""
        del known
        return each(_judge, items, answers)


def _judge(item: Item, answer: str) -> Score:
    accepted = [_fold(e) for e in item.expect]
    if not any(accepted):
        return Score(None, "no accepted answer")
    text = _fold(head(answer, 2 * WINDOW))
    right = next((e for e in accepted if e and _holds(text, e)), "")
    return Score(1.0, right) if right else Score(0.0)


def _fold(text: str) -> str:
    folded = one_line(head(text, 4 * WINDOW)).casefold().replace("−", "-")
    folded = _THOUSANDS.sub("", _NUMERAL.sub(lambda m: _arabic(m[0]), folded))
    return _ZEROS.sub("", folded)


def _arabic(numeral: str) -> str:
    """Digits of a Japanese numeral; unchanged where it is none (千 before 百 twice, ...)."""
    if not any(c in _UNITS for c in numeral):
        return "".join(str(_DIGITS[c]) for c in numeral)
    total, digit, last = 0, None, 10_000
    for c in numeral:
        if c in _DIGITS:
            if digit is not None:
                return numeral
            digit = _DIGITS[c]
        elif _UNITS[c] >= last:
            return numeral
        else:
            last = _UNITS[c]
            total, digit = total + (1 if digit is None else digit) * last, None
    return str(total + (digit or 0))


def _holds(text: str, wanted: str) -> bool:
    start = text.find(wanted)
    while 0 <= start < WINDOW:
        if _apart(text[:start][-2:], wanted[0], before=True) and _apart(
            text[start + len(wanted) :][:2], wanted[-1], before=False
        ):
            return True
        start = text.find(wanted, start + 1)
    return False


def _apart(beside: str, edge: str, *, before: bool) -> bool:
    """Neither a number nor a word goes on across this edge of the match."""
    near, far = (beside[-1:], beside[:-1]) if before else (beside[:1], beside[1:])
    if edge.isdigit():
        joined = near in {".", ",", "/", ":"} and far.isdigit()
        negative = before and near == "-" and not far.isalnum()
        return not (near.isdigit() or joined or negative)
    if edge.isascii() and edge.isalpha():
        return not (near.isascii() and near.isalpha())
    return not (_katakana(edge) and _katakana(near))


def _katakana(c: str) -> bool:
    return "ァ" <= c <= "ヺ" or c == "ー"
