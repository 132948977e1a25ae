"""The app: every request becomes a visit, every page an answer."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sekisho.errors import LimitError, UsageError
from sekisho.report.words import LANGUAGES
from sekisho.web import answers, forms, pages, render
from sekisho.web.forms import Form
from sekisho.web.guard import Guard
from sekisho.web.sessions import NOBODY
from sekisho.web.site import Site
from sekisho.web.visit import Go, Page, Visit

LANGUAGE: Final = "sekisho-language"
"""Cookie of the language that was chosen."""
_HEX: Final = 64
_Endpoint = Callable[[Request], Awaitable[Response]]


def build(site: Site) -> Starlette:
    """The app of a site. The ledger is opened anew for every request."""
    routes = [
        Route(p.path, _endpoint(site, p), methods=["GET", "POST"] if p.act else ["GET"], name=p.name)
        for p in pages.PAGES
    ]
    routes.append(Route("/style-{digest}.css", _style))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=site.hosts)],
        exception_handlers={HTTPException: _odd(site), Exception: _odd(site)},
    )


def _endpoint(site: Site, page: Page) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        form, unread = Form(), ""
        try:
            form = await forms.read(request) if request.method == "POST" else form
        except LimitError:
            unread = "too_large"
        except UsageError:
            unread = "unread"
        return await run_in_threadpool(_answer, site, page, request, (form, unread))

    return endpoint


def _answer(site: Site, page: Page, request: Request, sent: tuple[Form, str]) -> Response:
    """Sort out who visits; then the page decides what to show."""
    form, unread = sent
    session = request.cookies.get(site.cookie, "") or site.sessions.fresh()
    visit = visited(site, request, session, form)
    if unread:
        return _language_kept(answers.sorry(visit, unread, 413 if unread == "too_large" else 400), request)
    if not visit.person and not page.open:
        if request.method == "POST":
            return answers.sorry(visit, "signed_out", 403)
        return answers.answer(visit, session, Go(f"{answers.LOGIN}?next={quote(visit.path)}"))
    if request.method == "POST" and not hmac.compare_digest(form.get("csrf").encode(), visit.csrf.encode()):
        return answers.sorry(visit, "csrf", 403)
    made = answers.answer(visit, session, answers.reply(page, visit, request.method))
    return _language_kept(made, request)


def visited(site: Site, request: Request, session: str, form: Form) -> Visit:
    """Who asks, for what."""
    who = site.sessions.get(session)
    if who.token and who.token not in {p.token for p in site.everybody()}:
        site.sessions.end(session)  # the token was taken back meanwhile
        who = NOBODY
    return Visit(
        site=site,
        person=who.person,
        language=_language(request),
        csrf=site.sessions.csrf(session),
        parts=request.path_params,
        query=dict(request.query_params),
        form=form,
        path=request.url.path,
        told=site.sessions.told(session) if request.method == "GET" else "",
    )


def _language(request: Request) -> str:
    """As asked for now, as chosen before, else as the browser prefers."""
    preferred = request.headers.get("accept-language", "")[:2].lower()
    said = (request.query_params.get("lang"), request.cookies.get(LANGUAGE), preferred)
    return next((x for x in said if x in LANGUAGES), LANGUAGES[0])


def _language_kept(response: Response, request: Request) -> Response:
    chosen = request.query_params.get("lang", "")
    if chosen in LANGUAGES:
        response.set_cookie(LANGUAGE, chosen, samesite="strict", httponly=True)
    return response


async def _style(request: Request) -> Response:
    text, digest = render.style()
    if request.path_params["digest"] != digest:
        return Response(status_code=404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(text, media_type="text/css", headers=kept)


def _odd(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    """No such page, or a fault of ours: the page says so, and no more of it."""

    async def handler(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        session = request.cookies.get(site.cookie, "") or site.sessions.fresh()
        visit = await run_in_threadpool(visited, site, request, session, Form())
        key = {404: "absent", 405: "method"}.get(status, "fault")
        return await run_in_threadpool(answers.sorry, visit, key, status)

    return handler
