"""The verbs `serve`, the web app on this machine, and `people`, who may sign in there.

Exit codes: 0 done or stopped, 2 not carried out.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.web.site import Site

HOST: Final = "127.0.0.1"
PORT: Final = 8765
LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")


def register(verbs: Verbs, say: Write, warn: Write) -> None:
    """Add both verbs; results go to `say`, the link to sign in to `warn`."""
    _serve(verbs, warn)
    _people(verbs, say)


def _serve(verbs: Verbs, warn: Write) -> None:
    verb = verbs.add_parser(
        "serve",
        help="the web app on this machine: register, vets, checklist, sign-off",
        epilog="It prints a link that signs in once. Others sign in with a token of their own: sekisho people add NAME.",
    )
    verb.add_argument("--port", type=int, default=PORT, help=f"where it listens (default: {PORT})")
    verb.add_argument(
        "--host", type=_host, default=HOST, help=f"address it listens on (default: {HOST}: this machine only)"
    )
    verb.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="another name it answers to, such as that of a proxy with TLS before it; may be repeated",
    )
    verb.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="models below this folder may be vetted by their path; may be repeated (default: only the catalogue)",
    )
    verb.add_argument("--by", dest="actor", metavar="NAME", help="whom the link signs in (default: $SEKISHO_ACTOR, else the login name)")  # fmt: skip
    cli_ledger.place(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.web import server

        who = cli_ledger.who(options)
        site = _site(options)

        def ready(port: int) -> None:
            warn(server.greeting(site, who, f"{options.host}:{port}", options.lang))

        server.serve(site, options.host, options.port, ready)
        return 0

    verb.set_defaults(run=run)


def _host(text: str) -> str:
    """An IPv6 address in brackets, as a link and a browser write it."""
    return f"[{text}]" if ":" in text and not text.startswith("[") else text


def _site(options: argparse.Namespace) -> "Site":
    from sekisho.errors import SourceError
    from sekisho.ledger import book
    from sekisho.web.site import Site

    missing = [f for f in options.models if not f.expanduser().is_dir()]
    if missing:
        raise SourceError(f"{missing[0]}: no folder, and --models names one")
    names = (*LOCAL, options.host)
    hosts = {f"{n}:{options.port}".lower() for n in names} | {n.lower() for n in options.name}
    place = options.ledger or book.default_place()
    return Site(
        place=place if "://" in place else str(Path(place).expanduser().absolute()),
        hosts=frozenset(hosts),
        models=tuple(f.expanduser().resolve() for f in options.models),
        cookie=f"sekisho-{options.port}",
    )


def _people(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("people", help="who may sign in to the web app: add, list, remove")
    steps = verb.add_subparsers(dest="step", required=True, metavar="STEP")
    add = steps.add_parser(
        "add", help="let a person in; prints a token once (again: a new token, the old one ends)"
    )
    add.add_argument("name", help="as it will stand in the ledger")
    remove = steps.add_parser(
        "remove", help="let a person in no longer; who is signed in by that token is signed out"
    )
    remove.add_argument("name", help="as `people list` shows it")
    listed = steps.add_parser("list", help="names, and since when")
    for step, run in ((add, _add), (remove, _remove), (listed, _list)):
        cli_ledger.place(step)
        shared.language(step)
        step.set_defaults(run=lambda options, run=run: run(options, say))


def _file(options: argparse.Namespace) -> Path:
    from sekisho.ledger import book
    from sekisho.web import people, site

    return site.home(options.ledger or book.default_place()) / people.NAME


def _add(options: argparse.Namespace, say: Write) -> int:
    from sekisho.ledger import book
    from sekisho.register.texts import Texts
    from sekisho.web import people

    token = people.add(_file(options), options.name, book.stamp(book.utc_now()))
    say(Texts("web", options.lang)("people", "added", who=options.name, token=token))
    return 0


def _remove(options: argparse.Namespace, say: Write) -> int:
    from sekisho.register.texts import Texts
    from sekisho.web import people

    gone = people.remove(_file(options), options.name)
    say(Texts("web", options.lang)("people", "removed", who=gone))
    return 0


def _list(options: argparse.Namespace, say: Write) -> int:
    from sekisho.register.texts import Texts
    from sekisho.web import people

    found = people.read(_file(options))
    say("\n".join(f"{p.since}  {p.name}" for p in found) or Texts("web", options.lang)("people", "nobody"))
    return 0
