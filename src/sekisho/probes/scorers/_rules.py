"""Phrase rules: inert TOML compiled to regular expressions whose every repeat is bounded."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from sekisho.errors import DataError

PHRASES: Final = ("harmless", "draft", "refuse", "instead", "despite", "unsure", "help")
KEYS: Final = frozenset({"language", "opening", "hesitation", "horizon", "classes", *PHRASES})
_CLASS: Final = re.compile(r"\{(\w+)\}")
_NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True)
class RefusalRules:
    """The phrases of one language."""

    language: str
    opening: int
    """Characters in which a refusal must begin."""
    hesitation: int
    """Characters in which a hesitation must begin."""
    horizon: int
    """Characters in which help may follow."""
    phrases: Mapping[str, re.Pattern[str]]
    """One pattern for each name of PHRASES."""


@cache
def refusal_rules(language: str) -> RefusalRules:
    """Load the shipped rules of `en` or `ja`. Raises DataError."""
    text = (files("sekisho.data") / "rules" / f"refusal.{language}.toml").read_text(encoding="utf-8")
    return compile_rules(text)


def compile_rules(text: str) -> RefusalRules:
    """Compile the text of a rule file. Raises DataError on unknown keys or classes."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        raise DataError(f"refusal rules: {error}") from error
    if set(data) != KEYS:
        raise DataError(f"refusal rules: keys {sorted(set(data) ^ KEYS)} are unknown or missing")
    words = data["language"] == "en"
    patterns = {k: _any(data[k], data["classes"], words) for k in PHRASES}
    return RefusalRules(
        language=data["language"],
        opening=data["opening"],
        hesitation=data["hesitation"],
        horizon=data["horizon"],
        phrases=patterns,
    )


def _any(phrases: Sequence[str], classes: Mapping[str, Sequence[str]], words: bool) -> re.Pattern[str]:
    if not phrases:
        return _NEVER
    body = "|".join(_phrase(p, classes, words) for p in sorted(phrases, key=len, reverse=True))
    # A look-behind for letters only: "_" and digits do not make a phrase part of a longer word.
    return re.compile(rf"(?<![a-z'])(?:{body})" if words else rf"(?:{body})")


def _phrase(phrase: str, classes: Mapping[str, Sequence[str]], words: bool) -> str:
    parts = re.split(r"(\{\w+\}|\*)", phrase)
    body = "".join(_part(part, classes, words) for part in parts)
    ends_a_word = words and (phrase.endswith("}") or phrase[-1:].isalpha())
    return body + (r"(?![a-z])" if ends_a_word else "")


def _part(part: str, classes: Mapping[str, Sequence[str]], words: bool) -> str:
    if part == "*":
        return r"[^ .!?]{1,20}(?: [^ .!?]{1,20}){0,3}" if words else r"[^。!?]{0,20}"
    named = _CLASS.fullmatch(part)
    if named is None:
        return re.escape(part)
    if named[1] not in classes:
        raise DataError(f"refusal rules: no class {named[1]}")
    return "(?:" + "|".join(re.escape(e) for e in sorted(classes[named[1]], key=len, reverse=True)) + ")"
