"""Words of the trade, found in sentences and explained: `locale/glossary.toml`."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True)
class Term:
    """One word and its explanation, in one language."""

    id: str
    name: str
    says: str
    number: int
    """Of its footnote, from 1; 0 where no page is meant."""


@lru_cache
def table() -> Mapping[str, Any]:
    """Every word by its id: language, then name, forms and says."""
    text = (files("sekisho.report") / "locale" / "glossary.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


def used(texts: Iterable[str], language: str) -> tuple[Term, ...]:
    """The words that occur in some texts, numbered in the order of their first occurrence."""
    found = dict.fromkeys(word for text in texts for _, word in pieces(text, language) if word)
    return tuple(
        Term(word, table()[word][language]["name"], table()[word][language]["says"], number)
        for number, word in enumerate(found, 1)
    )


def pieces(text: str, language: str) -> Iterator[tuple[str, str]]:
    """A text in pieces, each with the id of the word it is, or with nothing."""
    forms, pattern = _forms(language)
    at = 0
    for match in pattern.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], ""
        yield match[0], forms[match[0].lower()]
        at = match.end()
    if at < len(text):
        yield text[at:], ""


_LETTER: Final = r"[A-Za-z0-9_-]"


@lru_cache
def _forms(language: str) -> tuple[Mapping[str, str], re.Pattern[str]]:
    """Spellings and the words they belong to; the longest spelling is tried first, whole words only in English."""
    forms = {form.lower(): word for word, texts in table().items() for form in texts[language]["forms"]}
    tried = "|".join(re.escape(f) for f in sorted(forms, key=len, reverse=True))
    around = (rf"(?<!{_LETTER})(?:{tried})(?!{_LETTER})") if language == "en" else f"(?:{tried})"
    return MappingProxyType(forms), re.compile(around, re.IGNORECASE)
