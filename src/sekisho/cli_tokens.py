"""The verb `sweep`. Exit codes: 0 no token changes answers, 1 one is harmful, 2 not carried out, 3 one is undeclared."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

EXIT: Final = {"admit": 0, "reject": 1, "hold": 3}

Write = Callable[[str], None]
Verbs = Any
"""What `add_subparsers` returns."""


def register(verbs: Verbs, say: Write) -> None:
    """Add the verb; results go to `say`."""
    verb = verbs.add_parser(
        "sweep",
        help="put tokens into prompts: which of them change what a model answers",
        epilog="Exit codes: 0 none, 1 one brings out forbidden behaviour, 2 not carried out, 3 one has no declared use. "
        "Interrupted, the same command goes on from there.",
    )
    verb.add_argument("path", help="model folder, GGUF file, or catalogue name")
    verb.add_argument("--base", help="the trusted model it was made from; 'none' compares with nothing")
    verb.add_argument(
        "--tier",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="1: tokens that findings name, added and reserved ones (default); 2: rare ordinary ones, too; 3: all",
    )
    verb.add_argument(
        "--references", type=int, default=256, help="ordinary tokens as the yardstick (default: 256)"
    )
    verb.add_argument("--declared", type=Path, help="TOML or JSON that says what tokens are for")
    verb.add_argument("--lang", choices=("en", "ja"), default="en", help="language of the report")

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
        return EXIT[swept.decision.value]

    verb.set_defaults(run=run)
