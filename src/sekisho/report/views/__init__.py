"""One dossier, four readers: manager, operator, auditor, supplier; and the paper of a meeting. As HTML and as Markdown."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.checklist.engine import Checklist
from sekisho.checklist.sources import Sources
from sekisho.errors import UsageError
from sekisho.report.views import agenda, auditor, checked, management, markdown, operator, page, supplier
from sekisho.report.views.document import Document
from sekisho.report.views.facts import Matter, matter
from sekisho.report.views.words import Say

VIEWS: Final[Mapping[str, Callable[[Matter], Document]]] = MappingProxyType(
    {
        "management": management.document,
        "operator": operator.document,
        "auditor": auditor.document,
        "supplier": supplier.document,
        "agenda": agenda.document,
    }
)
ENDINGS: Final[Mapping[str, str]] = MappingProxyType({"html": ".html", "markdown": ".md"})
"""Formats, and how their files end."""


def render(
    view: str, sources: Sources, form: str = "html", language: str = "en", *, profile: str = "standard"
) -> str:
    """Write one of VIEWS in one of ENDINGS. Raises UsageError for anything unknown, or without a dossier."""
    if view not in VIEWS:
        raise UsageError(f"no view {view!r}; there are {', '.join(VIEWS)}")
    return write(VIEWS[view](matter(sources, language, profile)), form)


def checked_page(sources: Sources, made: Checklist, form: str = "html", language: str = "en") -> str:
    """Write the checklist as a page. Raises UsageError for an unknown format or language."""
    return write(checked.document(sources, made, Say(language)), form)


def write(document: Document, form: str) -> str:
    """Write a document. Raises UsageError for an unknown format."""
    if form not in ENDINGS:
        raise UsageError(f"no format {form!r} of a view; there are {', '.join(ENDINGS)}")
    return page.render(document) if form == "html" else markdown.render(document)
