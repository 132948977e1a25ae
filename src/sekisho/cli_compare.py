"""The verb `compare`: two models beside one another, and a person's sign-off of what they showed.

Exit codes: 0 no rise found and every one ruled out, 1 a rise found, 2 not carried out, 3 not settled; of a sign-off,
0 accepted, 1 objected to, 3 open.
"""

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.evidence.compared import Compared

EXIT: Final = {"clear": 0, "found": 1, "open": 3}
SIGNED: Final = {"accepted": 0, "objected": 1, "open": 3}
WHAT: Final = "model folder, GGUF file, catalogue name, adapter folder, or openai+http://HOST:PORT/v1#MODEL"


def register(verbs: Verbs, say: Write) -> None:
    """Add the verb; results go to `say`."""
    verb = verbs.add_parser(
        "compare",
        help="ask two models the same questions: what rose, what is new; sign off what was read",
        epilog="Exit codes: 0 no rise found and every one ruled out, 1 a rise found, 2 not carried out, 3 not settled; "
        "of a sign-off 0 accepted, 1 objected to, 3 open. The key of a served model comes from SEKISHO_ENDPOINT_KEY.",
    )
    verb.add_argument("before", nargs="?", help=WHAT)
    verb.add_argument("after", nargs="?", help="the model it became, or is to be replaced by; the same kinds")
    verb.add_argument("--base", help="the whole model under an adapter (default: the other model)")
    verb.add_argument(
        "--record", type=Path, help="record of the training between the two: checked, and shown"
    )
    shared.policy(verb)
    shared.language(verb)
    shared.asking(verb)
    verb.add_argument("--sign-off", type=Path, metavar="FILE", help="sign-off.json of --out, filled in")
    verb.add_argument(
        "--replaces", type=int, default=0, metavar="N", help="entry of an earlier sign-off of it"
    )
    cli_ledger.place(verb)

    def run(options: argparse.Namespace) -> int:
        if options.sign_off:
            return _sign_off(options, say)
        return _compare(options, say)

    verb.set_defaults(run=run)


def _compare(options: argparse.Namespace, say: Write) -> int:
    from sekisho import comparison
    from sekisho.errors import UsageError
    from sekisho.progress import Console

    if not options.before or not options.after:
        raise UsageError("two models are compared: sekisho compare BEFORE AFTER")
    request = comparison.Options(
        profile=options.profile,
        policy=options.policy,
        suites=tuple(options.suite),
        base=options.base,
        record=options.record,
        out=options.out,
    )
    with Console() as watch:
        made = comparison.compare(options.before, options.after, options=request, watch=watch)
    say(written(made, options.out, options.lang))
    return EXIT[made.outcome]


def written(made: "Compared", out: Path, language: str) -> str:
    """Write the page and the form of a sign-off beside compare.json; the text that says so. Raises StorageError."""
    from sekisho import sign_off
    from sekisho.evidence import compared as records
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import comparison as report

    page = report.html(made, language).encode("utf-8", "backslashreplace")
    kept = [
        dossiers.save(page, out / "compare.html"),
        dossiers.save(sign_off.form(made), out / sign_off.NAME),
    ]
    places = "\n".join(map(str, kept))
    return f"{report.text(made, language)}\n{places}\n{out / records.NAME}  {records.digest(made)}"


def _sign_off(options: argparse.Namespace, say: Write) -> int:
    from sekisho import sign_off
    from sekisho.errors import UsageError
    from sekisho.evidence import compared as records
    from sekisho.ledger import book
    from sekisho.report.words import Words

    if options.before or options.after:
        raise UsageError("a sign-off names its file and --out, the folder of the comparison, and no models")
    made = records.read(options.out / records.NAME)
    signed = sign_off.read(options.sign_off, made)
    with closing(cli_ledger.opened(options, create=True)) as ledger:
        entry = sign_off.record(signed, made, ledger, now=book.utc_now(), replaces=options.replaces)
        words = Words(options.lang)
        facts = {"n": str(entry.sequence), "place": ledger.place, "head": f"{entry.sequence}:{entry.digest}"}
    outcome = words.say("sign_off", signed.outcome)
    say(words.say("sign_off", "recorded", name=signed.name, outcome=outcome, **facts))
    return SIGNED[signed.outcome]
