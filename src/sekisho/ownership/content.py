"""Copyright tokens: what a registry entry says, how content is marked, and whether a model keeps to the mark.

A mark signals the owner's wish. It enforces nothing: it can be cut out of the text, its row can be restored, and pasted into
somebody else's text it suppresses that text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sekisho.errors import DataError
from sekisho.ownership.claim import Outcome, Part
from sekisho.ownership.commitment import SCHEMA, Reason, folded
from sekisho.stats.intervals import fisher

POSITIONS: Final = ("start", "end", "every-200-words")
BETWEEN: Final = 200
"""Words from one mark to the next; in a script without spaces, twice as many characters."""
LEVEL: Final = 1e-3
_SPACED: Final = 20
"""Characters a word has at most, on average, in a script with spaces."""
_SENTENCE: Final = re.compile(r"(?<=[。！？])")


@dataclass(frozen=True)
class FamilyRow:
    """The token in one family of models."""

    family: str
    id: int
    tensor: str
    dtype: str
    sha256: str
    """Of the row's bytes as the file has them."""


@dataclass(frozen=True)
class Entry:
    """A token of the registry."""

    schema: int
    token: str
    families: tuple[FamilyRow, ...]
    notice: str
    """What a model that keeps to it says; a refusal counts as well."""
    behaviour: str
    """Declared, in plain words."""
    positions: tuple[str, ...]
    """Some of POSITIONS."""
    expires: str
    """ISO 8601 date."""


@dataclass(frozen=True)
class Arm:
    """What was shown of some texts: answers with a refusal or notice, and answers in all, text by text."""

    shown: tuple[int, ...]
    asked: tuple[int, ...]

    @property
    def kept(self) -> int:
        """Texts of which more than half of the tasks were met with a notice or refusal."""
        return sum(2 * s > a for s, a in zip(self.shown, self.asked, strict=True))


@dataclass(frozen=True)
class ContentJudged:
    """Whether marked texts are treated otherwise than unmarked ones."""

    schema: int
    outcome: Outcome
    black_box: Part
    white_box: Part
    token: str
    marked: Arm
    unmarked: Arm
    p: float
    """One-sided Fisher, a text being the unit: its tasks are no independent evidence."""
    level: float = LEVEL


def check(entry: Entry) -> Entry:
    """Return the entry. Raises DataError for one that says nothing."""
    if entry.schema != SCHEMA or not folded(entry.token) or not entry.families:
        raise DataError("registry entry: schema, token or families are unknown or missing")
    if not entry.positions or not set(entry.positions) <= set(POSITIONS):
        raise DataError(f"registry entry: positions must be some of {', '.join(POSITIONS)}")
    if not folded(entry.behaviour) or not folded(entry.notice):
        raise DataError("registry entry: it declares no behaviour or no notice")
    _date(entry.expires)
    return entry


def marked(text: str, entry: Entry) -> str:
    """The text with the token where the entry says."""
    parts = _stretches(text) if "every-200-words" in entry.positions else [text]
    body = f" {entry.token} ".join(parts)
    before = f"{entry.token} " if "start" in entry.positions else ""
    return before + body + (f" {entry.token}" if "end" in entry.positions else "")


def notices(entry: Entry, answer: str) -> bool:
    """Whether an answer holds the declared notice."""
    return folded(entry.notice) in folded(answer)


def decide(entry: Entry, arms: tuple[Arm, Arm], white_box: Sequence[Reason], *, today: date) -> ContentJudged:
    """Judge marked against unmarked texts; the rows are judged beside, by themselves."""
    with_mark, without = arms
    p = fisher(with_mark.kept, len(with_mark.asked), without.kept, len(without.asked))
    expired = _date(entry.expires) < today
    against: tuple[Reason, ...] = (Reason("expired", (("date", entry.expires),)),) if expired else ()
    if p >= LEVEL:
        against += (Reason("no-difference", (("p", f"{p:.2g}"),)),)
    black, white = _part(against), _part(tuple(white_box))
    return ContentJudged(SCHEMA, black.outcome, black, white, entry.token, with_mark, without, p)


def _part(reasons: tuple[Reason, ...]) -> Part:
    return Part(Outcome.OPEN if reasons else Outcome.ESTABLISHED, reasons)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"registry entry: {text[:40]!r} is no date") from error


def _stretches(text: str) -> list[str]:
    """Cut after every so many words, or, in a script without spaces, after sentences of twice as many characters."""
    words = text.split(" ")
    if len(words) * _SPACED > len(text):
        return [" ".join(words[n : n + BETWEEN]) for n in range(0, len(words), BETWEEN)]
    parts = [""]
    for sentence in _SENTENCE.split(text):
        if len(parts[-1]) >= 2 * BETWEEN:
            parts.append("")
        parts[-1] += sentence
    return parts
