"""The verbs of the register: request to retire, `models` and `trace`.

Exit codes: 0 done, 2 refused with one line that says what is missing; of `models --overdue`, 3 if something is overdue.
"""

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write
from sekisho.ledger.kinds import WHY_AGAIN
from sekisho.ledger.states import State
from sekisho.register.wishes import DATA_CLASSES

if TYPE_CHECKING:
    from sekisho.ledger.book import Ledger
    from sekisho.register.rows import Page
    from sekisho.register.wishes import Action

OVERDUE: Final = 3
ID: Final = "digest of the model, its first six digits or more, its name, or its folder"
_Arguments = Callable[[argparse.ArgumentParser], None]


def register(verbs: Verbs, say: Write) -> None:
    """Add the verbs; results go to `say`."""
    _request(verbs, say)
    _receive(verbs, say)
    for name, (text, arguments) in _STEPS.items():
        _step(verbs, say, name, text)
        arguments(verbs.choices[name])
    _models(verbs, say)
    _trace(verbs, say)


def _common(verb: argparse.ArgumentParser) -> None:
    cli_ledger.place(verb)
    shared.form(verb)
    shared.language(verb)


def _by(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--by",
        dest="actor",
        metavar="NAME",
        help="who does it (default: $SEKISHO_ACTOR, else the login name)",
    )


