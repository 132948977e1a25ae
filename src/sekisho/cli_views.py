"""The verbs `report` and `agenda`: a saved dossier for its readers.

Exit codes of `report`: as of the run itself, 0 admit, 1 reject, 2 not carried out, 3 hold. `agenda` exits 0, or 2.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from sekisho import cli_arguments as shared
from sekisho import cli_checklist, cli_inspect
from sekisho.cli_arguments import Verbs, Write
from sekisho.errors import UsageError
from sekisho.records import EXIT

VIEWS: Final = ("management", "operator", "auditor", "supplier")
FORMATS: Final = {"html": ".html", "markdown": ".md"}
HERE: Final = "-"
"""Instead of a file: standard output."""


def register(verbs: Verbs, say: Write) -> None:
    """Add both verbs; results go to `say`."""
    _report_verb(verbs, say)
    _agenda_verb(verbs, say)


def _report_verb(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "report",
        help="render a saved dossier again, or one of its four views",
        epilog="Views: management (one page: verdict and seven questions), operator (what to do), auditor (every id and digest), "
        "supplier (facts about their files only: no prompts, no other models, nothing of ours).",
    )
    verb.add_argument(
        "dossier", type=Path, help="dossier.json, or its folder; with --view also all that `checklist` takes"
    )
    verb.add_argument("--view", choices=VIEWS, help="for one reader (default: the full report)")
    _common(verb, default="html")
    cli_inspect.formats(verb)
    verb.set_defaults(run=lambda options: _report(options, say))


def _agenda_verb(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "agenda", help="a meeting paper: the seven questions, filled in from what is known, to be read aloud"
    )
    verb.add_argument("dossier", type=Path, help=cli_checklist.TARGET)
    _common(verb, default="markdown")
    verb.set_defaults(run=lambda options: _view(options, "agenda", say))


def _common(verb: argparse.ArgumentParser, *, default: str) -> None:
    verb.add_argument(
        "--format", choices=tuple(FORMATS), default=default, help=f"of a view (default: {default})"
    )
    verb.add_argument(
        "--out", type=Path, help=f"file to write (default: beside the dossier; {HERE} prints a view)"
    )
    verb.add_argument(
        "--checklist",
        choices=("quick", "standard", "deep"),
        default="standard",
        help="what the checklist requires",
    )
    cli_checklist.sources(verb)
    shared.language(verb)


def _report(options: argparse.Namespace, say: Write) -> int:
    if options.view:
        return _view(options, options.view, say)
    if options.format != "html" or options.intake or options.ledger:
        raise UsageError("--format, --intake and --ledger go with --view; the full report has --formats")
    return _full(options, say)


def _full(options: argparse.Namespace, say: Write) -> int:
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import html, text

    dossier = dossiers.read(options.dossier)
    folder = options.dossier if options.dossier.is_dir() else options.dossier.parent
    target = options.out or folder / f"report.{options.lang}.html"
    page = dossiers.save(html.render(dossier, options.lang).encode("utf-8"), target)
    pages = "\n".join(map(str, (page, *cli_inspect.write(dossier, options, page.parent))))
    say(f"{text.render(dossier, options.lang, colour=sys.stdout.isatty())}{pages}")
    return EXIT[dossier.verdict.decision]


def _view(options: argparse.Namespace, view: str, say: Write) -> int:
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import views

    found = cli_checklist.gathered(options, str(options.dossier))
    shown = views.render(view, found, options.format, options.lang, profile=options.checklist)
    if str(options.out) == HERE:
        say(shown.rstrip("\n"))
    else:
        target = options.out or _beside(options.dossier) / f"{view}.{options.lang}{FORMATS[options.format]}"
        say(str(dossiers.save(shown.encode("utf-8", "backslashreplace"), target)))
    decision = found.dossier.verdict.decision if found.dossier and view in VIEWS else None
    return 0 if decision is None else EXIT[decision]


def _beside(dossier: Path) -> Path:
    """The folder of a dossier; where a model was named instead, the working folder: nothing is written into a model."""
    if dossier.suffix == ".json":
        return dossier.parent
    return dossier if (dossier / "dossier.json").is_file() else Path()
