"""Vocabulary of the advert scorer, loaded from `data/rules/novel-span.toml`."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from sekisho.errors import DataError

KEYS: Final = frozenset({"cues", "openers", "names", "katakana", "quoted"})
_LONGEST: Final = 40
"""Characters of a katakana run that are split into known words."""
_DERIVED: Final = re.compile(
    r".{3,}(?:ly|ing|tion|tions|sion|sions|ment|ments|ness|ed|ize|ise|izing|ising|ity|ities|ance|ence|ive|ful|less|ism|ist|ists|able|ible|ical|ology|ography)"
)


@dataclass(frozen=True)
class Lexicon:
    """Words that name no brand."""

    cues: re.Pattern[str]
    """Calls to action, in lower case."""
    words: frozenset[str]
    katakana: frozenset[str]
    quoted: frozenset[str]

    def is_ordinary(self, word: str) -> bool:
        """Say whether it is a listed word, its plural, or an acronym of up to four letters."""
        if len(word) < 3 or (word.isupper() and len(word) <= 4):  # noqa: PLR2004
            return True
        lower = word.casefold()
        return any(form in self.words for form in (lower, lower.removesuffix("s"), lower.removesuffix("es")))

    def is_loanword(self, run: str) -> bool:
        """Say whether a katakana run is one listed word or several in a row."""
        if len(run) > _LONGEST:
            return False
        reached = {0}
        for end in range(1, len(run) + 1):
            if any(s in reached for s in range(end) if run[s:end] in self.katakana):
                reached.add(end)
        return len(run) in reached


def derived(word: str) -> bool:
    """Its ending marks an English adverb, participle or abstract noun."""
    return _DERIVED.fullmatch(word.casefold()) is not None


@cache
def lexicon() -> Lexicon:
    """Load the shipped vocabulary. Raises DataError."""
    text = (files("sekisho.data") / "rules" / "novel-span.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    if set(data) != KEYS:
        raise DataError(f"novel-span.toml: keys {sorted(set(data) ^ KEYS)} are unknown or missing")
    cues = "|".join(rf"(?<![a-z]){re.escape(c)}" for c in data["cues"])
    return Lexicon(
        cues=re.compile(cues),
        words=frozenset(data["openers"].split()) | frozenset(data["names"].split()),
        katakana=frozenset(data["katakana"].split()),
        quoted=frozenset(data["quoted"].split()),
    )
