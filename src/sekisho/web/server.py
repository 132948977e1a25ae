"""The server around the app: one process, one port, no log of what is asked."""

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

from sekisho.errors import UsageError
from sekisho.ledger import book
from sekisho.limits import DEFAULT
from sekisho.register.texts import Texts
from sekisho.web.site import Site

_LOOPBACK: Final = ("127.", "localhost", "[::1]")


def serve(site: Site, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve until interrupted; `ready` is told the port. Raises UsageError, DataError, StorageError."""
    try:
        import uvicorn

        from sekisho.web import app
    except ModuleNotFoundError as error:
        raise UsageError("the web app needs more packages: pip install 'sekisho[serve]'") from error
    with closing(book.open_ledger(site.place, clock=site.clock)) as ledger:
        site.shelf.refresh(ledger)  # what is wrong with the ledger shows now, not at the first page
    config = uvicorn.Config(
        app.build(site),
        log_level="warning",
        access_log=False,  # addresses hold tokens
        server_header=False,
        proxy_headers=False,
        limit_concurrency=DEFAULT.web_connections,
        timeout_graceful_shutdown=5,
    )
    with closing(_listening(host, port)) as listening:
        ready(listening.getsockname()[1])
        with suppress(KeyboardInterrupt):  # raised again once everybody was answered
            uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host.strip("[]"), port))
        made.listen()  # who follows the link at once waits, instead of being turned away
    except (OSError, OverflowError) as error:
        made.close()
        raise UsageError(f"{host}:{port} cannot be listened on: {error}; another port: --port N") from error
    return made


def greeting(site: Site, who: str, where: str, language: str) -> str:
    """What is said at the start: the link that signs in once, and where others sign in."""
    say = Texts("web", language)
    address = f"http://{where}"
    lines = [say("serve", "link", who=who), f"  {address}/login?token={site.sessions.once(who)}"]
    lines += [say("serve", "others", address=f"{address}/login")]
    if not where.startswith(_LOOPBACK):
        lines += [say("serve", "open")]
    return "\n".join((*lines, say("serve", "stop")))
