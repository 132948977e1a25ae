"""Asking for a model: the first entry of the register about it."""

from typing import Final

from sekisho.errors import SourceError
from sekisho.ledger.book import Ledger
from sekisho.register import identity, moves, rows
from sekisho.register.identity import Meant
from sekisho.register.wishes import DATA_CLASSES, NEEDED, Action, Wish
from sekisho.sources import address
from sekisho.web import choices
from sekisho.web.visit import Go, Page, Refused, Reply, Shown, Visit

TEXTS: Final = "web-request"
FACTS: Final = ("purpose", "data_class", "users", "owner", "supplier", "base", "name")


def _show(visit: Visit) -> Reply:
    given = {k: visit.form.get(k) or visit.query.get(k, "") for k in ("model", "address", "subject", *FACTS)}
    with visit.ledger() as ledger:
        known = visit.known(ledger, given["subject"])
    facts = {
        "words": visit.texts(TEXTS),
        "register": visit.texts("register"),
        "given": given,
        "known": known,
        "classes": DATA_CLASSES,
        "fetched": choices.fetched(),
        "found": choices.found(visit.site),
        "needed": ("purpose", "data_class", "users"),
    }
    return Shown("request.html", facts)


def _act(visit: Visit) -> Reply:
    words, form = visit.texts(TEXTS), visit.form
    text = form.get("address") or form.get("model")
    if not text and not form.get("subject"):
        return Refused(words("form", "no_model"))
    facts = {k: form.get(k) for k in FACTS if form.get(k)}
    lacking = [
        words("field", k) for k in NEEDED[Action.REQUEST] if k in FACTS and k != "name" and k not in facts
    ]
    if lacking:
        return Refused(words("form", "lacking", what=words.comma.join(lacking)))
    with visit.ledger() as ledger:
        try:
            meant = _again(visit, ledger) or _meant(visit, text)
        except SourceError:
            return Refused(words("form", "not_allowed"))
        before = rows.row(ledger, meant.subject)
        seen = before.last if before else 0
        asked = {"name": meant.name, "source": meant.source} | facts
        moves.move(ledger, meant.subject, Wish(Action.REQUEST, visit.person, asked, seen=seen))
    return Go(f"/models/{meant.subject}", words("told", "requested"))


def _again(visit: Visit, ledger: Ledger) -> Meant | None:
    """A model that the register has already."""
    row = visit.known(ledger, visit.form.get("subject"))
    return Meant(row.subject, row.name, row.source or f"sha256:{row.subject}") if row else None


def _meant(visit: Visit, text: str) -> Meant:
    """An address as it is typed; files here only where the server may look. Raises SourceError."""
    return identity.named(text) if address.is_address(text) else identity.at_hand(visit.site.allowed(text))


PAGE: Final = Page("request", "/request", _show, _act)
