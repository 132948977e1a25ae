"""Around every page: only our own name is answered, forms come from our own pages, and what is sent runs nothing."""

from collections.abc import MutableMapping
from typing import Any, Final, final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
DOCUMENT: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
"""For a document that brings its own style; the hash of that is in the document."""
HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    # not no-referrer: a browser would then say of our own forms, too, that their origin is `null`
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_READING: Final = ("GET", "HEAD")
_WRITING: Final = "POST"


@final
class Guard:
    """Middleware around the whole app."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """Answer to these values of `Host` only, in lower case."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                _headed(message)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, sent)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[h] for h in self._hosts]:
            return PlainTextResponse("This server does not answer to that name.\n", 421)
        if scope["method"] in _READING:
            return None
        if scope["method"] != _WRITING:
            return PlainTextResponse("Only GET, HEAD and POST are answered.\n", 405)
        origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "same-origin")
        ours = {f"http://{h}" for h in self._hosts} | {f"https://{h}" for h in self._hosts}
        if (origin and origin.lower() not in ours) or site not in ("same-origin", "none"):
            return PlainTextResponse("A form of another site is not taken.\n", 403)
        return None


def _headed(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS:
        headers[name] = value
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("Cache-Control", "no-store")
