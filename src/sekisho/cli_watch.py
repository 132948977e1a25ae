"""The verb `watch`: the same frozen questions put to a model in use, on a schedule.

Exit codes of `run` and `status`: 0 in order, 1 a rise found, 2 not carried out, 3 something waits for a person: a run
that is overdue, a re-test that is due, a first run that nobody accepted, a result that is not settled.
"""

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_compare, cli_ledger
from sekisho.cli_arguments import Verbs, Write
from sekisho.monitoring.schedule import KINDS

if TYPE_CHECKING:
    from sekisho.monitoring.run import Ran, Replay, Request

FOUND: Final = 1
WAITS: Final = 3
EPILOG: Final = "Exit codes: 0 in order, 1 a rise found, 2 not carried out, 3 overdue, a re-test due, not settled, or no run accepted."


def register(verbs: Verbs, say: Write) -> None:
    """Add the verb; results go to `say`."""
    verb = verbs.add_parser("watch", help="ask a model in use again and again: run, status, accept, schedule")
    steps = verb.add_subparsers(dest="step", required=True, metavar="STEP")
    run = _run(steps, say)
    _status(steps, say)
    _accept(steps, say)
    _schedule(steps, say, run)


def _run(steps: Verbs, say: Write) -> argparse.ArgumentParser:
    step = steps.add_parser("run", help="ask now, and hold against the accepted run", epilog=EPILOG)
    step.add_argument("target", help=cli_compare.WHAT)
    step.add_argument("--base", help="the whole model under an adapter")
    shared.policy(step)
    shared.language(step)
    shared.asking(step)
    cli_ledger.place(step)
    cli_ledger.actor(step)
    step.add_argument(
        "--every", type=int, default=7, metavar="DAYS", help="until the next run is due (default: 7)"
    )
    step.add_argument(
        "--retest",
        type=int,
        default=90,
        metavar="DAYS",
        help="until an accepted run is too old (default: 90)",
    )
    step.add_argument(
        "--record", type=Path, help="record of the training that made it: data, base and output count"
    )
    step.add_argument("--data", type=Path, help="its training data: another file makes a re-test due")
    step.add_argument("--revision", default="", help="of a served model, as its keeper names it")
    step.add_argument(
        "--library",
        action="append",
        default=[],
        metavar="NAME=VERSION",
        help="of the server, such as vllm=0.11.0",
    )
    step.add_argument("--prompts", type=Path, help="log of production: JSONL of prompt, answer, maybe system")
    step.add_argument(
        "--sample", type=int, default=200, help="prompts of the log to ask again (default: 200)"
    )
    step.add_argument("--seed", type=int, default=0, help="which of them (default: 0)")
    step.add_argument(
        "--show-prompts", action="store_true", help="let prompts and answers of the log into the report"
    )

    def run(options: argparse.Namespace) -> int:
        from sekisho.monitoring import run as runs
        from sekisho.progress import Console

        request = _request(options)
        with closing(cli_ledger.opened(options, create=True)) as ledger, Console() as watch:
            made = runs.run(request, ledger, watch=watch)
            place = ledger.place
        say(_told(made, options, place))
        return _code(made)

    step.set_defaults(run=run)
    return step


def _request(options: argparse.Namespace) -> "Request":
    from sekisho import comparison
    from sekisho.errors import UsageError
    from sekisho.monitoring.run import Request

    if options.every < 1 or options.retest < 1:
        raise UsageError("--every and --retest are 1 day or more")
    pairs = [text.partition("=") for text in options.library]
    if any(not (name and equals and version) for name, equals, version in pairs):
        raise UsageError("--library is NAME=VERSION")
    asked = comparison.Options(
        profile=options.profile,
        policy=options.policy,
        suites=tuple(options.suite),
        base=options.base,
        record=options.record,
    )
    return Request(
        target=options.target,
        actor=cli_ledger.who(options),
        asked=asked,
        every_days=options.every,
        retest_days=options.retest,
        revision=options.revision,
        data=options.data,
        libraries={name: version for name, _, version in pairs},
        replay=_replay(options),
    )


def _replay(options: argparse.Namespace) -> "Replay | None":
    from sekisho.monitoring.run import Replay

    if options.prompts is None:
        return None
    return Replay(options.prompts, options.sample, options.seed, options.show_prompts)


