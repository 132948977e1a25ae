"""Back to where a model came from, forward to where it runs."""

from typing import Final

from sekisho.register import traced
from sekisho.register.trace import trace
from sekisho.web.visit import Absent, Page, Reply, Shown, Visit


def _show(visit: Visit) -> Reply:
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None:
            return Absent()
        visit.site.shelf.about(ledger, row.subject)  # raises where an entry is not as it was checked
        (found,) = trace(ledger, row.subject)
    return Shown(
        "trace.html",
        {"row": row, "d": traced.document(found, visit.language), "words": visit.texts("register")},
    )


PAGE: Final = Page("trace", "/models/{subject}/trace", _show)
