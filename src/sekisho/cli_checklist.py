"""The verb `checklist`: the 27 questions about one model, answered from facts and by people.

Exit codes: 0 every required item is a yes, 1 a required item is a no, 2 not carried out, 3 something is still unknown.
"""

import argparse
import datetime as dt
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write
from sekisho.errors import UsageError

if TYPE_CHECKING:
    from sekisho.checklist.engine import Checklist
    from sekisho.checklist.sources import Sources

REFUSED: Final = 1
OPEN: Final = 3
TARGET: Final = "dossier.json, a folder with one, a model, a catalogue name, or a root digest of the ledger"


def register(verbs: Verbs, say: Write, warn: Write) -> None:
    """Add the verb; results go to `say`, what was written to the ledger to `warn`."""
    verb = verbs.add_parser(
        "checklist",
        help="the 27 questions about a model: what facts answer, what waits for a person, what to do next",
        epilog="Exit codes: 0 every required item is a yes, 1 one is a no, 2 not carried out, 3 something is still unknown. "
        "An answer is an entry of the ledger, with its writer's name and time.",
    )
    verb.add_argument("model", help=TARGET)
    sources(verb)
    verb.add_argument(
        "--profile",
        choices=("quick", "standard", "deep"),
        default="standard",
        help="what is required (default: standard)",
    )
    verb.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="C13=yes",
        help="answer an item by hand: yes, no or unknown; more than once if need be",
    )
    verb.add_argument(
        "--by", metavar="NAME", help="who answers (default: $SEKISHO_ACTOR, else the login name)"
    )
    verb.add_argument("--note", default="", metavar="TEXT", help="one line that goes with the answer")
    verb.add_argument("--open", action="store_true", help="only what is required and no yes")
    verb.add_argument(
        "--format",
        choices=("text", "json", "html", "markdown"),
        default="text",
        help="of what is printed or written (default: text)",
    )
    verb.add_argument("--out", type=Path, help="write it to this file")
    shared.language(verb)
    verb.set_defaults(run=lambda options: _run(options, say, warn))


def sources(verb: argparse.ArgumentParser) -> None:
    """What answers are drawn from, besides the dossier."""
    verb.add_argument("--intake", type=Path, help="intake record, as `sekisho provenance --out` wrote it")
    cli_ledger.place(verb)


def gathered(options: argparse.Namespace, model: str) -> "Sources":
    """Everything on file about a model. Raises DataError, UsageError, StorageError."""
    from sekisho import standing

    asked = standing.Asked(model, options.intake, options.ledger or "")
    return standing.gather(asked, dt.datetime.now(dt.UTC))


def _run(options: argparse.Namespace, say: Write, warn: Write) -> int:
    from sekisho.checklist import engine

    if options.answer:
        _write(options, warn)
    elif options.by or options.note:
        raise UsageError("--by and --note go with --answer")
    found = gathered(options, options.model)
    made = engine.fill(found, options.profile)
    shown = _shown(options, found, made)
    if options.out:
        from sekisho.evidence import dossier as dossiers

        shown = str(dossiers.save(shown.encode("utf-8", "backslashreplace"), options.out))
    say(shown.rstrip("\n"))
    return 0 if made.complete else REFUSED if made.refused else OPEN


def _shown(options: argparse.Namespace, found: "Sources", made: "Checklist") -> str:
    from sekisho.report import checklist

    if options.format == "json":
        return json.dumps(checklist.plain(made, options.lang), ensure_ascii=False, indent=1)
    if options.format == "text":
        return checklist.text(made, options.lang, only_open=options.open)
    from sekisho.report import views

    return views.checked_page(found, made, options.format, options.lang)


def _write(options: argparse.Namespace, warn: Write) -> None:
    """Write the answers, all or none. Raises UsageError, DataError, RuleError, StorageError."""
    from sekisho import standing
    from sekisho.ledger.entry import Draft
    from sekisho.ledger.kinds import Kind
    from sekisho.report import checklist

    pairs, subject = [_pair(text, options.note) for text in options.answer], standing.subject(options.model)
    actor = cli_ledger.who(argparse.Namespace(actor=options.by))
    note = {"note": options.note} if options.note.strip() else {}
    drafts = [
        Draft(actor, Kind.CHECKLIST_ANSWER, subject, {"item": item, "answer": answer} | note)
        for item, answer in pairs
    ]
    with closing(cli_ledger.opened(options, create=True)) as ledger:
        standing.about(ledger, subject)  # nothing is added to a chain that is broken
        made = ledger.extend(drafts)
    for entry, (item, answer) in zip(made, pairs, strict=True):
        facts = {"item": item, "answer": checklist.say("answer", answer, options.lang), "who": entry.actor}
        warn(checklist.say("ui", "recorded", options.lang, n=str(entry.sequence), **facts))


def _pair(text: str, note: str) -> tuple[str, str]:
    from sekisho.checklist import engine, items
    from sekisho.checklist.sources import Answer

    item, equals, answer = text.partition("=")
    known = items.find(item)
    if not equals or answer.strip().lower() not in tuple(Answer):
        raise UsageError(f"{text[:40]!r}: write it as {known.id}=yes, {known.id}=no or {known.id}=unknown")
    said = Answer(answer.strip().lower())
    engine.allow(known, said, note)
    return known.id, said.value
