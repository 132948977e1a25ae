"""The verbs `record`, `training` and `rerun`.

Exit codes of `training verify`: 0 all is as recorded, 1 something is not, 2 not carried out, 3 not all could be looked at. Of
`rerun`: 0 reproduced bit for bit, 1 not, 2 not carried out, 3 the same within the tolerance. `record` ends as its program does.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_evidence, cli_ledger
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.rerun import Rerun
    from sekisho.training_log.reading import Record
    from sekisho.training_log.verifying import Trouble

RERUN_EXIT: Final = {"reproduced": 0, "different": 1, "similar": 3}
_RECORD: Final = Path("training.record.jsonl")
_WRITTEN: Final = f"the record, as `record` wrote it (such as {_RECORD})"
_PARTIAL: Final = 3


def register(verbs: Verbs, say: Write, note: Write) -> None:
    """Add the verbs; results go to `say`, what a program of the user's prints beside them to `note`."""
    _record(verbs, note)
    training = verbs.add_parser("training", help="records of trainings: verify, show, enter, sign")
    steps = training.add_subparsers(dest="step", required=True, metavar="STEP")
    _verify(steps, say)
    _show(steps, say)
    _enter(steps, say)
    _sign(steps, say)
    _rerun(verbs, say)


def _record(verbs: Verbs, note: Write) -> None:
    verb = verbs.add_parser(
        "record",
        help="run a training script and record its training",
        epilog="sekisho record -- python train.py. The trainings of transformers' Trainer and what is built on it are recorded; "
        "other loops use sekisho.training_log.recording. The exit code is the program's; 2 if nothing was recorded.",
    )
    verb.add_argument("--out", type=Path, help=f"the record (default: {_RECORD}, or the next free name)")
    verb.add_argument("--data", type=Path, help="file of the training rows: JSON lines, JSON or Parquet")
    verb.add_argument("--owner", default="", help="who answers for the training data")
    verb.add_argument("--classification", default="", help="of the training data, in your own words")
    shared.language(verb)
    verb.add_argument("command", nargs=argparse.REMAINDER, help="-- PROGRAM ...")

    def run(options: argparse.Namespace) -> int:
        from sekisho.errors import UsageError
        from sekisho.report import training as words
        from sekisho.training_log import launch, reading
        from sekisho.training_log.recorder import About, free

        place = options.out or free(_RECORD)
        about = About(options.owner, options.classification)
        code = launch.run(launch.Launch(_words(options.command), place, about, options.data))
        if not place.exists():
            raise UsageError(f"the program ended with {code}, and nothing in it was recorded")
        head = reading.read(place).head
        note(words.say("ui", "recorded", options.lang, path=str(place), head=head))
        return code if code >= 0 else 128 - code

    verb.set_defaults(run=run)


def _words(command: list[str]) -> tuple[str, ...]:
    return tuple(command[1:] if command[:1] == ["--"] else command)


