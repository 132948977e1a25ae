"""The register: every model, what it is for, from whom, how it is handled and where it stands."""

import re
from dataclasses import dataclass
from typing import Final

from sekisho.ledger.states import State
from sekisho.limits import DEFAULT
from sekisho.register import listing
from sekisho.register.rows import Listing, Row
from sekisho.register.texts import Texts
from sekisho.web.visit import Page, Reply, Shown, Visit

_CHARS: Final = 200
OVERDUE: Final = "overdue"
_SHORT: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")
"""A revision or digest; a list shows its beginning."""


@dataclass(frozen=True)
class Line:
    """A row in words."""

    row: Row
    name: str
    state: str
    what: str
    whom: str
    handled: str
    ahead: str
    warnings: tuple[str, ...]


def _show(visit: Visit) -> Reply:
    chosen, text = visit.query.get("state", ""), visit.query.get("q", "").strip()[:_CHARS]
    number = visit.query.get("page", "1")
    page = (
        max(1, int(number))
        if number.isascii() and number.isdigit() and len(number) < DEFAULT.web_digits
        else 1
    )
    words, size, shelf = visit.texts("register"), DEFAULT.web_rows, visit.site.shelf
    with visit.ledger() as ledger:
        tip, now = shelf.refresh(ledger), ledger.now()
    state = State(chosen) if chosen in tuple(State) else None
    wish = Listing(state, chosen == OVERDUE, (page - 1) * size, size + 1)
    found = shelf.listed(wish, now, text)
    return Shown(
        "register.html",
        {
            "lines": [line(r, visit, words) for r in found[:size]],
            "counts": [
                (s.value if s else "", listing.state(Row("", state=s), words), n)
                for s, n in shelf.counts().items()
            ],
            "words": words,
            "chosen": chosen if state or chosen == OVERDUE else "",
            "q": text,
            "page": page,
            "more": len(found) > size,
            "tip": tip,
        },
    )


def line(row: Row, visit: Visit, words: Texts) -> Line:
    """A row for people, with the words of the register."""
    return Line(
        row=row,
        name=row.name or words("ui", "unknown"),
        state=listing.state(row, words),
        what=row.purpose,
        whom=_SHORT.sub(r"\1…", listing.whom(row, words)),
        handled=listing.handled(row, words),
        ahead=listing.ahead(row, words),
        warnings=listing.warnings(row, visit.site.clock(), words),
    )


PAGE: Final = Page("register", "/", _show)
