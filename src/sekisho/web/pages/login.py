"""Signing in with a link that works once, or with a token of one's own; and signing out."""

import re
from typing import Final

from sekisho.web import people
from sekisho.web.visit import Go, Page, Refused, Reply, Shown, SignedIn, SignedOut, Visit

_PLACE: Final = re.compile(r"/(?:[\w-][\w/.-]*)?", re.ASCII)


def _show(visit: Visit) -> Reply:
    if visit.person:
        return Go("/")
    token = visit.query.get("token", "")
    meant = visit.site.sessions.meant(token) if token else ""
    facts = {"meant": meant, "token": token if meant else "", "used": bool(token) and not meant}
    return Shown("login.html", facts | {"next": _next(visit.query.get("next") or visit.form.get("next"))})


def _act(visit: Visit) -> Reply:
    given = visit.form.get("token")
    to = _next(visit.form.get("next"))
    if once := visit.site.sessions.spend(given):
        return SignedIn(once, to)
    if own := people.whose(visit.site.everybody(), given):
        return SignedIn(own, to, given)
    return Refused(visit.say("login", "wrong"), 403)


def _out(visit: Visit) -> Reply:
    del visit
    return SignedOut()


def _next(text: str) -> str:
    """A page of ours; anything else leads home."""
    return text if _PLACE.fullmatch(text) and text != "/login" else "/"


PAGE: Final = Page("login", "/login", _show, _act, open=True)
OUT: Final = Page("logout", "/logout", lambda _: Go("/"), _out)
