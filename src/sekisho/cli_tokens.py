"""The verbs `sweep` and `repair`.

Exit codes: 0 no token changes answers, 1 one is harmful, 2 not carried out, 3 one is undeclared or not all could be looked at.
"""

import argparse
from pathlib import Path

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import MODEL, Verbs, Write
from sekisho.records import EXIT


def register(verbs: Verbs, say: Write) -> None:
    """Add both verbs; results go to `say`."""
    _sweep(verbs, say)
    _repair(verbs, say)


def _sweep(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "sweep",
        help="put tokens into prompts: which of them change what a model answers",
        epilog="Exit codes: 0 none, 1 one brings out forbidden behaviour, 2 not carried out, 3 one has no declared use, or the tokens could not be tried. "
        "Interrupted, the same command goes on from there.",
    )
    verb.add_argument("path", help=MODEL)
    shared.base(verb)
    verb.add_argument(
        "--tier",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="1: tokens that findings name, added and reserved ones (default); 2: rare ordinary ones, too; 3: all",
    )
    verb.add_argument(
        "--references", type=int, default=64, help="ordinary tokens as the yardstick (default: 64)"
    )
    shared.declared(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import tokens
        from sekisho.probes.sweep.settings import Settings
        from sekisho.progress import Console
        from sekisho.report import text

        settings = Settings(tier=options.tier, references=options.references)
        request = tokens.Options(settings, options.declared)
        with Console() as watch:
            swept = tokens.sweep(options.path, options.base, options=request, watch=watch)
        say(text.sweep(swept.result, swept.findings, options.lang) + swept.decision.value.upper())
        return EXIT[swept.decision]

    verb.set_defaults(run=run)


def _repair(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "repair",
        help="put undeclared rows of the token tables back as the base has them, in a copy",
        epilog="Exit codes: those of the sweep of the copy; 0 where nothing was to be put back.",
    )
    verb.add_argument("path", help="model folder with safetensors")
    verb.add_argument("--base", required=True, help="the trusted model it was made from")
    verb.add_argument("--out", type=Path, required=True, help="folder of the copy; must not exist yet")
    verb.add_argument("--declared", type=Path, help="TOML or JSON that says which rows are to stay, and why")
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import repair, tokens
        from sekisho.progress import Console
        from sekisho.report import text

        with Console() as watch:
            made = repair.repair(
                options.path,
                options.base,
                options.out,
                options=tokens.Options(declared=options.declared),
                watch=watch,
            )
        lines = [(r.table, len(r.ids), r.text, len(r.centred)) for r in made.restored]
        say(text.repaired(str(made.folder), lines, options.lang))
        if made.swept is None:
            return 0
        say(text.sweep(made.swept.result, made.swept.findings, options.lang))
        return EXIT[made.swept.decision]

    verb.set_defaults(run=run)
