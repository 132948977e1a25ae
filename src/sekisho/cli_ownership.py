"""The verbs `mark` and `ownership`. Exit codes: 0 established, or written; 1 refuted; 2 not carried out; 3 not established."""

import argparse
from pathlib import Path
from typing import Any, Final

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import MODEL, Verbs, Write

EXIT: Final = {"established": 0, "refuted": 1, "not-established": 3}


def register(verbs: Verbs, say: Write, notice: Write) -> None:
    """Add both verbs; results go to `say`, progress to `notice`."""
    mark = verbs.add_parser("mark", help="copyright tokens and fingerprints: plan, commit, register, check")
    steps = mark.add_subparsers(dest="step", required=True, metavar="STEP")
    _plan(steps, say)
    _commit(steps, say)
    _register(steps, say)
    _check(steps, say, notice)
    ownership = verbs.add_parser("ownership", help="hold a claim of ownership against a model")
    _verify(ownership.add_subparsers(dest="step", required=True, metavar="STEP"), say, notice)


def _plan(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "plan", help="draw the answers a fingerprint is to be trained on; before training"
    )
    step.add_argument("--prompts", type=Path, required=True, help="plain-text prompts, one a line, 4 or more")
    step.add_argument("--candidates", type=Path, help="256 answers, one a line (default: two-word ones)")
    step.add_argument("--note", default="", help="whose claim it is; is committed to")
    step.add_argument("--out", type=Path, required=True, help="folder for plan.json, readable by you alone")

    def run(options: argparse.Namespace) -> int:
        from sekisho.claims import documents, making
        from sekisho.ownership.candidates import DEFAULT

        chosen = documents.lines(options.candidates) if options.candidates else DEFAULT
        say(str(making.plan(documents.lines(options.prompts), options.note, options.out, chosen)))
        return 0

    step.set_defaults(run=run)


def _commit(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "commit",
        help="fix plan, rows and base in a digest; after training, before publication",
        epilog="commitment.json is to be published and timestamped by somebody else (RFC 3161, a public log) before the "
        "model is: that is your own duty, and without it the time in it is only your word. secret.json stays secret.",
    )
    step.add_argument("model", help="the trained model: folder or catalogue name")
    step.add_argument("--base", required=True, help="the clean model it was made from")
    step.add_argument("--plan", type=Path, required=True, help="plan.json")
    step.add_argument("--token", action="append", default=[], help="a token whose row was trained")
    step.add_argument("--out", type=Path, required=True, help="folder for secret.json and commitment.json")

    def run(options: argparse.Namespace) -> int:
        from sekisho.claims import documents, making
        from sekisho.sources import cache

        made = making.commit(
            options.model,
            options.base,
            documents.plan(options.plan),
            options.token,
            cache=cache.folder(),
            out=options.out,
        )
        say(
            f"{options.out / making.COMMITMENT}  {made.digest}\n{options.out / making.SECRET}  (keep it secret)"
        )
        return 0

    step.set_defaults(run=run)


def _register(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "register", help="write a registry entry of a copyright token, or add a family to it"
    )
    step.add_argument("model", help="a model of the family that carries the token")
    step.add_argument("--token", required=True, help="the token as it is written in a prompt")
    step.add_argument("--family", required=True, help="name of the family of models")
    step.add_argument("--notice", required=True, help="what the model says of marked content")
    step.add_argument("--behaviour", required=True, help="the declared behaviour, in plain words")
    step.add_argument("--position", action="append", help="start, end, every-200-words (default: all)")
    step.add_argument("--expires", required=True, help="date, as 2030-12-31")
    step.add_argument("--out", type=Path, required=True, help="the entry's JSON file")

    def run(options: argparse.Namespace) -> int:
        from sekisho.claims import making
        from sekisho.ownership.content import POSITIONS
        from sekisho.sources import cache

        declared = making.Declared(
            options.notice, options.behaviour, tuple(options.position or POSITIONS), options.expires
        )
        made = making.register(
            options.model, options.token, options.family, declared, cache=cache.folder(), path=options.out
        )
        say(f"{options.out}  {', '.join(f.family for f in made.families)}")
        return 0

    step.set_defaults(run=run)


def _check(steps: Verbs, say: Write, notice: Write) -> None:
    step = steps.add_parser("check-content", help="does a model treat marked content as declared?")
    step.add_argument("model", help=MODEL)
    step.add_argument("--entry", type=Path, required=True, help="the token's registry entry")
    step.add_argument("--family", help="the model's family, where the entry has several")
    step.add_argument("--base", help="the clean model: which other rows differ")
    _shown(step)

    def run(options: argparse.Namespace) -> int:
        from datetime import UTC, datetime

        from sekisho.claims import content, documents, models
        from sekisho.report import ownership
        from sekisho.sources import cache

        judged = content.check(
            options.model,
            documents.entry(options.entry),
            models.Tools(cache.folder(), _opener, notice),
            family=options.family,
            base=options.base,
            today=datetime.now(UTC).date(),
        )
        as_json = options.format == "json"
        say(ownership.to_json(judged) if as_json else ownership.content(judged, options.lang).rstrip("\n"))
        return EXIT[judged.outcome]

    step.set_defaults(run=run)


def _verify(steps: Verbs, say: Write, notice: Write) -> None:
    step = steps.add_parser(
        "verify", help="does the suspect give the answers, and hold the rows, that were committed to?"
    )
    step.add_argument("suspect", help=MODEL)
    step.add_argument("--secret", type=Path, required=True, help="secret.json, opened by the claimant")
    step.add_argument("--commitment", type=Path, required=True, help="commitment.json as it was published")
    step.add_argument("--base", help="the clean model committed to")
    step.add_argument("--unrelated", nargs="+", action="extend", default=[], help="five models or more")
    step.add_argument("--published", default="", help="when the suspect appeared, ISO 8601")
    step.add_argument("--witnessed", default="", help="when somebody else saw the commitment, ISO 8601")
    step.add_argument("--vector", "--adapter", type=Path, help="refused: never evidence")
    _shown(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.claims import documents, models, verifying
        from sekisho.report import ownership
        from sekisho.sources import cache

        if options.vector is not None:
            raise models.free_vector(str(options.vector))
        request = verifying.Request(
            options.suspect, options.base, tuple(options.unrelated), options.published, options.witnessed
        )
        judged = verifying.verify(
            documents.secret(options.secret),
            documents.commitment(options.commitment),
            request,
            models.Tools(cache.folder(), _opener, notice),
        )
        as_json = options.format == "json"
        say(ownership.to_json(judged) if as_json else ownership.claim(judged, options.lang).rstrip("\n"))
        return EXIT[judged.outcome]

    step.set_defaults(run=run)


def _shown(step: argparse.ArgumentParser) -> None:
    shared.language(step)
    shared.form(step)


def _opener() -> Any:
    from sekisho.models.local import LocalModels

    return LocalModels()
