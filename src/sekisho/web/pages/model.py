"""One model: where it stands, its way through the company as the ledger has it, and what can be done next."""

from typing import Final

from sekisho.ledger.entry import Entry
from sekisho.register import listing
from sekisho.report import chain
from sekisho.web import steps, told
from sekisho.web.pages import register, step, views
from sekisho.web.visit import Absent, Page, Reply, Shown, Visit

_MOST: Final = 200
"""Entries shown on the page, the newest."""


def _show(visit: Visit) -> Reply:
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None:
            return Absent()
        entries = visit.site.shelf.about(ledger, row.subject)
    words = visit.texts("register")
    history = [_told(e, visit) for e in reversed(entries)][:_MOST]
    likely = steps.likely(row, entries, visit.site.clock())
    facts = {
        "line": register.line(row, visit, words),
        "row": row,
        "words": words,
        "step": visit.texts(step.TEXTS),
        "whom": listing.whom(row, words),
        "steps": [a.value for a in steps.offered(row, likely, visit.person)],
        "likely": likely.value if likely else "",
        "next": steps.due(row, likely),
        "vet": row.state in steps.TESTED,
        "barred": steps.own(row, visit.person) and likely in steps.APPROVING,
        "readers": views.READERS if row.dossier else (),
        "history": history,
        "more": max(0, len(entries) - _MOST),
    }
    return Shown("model.html", facts)


def _told(entry: Entry, visit: Visit) -> dict[str, str]:
    return {
        "n": str(entry.sequence),
        "time": entry.time,
        "who": entry.actor,
        "kind": chain.say("kind", entry.kind, visit.language),
        "told": told.told(entry, visit.texts("register")),
    }


PAGE: Final = Page("model", "/models/{subject}", _show)
