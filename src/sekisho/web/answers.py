"""What a page gave back, as HTTP."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final, assert_never

from starlette.responses import HTMLResponse, RedirectResponse, Response

from sekisho.errors import DataError, RuleError, SekishoError, StorageError, UsageError
from sekisho.web import guard, render
from sekisho.web.visit import (
    Absent,
    Go,
    Page,
    Problem,
    Refused,
    Reply,
    Sent,
    Shown,
    SignedIn,
    SignedOut,
    Visit,
)

LOGIN: Final = "/login"
SORRY: Final = "sorry.html"


def reply(page: Page, visit: Visit, method: str) -> Reply:
    """Ask the page. What the library does not allow is told above the form, as it was typed."""
    if method != "POST" or page.act is None:
        return _shown(page, visit)
    try:
        made = page.act(visit)
    except (RuleError, UsageError) as error:
        status = 409 if isinstance(error, RuleError) else 400
        return _again(page, visit, Problem(visit.say("problem", _kind(error)), str(error)), status)
    except SekishoError as error:
        return _unable(visit, error)
    return _again(page, visit, Problem(made.text), made.status) if isinstance(made, Refused) else made


def _shown(page: Page, visit: Visit) -> Reply:
    try:
        return page.show(visit)
    except SekishoError as error:
        return _unable(visit, error)


def _again(page: Page, visit: Visit, problem: Problem, status: int) -> Reply:
    made = _shown(page, visit)
    if not isinstance(made, Shown) or made.status != HTTPStatus.OK:
        return made
    return replace(made, status=status, problem=problem)


def _kind(error: SekishoError) -> str:
    if isinstance(error, RuleError):
        return "rule"
    return "data" if isinstance(error, DataError) else "usage"


def _unable(visit: Visit, error: SekishoError) -> Shown:
    key = "storage" if isinstance(error, StorageError) else _kind(error)
    problem = Problem(visit.say("problem", key), str(error))
    return Shown(SORRY, {"key": "unable"}, 500 if key == "storage" else 409, problem)


def sorry(visit: Visit, key: str, status: int) -> Response:
    """A page that says why there is no other."""
    return _html(visit, Shown(SORRY, {"key": key}, status))


def answer(visit: Visit, session: str, made: Reply) -> Response:
    """Send it."""
    match made:
        case Shown():
            response = _html(visit, made)
        case Sent():
            headers = {"Content-Security-Policy": guard.DOCUMENT}
            response = Response(made.body, media_type=made.media, headers=headers)
        case Absent() | Refused():
            response = sorry(visit, "absent", 404)
        case Go():
            visit.site.sessions.tell(session, made.told)
            response = RedirectResponse(made.to, 303)
        case SignedIn() | SignedOut():
            return _signed(visit, session, made)
        case _:
            assert_never(made)
    if not visit.person:  # the token in a form of nobody is bound to this cookie
        _cookie(response, visit, session)
    return response


def _signed(visit: Visit, session: str, made: SignedIn | SignedOut) -> Response:
    """A new id at every change of who visits: one that was planted beforehand is worth nothing."""
    sessions = visit.site.sessions
    sessions.end(session)
    if isinstance(made, SignedIn):
        to, new = made.to, sessions.begin(made.person, made.token)
    else:
        to, new = LOGIN, sessions.fresh()
    response = RedirectResponse(to, 303)
    _cookie(response, visit, new)
    return response


def _cookie(response: Response, visit: Visit, session: str) -> None:
    response.set_cookie(visit.site.cookie, session, httponly=True, samesite="strict", path="/")


def _html(visit: Visit, shown: Shown) -> Response:
    return HTMLResponse(render.page(visit, shown), shown.status)