def _request(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("request", help="ask for a model: the first entry of the register about it")
    verb.add_argument("model", help="address (hf:org/name@COMMIT), model folder or file, or catalogue name")
    _by(verb)
    verb.add_argument("--purpose", help="what it is for")
    verb.add_argument("--data-class", choices=DATA_CLASSES, help="what data it will see")
    verb.add_argument("--users", help="who will use it, and how many")
    verb.add_argument("--owner", help="who answers for its use")
    verb.add_argument("--supplier", help="whom it comes from")
    verb.add_argument("--base", help="the model it was made from")
    verb.add_argument("--source", help="address it comes from (default: as MODEL names it)")
    verb.add_argument("--name", help="what the register calls it (default: as MODEL names it)")
    _common(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import identity
        from sekisho.register.wishes import Action

        meant = identity.named(options.model)
        facts = {"name": meant.name, "source": meant.source} | _facts(options)
        with closing(cli_ledger.opened(options, create=True)) as ledger:
            return _move(ledger, meant.subject, (Action.REQUEST, facts), options, say)

    verb.set_defaults(run=run)


def _receive(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "receive", help="the files of a requested model are here: bind them to the request"
    )
    verb.add_argument("id", help=ID)
    verb.add_argument("path", help=shared.MODEL)
    _by(verb)
    _common(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import identity
        from sekisho.register.wishes import Action

        files = identity.at_hand(options.path)
        with closing(cli_ledger.opened(options)) as ledger:
            subject, facts = identity.arrival(ledger, identity.sought(ledger, options.id), files)
            return _move(ledger, subject, (Action.RECEIVE, facts), options, say)

    verb.set_defaults(run=run)


def _step(verbs: Verbs, say: Write, name: str, text: str) -> None:
    verb = verbs.add_parser(name, help=text)
    verb.add_argument("id", help=ID)
    _by(verb)
    _common(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import identity
        from sekisho.register.wishes import Action

        with closing(cli_ledger.opened(options)) as ledger:
            subject = identity.sought(ledger, options.id)
            return _move(ledger, subject, (Action(name), _facts(options)), options, say)

    verb.set_defaults(run=run)


def _move(
    ledger: "Ledger",
    subject: str,
    step: "tuple[Action, dict[str, Any]]",
    options: argparse.Namespace,
    say: Write,
) -> int:
    from sekisho.register import identity, listing, moves, rows
    from sekisho.register.wishes import Action, Wish
    from sekisho.report import chain

    before = rows.row(ledger, subject)
    tried = step[0] is Action.DECIDE and before is not None and identity.drilled(before)
    seen = before.last if before else 0
    made = moves.move(
        ledger, subject, Wish(step[0], cli_ledger.who(options), step[1], drilled=tried, seen=seen)
    )
    if options.format == "json":
        say(json.dumps([chain.plain(e) for e in made], ensure_ascii=False, indent=1))
        return 0
    row = rows.row(ledger, subject)
    if row is not None:
        say(listing.done(row, made[-1], options.lang))
    return 0


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    own = {"run", "verb", "ledger", "format", "lang", "actor", "id", "model"}
    return {k: v for k, v in vars(options).items() if k not in own and v not in (None, [])}


def _nothing(verb: argparse.ArgumentParser) -> None:
    """No arguments of its own."""
    del verb


def _approve(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--of", choices=("pilot", "production"), help="what is approved")
    verb.add_argument("--comment", help="a line that goes with it")


def _pilot(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--users", help="who takes part")
    verb.add_argument("--days", type=int, help="after so many days it ends by itself")
    verb.add_argument("--data-class", choices=DATA_CLASSES, help="what data it may see meanwhile")
    verb.add_argument(
        "--exit",
        action="append",
        default=[],
        metavar="CRITERION",
        help="what must hold for production; may be repeated",
    )
    verb.add_argument("--place", help="where it runs")
    verb.add_argument("--reason", help="why it is tried")


def _produce(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--place", help="where it runs")
    verb.add_argument("--met", help="how the exit criteria of the pilot were met")
    verb.add_argument(
        "--retest-days", type=int, default=180, help="days until the next test is due (default: 180)"
    )
    verb.add_argument("--lock-digest", help="sha256 of the lock it is loaded by")


def _deploy(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--place", help="where it runs")
    verb.add_argument("--lock-digest", help="sha256 of the lock it is loaded by")
    verb.add_argument("--comment", help="a line that goes with it")


def _retest(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--because", choices=WHY_AGAIN, help="what changed")
    verb.add_argument("--reason", help="in words")


def _retire(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--reason", help="why it is not used any more")


def _except(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--reason", help="why it may be used although it was not admitted")
    verb.add_argument("--approver", help="who answers for it; not who asked for the model")
    verb.add_argument("--expires", help="day it ends, as in 2027-03-31")
    verb.add_argument("--covers", help="what it allows")


_STEPS: Final[dict[str, tuple[str, _Arguments]]] = {
    "decide": ("close the test: the newest recorded verdict counts", _nothing),
    "approve": ("sign off a pilot or production; not by who asked for the model", _approve),
    "pilot": ("begin a pilot: who, how long, on what data, and what must hold at its end", _pilot),
    "produce": ("put a piloted model into production, with a day for the next test", _produce),
    "deploy": ("write down one more place where a model runs", _deploy),
    "retest": ("send a model back to testing", _retest),
    "retire": ("take a model out of use", _retire),
    "except": ("let a model in that was not admitted: reason, approver, end", _except),
}


def _models(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "models",
        help="the register: what, from whom, how handled; state, dates, what is overdue",
        epilog=f"Exit code of --overdue: {OVERDUE} if a model in use is overdue.",
    )
    verb.add_argument("--state", choices=tuple(s.value for s in State), help="only models in this state")
    verb.add_argument("--overdue", action="store_true", help="only models in use that are overdue")
    verb.add_argument("--skip", type=int, default=0, help="leave out the first ones")
    verb.add_argument("--count", type=int, default=100, help="models of the page (default: 100)")
    cli_ledger.place(verb)
    verb.add_argument(
        "--format",
        choices=("text", "json", "markdown", "html"),
        default="text",
        help="of what is printed (default: text)",
    )
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import rows

        count, skip = max(1, options.count), max(0, options.skip)
        state = State(options.state) if options.state else None
        wish = rows.Listing(state, options.overdue, skip, count + 1)
        with closing(cli_ledger.opened(options)) as ledger:
            found = rows.page(ledger, wish)
            say(_page(ledger, found, (skip, count), options))
        return OVERDUE if options.overdue and found.rows else 0

    verb.set_defaults(run=run)


def _page(ledger: "Ledger", found: "Page", window: tuple[int, int], options: argparse.Namespace) -> str:
    from sekisho.register import documents, listing

    skip, count = window
    more = skip + count if len(found.rows) > count else 0
    page = listing.Listed(found.rows[:count], found.counts, ledger.now(), ledger.tip(), more)
    if options.format == "json":
        return json.dumps(listing.plain(page), ensure_ascii=False, indent=1)
    if options.format == "text":
        return listing.text(page, options.lang)
    made = listing.document(page, options.lang)
    return documents.markdown(made) if options.format == "markdown" else documents.html(made)


def _trace(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("trace", help="where a model or file came from, and where it runs")
    verb.add_argument("what", help="model of the register, folder, file, or sha256 of a file")
    _common(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import identity, traced
        from sekisho.register.trace import trace

        with closing(cli_ledger.opened(options)) as ledger:
            found = trace(ledger, identity.digest_of(ledger, options.what))
        if options.format == "json":
            say(json.dumps([traced.plain(f) for f in found], ensure_ascii=False, indent=1))
        else:
            say("\n\n".join(traced.text(f, options.lang) for f in found))
        return 0

    verb.set_defaults(run=run)