def _verify(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "verify",
        help="hold a record against itself, base, data, result and ledger",
        epilog="Exit codes: 0 all is as recorded, 1 something is not, 2 not carried out, 3 not all could be looked at.",
    )
    step.add_argument("record", type=Path, help=_WRITTEN)
    step.add_argument("--base", type=Path, help="the model that was trained from")
    step.add_argument("--data", type=Path, help="file of the training rows")
    step.add_argument("--model", type=Path, help="folder of the result, or of a checkpoint")
    step.add_argument("--head", default="", help="digest of the last line, as kept elsewhere")
    cli_ledger.place(step)
    shared.form(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.report import training as words
        from sekisho.training_log import reading, verifying

        record = reading.read(options.record)
        against = verifying.Against(options.base, options.data, options.model, options.head)
        found = (*verifying.verify(record, against), *(_ledger(record, options) if options.ledger else ()))
        if options.format == "json":
            rows = [{"code": t.code, "grave": t.grave, **dict(t.facts)} for t in found]
            say(json.dumps({"head": record.head, "found": rows}, ensure_ascii=False, indent=1))
        else:
            say(words.troubles([(t.code, t.grave, t.facts) for t in found], options.lang))
        return 1 if any(t.grave for t in found) else _PARTIAL if found else 0

    step.set_defaults(run=run)


def _ledger(record: "Record", options: argparse.Namespace) -> "Sequence[Trouble]":
    from sekisho.ledger.kinds import Kind
    from sekisho.training_log import verifying

    run = record.first("open").get("run")
    with closing(cli_ledger.opened(options)) as ledger:
        for entry in ledger.all():
            if entry.kind != Kind.TRAINING_RECORD:
                continue
            settings = entry.content.get("settings")
            if isinstance(settings, dict) and settings.get("record.run") == run:
                return tuple(verifying.entry(record, entry.content))
    return (verifying.Trouble("no-entry"),)


def _show(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("show", help="what a record says, in short")
    step.add_argument("record", type=Path, help=_WRITTEN)
    shared.form(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.report import training as words
        from sekisho.training_log import reading
        from sekisho.training_log.entry import summary
        from sekisho.training_log.outline import outline

        record = reading.read(options.record)
        if options.format == "json":
            say(json.dumps(summary(record), ensure_ascii=False, indent=1))
        else:
            say(words.shown(outline(record), options.lang))
        return 0

    step.set_defaults(run=run)


def _result(step: argparse.ArgumentParser) -> None:
    step.add_argument("record", type=Path, help=_WRITTEN)
    step.add_argument("--model", type=Path, required=True, help="folder of the result")


def _made(options: argparse.Namespace) -> "tuple[Record, str]":
    """A record and the root digest of its result. Raises UsageError where the folder is another one."""
    from sekisho.errors import UsageError
    from sekisho.report import training as words
    from sekisho.training_log import models, reading, verifying

    record = reading.read(options.record)
    grave = [t for t in verifying.verify(record, verifying.Against(model=options.model)) if t.grave]
    if grave:
        raise UsageError(
            words.troubles([(t.code, True, t.facts) for t in grave[:1]], options.lang).splitlines()[1]
        )
    return record, models.take(options.model).root


def _enter(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("enter", help="append the record to the ledger, as an entry about its result")
    _result(step)
    cli_ledger.place(step)
    cli_ledger.actor(step)
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.report import training as words
        from sekisho.training_log import entry

        record, root = _made(options)
        with closing(cli_ledger.opened(options, create=True)) as ledger:
            made = ledger.append(entry.draft(record, cli_ledger.who(options), root))
            facts = {"n": str(made.sequence), "place": ledger.place, "head": f"{made.sequence}:{made.digest}"}
        say(words.say("ui", "entered", options.lang, **facts))
        return 0

    step.set_defaults(run=run)


def _sign(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("sign", help="state the record as SLSA provenance of its result, and sign that")
    _result(step)
    cli_evidence.keyed(step)
    step.add_argument(
        "--out", type=Path, default=Path("finetune.intoto.json"), help="default: finetune.intoto.json"
    )
    shared.language(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.evidence import dossier as dossiers
        from sekisho.evidence import dsse, signers
        from sekisho.evidence.statements import Subject
        from sekisho.report import training as words
        from sekisho.training_log import entry

        record, root = _made(options)
        signer = signers.named(options.key, options.passphrase_file)
        payload = entry.statement(record, Subject(options.model.resolve().name, root))
        path = dossiers.save(dsse.dump(dsse.envelope(payload, [signer])) + b"\n", options.out)
        say(words.say("ui", "stated", options.lang, path=str(path), root=root[:16]))
        return 0

    step.set_defaults(run=run)


def _rerun(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "rerun",
        help="train again from a record: does the same come out",
        epilog="Exit codes: 0 reproduced bit for bit, 1 not, 2 not carried out, 3 the same within the tolerance.",
    )
    verb.add_argument("record", type=Path, help=_WRITTEN)
    verb.add_argument(
        "--out", type=Path, default=Path("sekisho-rerun"), help="new folder (default: sekisho-rerun/)"
    )
    verb.add_argument("--tolerance", type=float, default=0.02, help="of losses, as a share (default: 0.02)")
    verb.add_argument(
        "--ask", action="store_true", help="if the weights differ, ask both results the same questions"
    )
    shared.language(verb)
    verb.add_argument(
        "command", nargs=argparse.REMAINDER, help="-- PROGRAM ... instead of the recorded command"
    )

    def run(options: argparse.Namespace) -> int:
        from sekisho import rerun

        at = options.command.index("--") if "--" in options.command else len(options.command)
        own, program = options.command[:at], tuple(options.command[at + 1 :])
        if own:  # options after RECORD, which argparse hands on with the program
            options = verb.parse_args([*own, str(options.record)], options)
        request = rerun.Options(program, options.out, options.tolerance, options.ask)
        made = rerun.rerun(options.record, request)
        say(_told(made, options.lang))
        return RERUN_EXIT[made.repeated.outcome]

    verb.set_defaults(run=run)


def _told(made: "Rerun", language: str) -> str:
    from sekisho.report import comparison, training

    found = made.repeated
    facts = {
        "steps": str(found.steps),
        "largest": training.share(found.largest),
        "tolerance": training.share(found.tolerance),
    }
    key = "unlike" if found.outcome == "different" and not found.steps else found.outcome
    lines = [training.repeated(key, facts, language)]
    if found.outcome != "reproduced" or found.differing:
        lines.append(training.say("rerun", "why", language))
        lines.append(training.differing([(d.kind, d.name, d.old, d.new) for d in found.differing], language))
    if made.skipped:
        lines.append(training.say("rerun", "not-asked", language, why=made.skipped))
    if made.compared is not None:
        lines.append(comparison.text(made.compared, language))
    return "\n".join(lines)