def _told(made: "Ran", options: argparse.Namespace, place: str) -> str:
    """The text of a run; its pages are written as far as there is something beside it."""
    from sekisho.evidence import compared as records
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import monitoring as report

    lang, lines = options.lang, [report.say("outcome", made.outcome, options.lang)]
    if made.triggers:
        lines.append(report.say("ui", "retest", lang))
        lines += [f"  - {line}" for line in report.triggers(made.triggers, lang)]
    for found, out in ((made.drift, options.out), (made.replayed, options.out / "replay")):
        if found is not None:
            dossiers.save(records.to_json(found), out / records.NAME)
            lines += ["", cli_compare.written(found, out, lang)]
    if made.read:
        told = report.answers(made.read, lang).encode("utf-8", "backslashreplace")
        path = dossiers.save(told, options.out / "answers.txt")
        lines.append(report.say("ui", "read", lang, path=str(path)))
    if made.replayed is not None:
        lines.append(report.replayed(made.entry, lang))
        lines += [] if options.show_prompts else [report.say("ui", "withheld", lang)]
    number = str(made.entry.sequence)
    if made.against is None or made.outcome == "first":
        lines.append(report.say("ui", "waiting", lang, n=number))
    head = f"{number}:{made.entry.digest}"
    return "\n".join([*lines, report.say("ui", "recorded", lang, n=number, place=place, head=head)])


def _code(made: "Ran") -> int:
    if made.outcome == "found":
        return FOUND
    return WAITS if made.triggers or made.outcome != "clear" else 0


def _status(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "status", help="what is overdue, what drifted, what waits for a person", epilog=EPILOG
    )
    cli_ledger.place(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.ledger import book, watches
        from sekisho.report import monitoring as report

        now = book.utc_now()
        with closing(cli_ledger.opened(options)) as ledger:
            found = watches.watched(ledger.all())
        say(report.status(found, now, options.lang))
        due = [w.triggers(now) for w in found]
        if any(t.because == "finding" for triggers in due for t in triggers):
            return FOUND
        return WAITS if any(due) or any(w.waiting or w.overdue(now) for w in found) else 0

    step.set_defaults(run=run)


def _accept(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("accept", help="take a run as the one that later runs are held against")
    step.add_argument("number", type=int, help="its entry in the ledger")
    step.add_argument("--comment", default="", help="needed where the run found a rise")
    cli_ledger.place(step)
    cli_ledger.actor(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.monitoring import run as runs
        from sekisho.report import monitoring as report

        with closing(cli_ledger.opened(options)) as ledger:
            made = runs.accept(ledger, options.number, cli_ledger.who(options), options.comment)
        facts = {"n": str(made.sequence), "run": str(options.number), "name": made.actor}
        say(report.say("ui", "taken", options.lang, **facts))
        return 0

    step.set_defaults(run=run)


def _schedule(steps: Verbs, say: Write, runner: argparse.ArgumentParser) -> None:
    step = steps.add_parser(
        "schedule",
        help="print what cron, a systemd timer or the Windows Task Scheduler needs; nothing is installed",
        epilog="For example: sekisho watch schedule --kind systemd -- openai+http://127.0.0.1:8000/v1#model --every 1",
    )
    step.add_argument("--kind", choices=KINDS, required=True, help="what shall start it")
    step.add_argument("--at", default="02:30", help="HH:MM (default: 02:30)")
    step.add_argument("arguments", nargs=argparse.REMAINDER, help="-- and what `watch run` is given")

    def run(options: argparse.Namespace) -> int:
        from sekisho.monitoring import schedule

        given = [a for n, a in enumerate(options.arguments) if n or a != "--"]
        asked = runner.parse_args(given)
        command = (sys.executable, "-m", "sekisho.cli", "watch", "run", *given, *_from_environment(asked))
        say(
            schedule.text(
                options.kind, schedule.Job(command, asked.every, options.at, str(Path.cwd()))
            ).rstrip("\n")
        )
        return 0

    step.set_defaults(run=run)


def _from_environment(asked: argparse.Namespace) -> tuple[str, ...]:
    """What this shell would have told the run and a scheduler will not; an address may hold a password, and stays out."""
    from sekisho.ledger import book

    place, who = os.environ.get(book.PLACE, ""), os.environ.get(book.ACTOR, "")
    ledger = ("--ledger", place) if place and not asked.ledger and "://" not in place else ()
    return (*ledger, *(("--actor", who) if who and not asked.actor else ()))
