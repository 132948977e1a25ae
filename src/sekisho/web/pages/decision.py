"""The decision on a model: what was found, what the next state rests on, and which page settles each point that is open."""

from dataclasses import dataclass
from typing import Final

from sekisho.checklist import engine
from sekisho.checklist.engine import Checklist
from sekisho.checklist.sources import Sources
from sekisho.ledger import rules
from sekisho.records import Decision
from sekisho.register import listing
from sekisho.register.rows import Row
from sekisho.register.wishes import Action
from sekisho.report import checklist
from sekisho.report.grounds import headline
from sekisho.report.lights import SHADES
from sekisho.report.views import page
from sekisho.report.words import Words
from sekisho.web import steps
from sekisho.web.visit import Absent, Page, Reply, Shown, Visit

PATH: Final = "/models/{subject}/decision"
_PROFILE: Final = "standard"


@dataclass(frozen=True)
class Need:
    """One thing that the next state rests on."""

    key: str
    """Of its sentence."""
    met: bool
    who: str = ""
    """Who settled it."""
    step: str = ""
    """The step that settles it; empty where it is met, or where no step does."""
    barred: bool = False
    """Whoever looks at the page asked for the model, and may not take it."""


def _show(visit: Visit) -> Reply:
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None:
            return Absent()
        found = visit.sources(ledger, row.subject)
    made, words = engine.fill(found, _PROFILE), Words(visit.language)
    ahead, wanted = steps.NEXT_APPROVED.get(row.state), needs(row, found, made, visit.person)
    return Shown(
        "decision.html",
        {
            "row": row,
            "state": listing.state(row, visit.texts("register")),
            "verdict": listing.decision(row, visit.texts("register")),
            "shade": SHADES[Decision(row.decision)] if row.decision else "unknown",
            "headline": headline(found.dossier, words) if found.dossier else None,
            "summary": checklist.summary(made, words),
            "open": [r.item.id for r in made.results if r.open],
            "needs": wanted,
            "first": next((n.step for n in wanted if n.step), ""),
            "ahead": ahead.value if ahead else "",
            "onward": steps.ENTERED[ahead].value if ahead else "",
            "testing": row.state in steps.TESTED,
            "pieces": page.marker((), visit.language),
            "text": visit.texts("web-decision"),
            "step": visit.texts("web-steps"),
        },
    )


def needs(row: Row, found: Sources, made: Checklist, person: str) -> tuple[Need, ...]:
    """What must be there before the next state, and what should be; empty where no state is ahead."""
    ahead = steps.NEXT_APPROVED.get(row.state)
    if ahead is None:
        return ()
    own = steps.own(row, person)
    approved = steps.approved(found.entries or (), ahead)
    return (
        _grounds(row, found, barred=own),
        Need("approved", bool(approved), approved, "" if approved else Action.APPROVE.value, own),
        Need("checklist", made.complete),
    )


def _grounds(row: Row, found: Sources, *, barred: bool) -> Need:
    """An admit on behaviour, or an exception in force."""
    if steps.admitted(row):
        return Need("admitted", met=True)
    held = rules.exception(found.entries or (), found.now)
    if held is None:
        return Need("excepted", met=False, step=Action.EXCEPT.value, barred=barred)
    return Need("excepted", met=True, who=str(held.content.get("approver", "")))


PAGE: Final = Page("decision", PATH, _show)
