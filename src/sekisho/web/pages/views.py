"""The newest dossier of a model for its readers: the four views, the meeting paper and the full report."""

from typing import Final

from sekisho.report import html, views
from sekisho.web.visit import Absent, Page, Reply, Sent, Visit

FULL: Final = "report"
READERS: Final = (*views.VIEWS, FULL)


def _show(visit: Visit) -> Reply:
    view = visit.parts["view"]
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None or view not in READERS:
            return Absent()
        sources = visit.sources(ledger, row.subject)
    if sources.dossier is None:
        return Absent()
    if view == FULL:
        return Sent(html.render(sources.dossier, visit.language))
    return Sent(views.render(view, sources, "html", visit.language))


PAGE: Final = Page("view", "/models/{subject}/views/{view}", _show)
