"""The verb `ablate`.

Exit codes: 0 no accompanying file stands out, 2 not carried out, 3 one brings a set text or forbidden behaviour, or could not be tried.
"""

import argparse

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import MODEL, Verbs, Write
from sekisho.records import EXIT


def register(verbs: Verbs, say: Write) -> None:
    """Add the verb; the result goes to `say`."""
    verb = verbs.add_parser(
        "ablate",
        help="ask with and without each accompanying file: which of them does what",
        epilog="Exit codes: 0 no file stands out, 2 not carried out, 3 one brings out a set text or forbidden behaviour, or could not be tried. "
        "Interrupted, the same command goes on from there.",
    )
    verb.add_argument("path", help=f"{MODEL}, or an adapter's folder (with --base)")
    shared.base(verb)
    shared.policy(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import ablation
        from sekisho.progress import Console
        from sekisho.report import text

        request = ablation.Options(policy=options.policy)
        with Console() as watch:
            done = ablation.ablate(options.path, options.base, options=request, watch=watch)
        say(text.ablation(done.result, done.findings, options.lang) + done.decision.value.upper())
        return EXIT[done.decision]

    verb.set_defaults(run=run)
