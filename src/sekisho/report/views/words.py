"""Sentences of the views: `locale/parts/views.toml`, each in both languages."""

from typing import final

from sekisho.report import checklist, provenance
from sekisho.report.words import Words, said_in


@final
class Say:
    """One language's sentences of the views, beside those of the report. Raises UsageError for an unknown language."""

    def __init__(self, language: str) -> None:
        self.words = Words(language)
        self.language = language

    def __call__(self, key: str, /, **facts: str) -> str:
        """The sentence `section.name`, filled; the name itself where there is none."""
        section, _, name = key.partition(".")
        return said_in("views", section, name, self.language, **facts)

    def state(self, state: str) -> str:
        """A model's state in the register."""
        return said_in("register", "state", state, self.language)

    def checklist(self, section: str, key: str, /, **facts: str) -> str:
        """A sentence of the checklist."""
        return checklist.say(section, key, self.language, **facts)

    def origin(self, section: str, key: str, /, **facts: str) -> str:
        """A sentence of the intake record."""
        return provenance.say(self.language, section, key, **facts)
