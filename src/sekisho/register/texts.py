"""Sentences of the register and its documents: data, in both languages, one file for each part."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, final

from sekisho.errors import UsageError
from sekisho.report.visible import one_line
from sekisho.report.words import LANGUAGES, fill, part

PARTS: Final = ("register", "house-rule", "packs", "clauses", "risks")
"""Files of `report/locale/parts/` that belong to the register."""


@final
class Texts:
    """One part in one language; a key without a sentence is said as itself."""

    def __init__(self, name: str, language: str) -> None:
        """Choose. Raises UsageError for an unknown language."""
        if language not in LANGUAGES:
            raise UsageError(f"nothing is written in {language!r}; there are {', '.join(LANGUAGES)}")
        self.language, self._table = language, part(name)

    def __call__(self, section: str, key: str, /, **facts: str) -> str:
        """One sentence, its names filled."""
        found = self._table.get(section, {}).get(key, {})
        text = found.get(self.language) if isinstance(found, Mapping) else None
        return fill(text, facts) if isinstance(text, str) else one_line(key)

    def keys(self, section: str) -> tuple[str, ...]:
        """The ids of a section, in the order of the file."""
        return tuple(self._table.get(section, {}))

    def table(self, section: str, key: str) -> Mapping[str, Any]:
        """An entry with more than its sentences."""
        found = self._table.get(section, {}).get(key, {})
        return MappingProxyType(found if isinstance(found, dict) else {})

    @property
    def comma(self) -> str:
        """Between two phrases."""
        return "、" if self.language == "ja" else "; "

    @property
    def colon(self) -> str:
        """After a label."""
        return "：" if self.language == "ja" else ": "
