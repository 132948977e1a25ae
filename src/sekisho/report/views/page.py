"""A view as one HTML file, made to be printed on A4: no script, no network, every text escaped and made visible."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from sekisho.report import html
from sekisho.report.views import glossary
from sekisho.report.views.document import Document
from sekisho.report.views.glossary import Term
from sekisho.report.views.markdown import texts
from sekisho.report.views.words import Say

SHEETS: Final = ("style.css", "terms.css", "view.css")
SYMBOLS: Final = {"unknown": "unknown", "attention": "caution"}
"""The shape beside a marked line."""

COMMAND: Final = "command"
_COMMAND: Final = re.compile(r"(`[^`]+`|(?<![\w-])--[a-z][a-z-]*)")
"""What is typed: it is set apart, and an option never breaks after its hyphens."""


def render(document: Document) -> str:
    """Write a document."""
    terms = glossary.used(texts(document), document.language) if document.glossary else ()
    made = html.page(
        "view.html",
        sheets=SHEETS,
        d=document,
        say=Say(document.language),
        terms=terms,
        pieces=marker(terms, document.language),
        symbols=SYMBOLS,
    )
    return made.rstrip("\n") + "\n"


def marker(terms: Sequence[Term], language: str) -> Callable[[str], list[tuple[str, Any]]]:
    """What cuts sentences up for a template: plain text, what is typed (COMMAND), and a word at its first occurrence (its term)."""
    numbers = {t.id: t for t in terms}
    seen: set[str] = set()

    def pieces(text: str) -> list[tuple[str, Any]]:
        parts: list[tuple[str, Any]] = []
        for number, run in enumerate(_COMMAND.split(text)):
            if number % 2:
                parts.append((run.strip("`"), COMMAND))
                continue
            for part, word in glossary.pieces(run, language) if terms else [(run, "")]:
                first = word in numbers and word not in seen
                seen.add(word)
                parts.append((part, numbers[word] if first else None))
        return parts

    return pieces
