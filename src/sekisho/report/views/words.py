"""Sentences of the views: `locale/parts/views.toml`, each in both languages."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, final

from sekisho.report import checklist, provenance
from sekisho.report.visible import one_line
from sekisho.report.words import Words, fill

_STATES: Final = "register.toml"


@lru_cache
def sentences(name: str = "views.toml") -> Mapping[str, Any]:
    """Read a file of `locale/parts/`."""
    text = (files("sekisho.report") / "locale" / "parts" / name).read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


@final
class Say:
    """One language's sentences of the views, beside those of the report. Raises UsageError for an unknown language."""

    def __init__(self, language: str) -> None:
        self.words = Words(language)
        self.language = language

    def __call__(self, key: str, /, **facts: str) -> str:
        """The sentence `section.name`, filled; the key itself where there is none."""
        section, _, name = key.partition(".")
        return self._from(sentences(), section, name, facts)

    def state(self, state: str) -> str:
        """A model's state in the register."""
        return self._from(sentences(_STATES), "state", state, {})

    def checklist(self, section: str, key: str, /, **facts: str) -> str:
        """A sentence of the checklist."""
        return checklist.say(section, key, self.language, **facts)

    def origin(self, section: str, key: str, /, **facts: str) -> str:
        """A sentence of the intake record."""
        return provenance.say(self.language, section, key, **facts)

    def _from(self, table: Mapping[str, Any], section: str, name: str, facts: Mapping[str, str]) -> str:
        text = table.get(section, {}).get(name, {}).get(self.language)
        return (
            fill(text, facts) if isinstance(text, str) else one_line(f"{section}.{name}" if section else name)
        )
