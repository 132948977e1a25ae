"""The verbs `inspect` and `rules`, and the files that `vet` and `report` write beside the report.

Exit codes of `inspect`: 0 admit, 1 reject, 2 not carried out, 3 hold.
"""

import argparse
import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import MODEL, Verbs, Write
from sekisho.records import EXIT, Dossier

if TYPE_CHECKING:
    from sekisho.rulings import Exceptions

FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "html")
FILES: Final = ("json", "sarif", "junit", "markdown")


def register(verbs: Verbs, say: Write, warn: Write) -> None:
    """Add both verbs; results go to `say`, remarks to `warn`."""
    _inspect(verbs, say, warn)
    _rules(verbs, say)


def exceptions(verb: argparse.ArgumentParser) -> None:
    """Suppressions and a baseline."""
    verb.add_argument(
        "--suppressions", type=Path, help="TOML of findings that somebody answers for until a day"
    )
    verb.add_argument("--baseline", type=Path, help="findings of an earlier inspection; only new ones count")


def formats(verb: argparse.ArgumentParser) -> None:
    """The files beside the report."""
    known = ", ".join(FILES)
    verb.add_argument(
        "--formats",
        type=_formats,
        default=(),
        help=f"files to write beside report.html: {known}; comma between",
    )


def write(dossier: Dossier, options: argparse.Namespace, folder: Path) -> tuple[Path, ...]:
    """Write the formats asked for beside the report. Raises StorageError."""
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import export

    root = _root(getattr(options, "path", ""))
    made = (
        (export.NAMES[form], export.render(form, dossier, options.lang, root=root))
        for form in options.formats
    )
    return tuple(
        dossiers.save(text.encode("utf-8", "backslashreplace"), folder / name) for name, text in made
    )


def given(options: argparse.Namespace) -> "Exceptions":
    """Suppressions and baseline as named, and today. Raises DataError."""
    from sekisho import rulings

    return rulings.load(options.suppressions, options.baseline, dt.datetime.now(dt.UTC).date())


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    odd = [name for name in names if name not in FILES]
    if odd or not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(FILES)}")
    return names


def _root(path: str) -> str:
    """The model's folder as code scanning knows it: a relative path that does not climb, else nothing."""
    parts = Path(path).parts
    inside = path and not Path(path).is_absolute() and ".." not in parts and Path(path).is_dir()
    return Path(path).as_posix() if inside else ""


def _inspect(verbs: Verbs, say: Write, warn: Write) -> None:
    verb = verbs.add_parser("inspect", help="look at every file, load nothing")
    verb.add_argument("path", help=MODEL)
    shared.base(verb)
    shared.policy(verb)
    shared.language(verb)
    verb.add_argument("--format", choices=FORMATS, default="text", help="of what is printed (default: text)")
    verb.add_argument("--output", type=Path, help="write there instead of printing")
    verb.add_argument(
        "--also",
        type=_also,
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="one more output of the same inspection",
    )
    exceptions(verb)
    verb.add_argument(
        "--write-baseline", type=Path, help="keep what is found now as the baseline of later runs"
    )

    verb.add_argument(
        "--headers-only",
        action="store_true",
        help="read no weights: nothing is hashed, no number looked at, and nothing admitted",
    )
    cli_ledger.recording(verb)
    verb.add_argument(
        "--second-opinion",
        default="",
        metavar="NAMES",
        help="scanners that look as well, comma between: picklescan, hayward, c4nary, modelaudit, adaptersentry",
    )

    def run(options: argparse.Namespace) -> int:
        from sekisho import inspected, opinions, policy, static
        from sekisho.evidence import dossier as dossiers
        from sekisho.reading import Reading

        asked = opinions.parse_names(options.second_opinion) if options.second_opinion else ()
        with Reading(warn) as progress:
            seen = static.inspect(
                options.path,
                options.base,
                policy=options.policy,
                exceptions=given(options),
                reads=static.Reads(options.headers_only, progress, asked),
            )
        dossier = inspected.of(seen, policy.load(options.policy))
        if options.write_baseline is not None:
            _keep(dossier, options, warn)
        for form, path in options.also:
            dossiers.save(_shown(dossier, form, options).encode("utf-8", "backslashreplace"), path)
        text = _shown(dossier, options.format, options)
        if options.output is None:
            say(text.rstrip("\n"))
        else:
            dossiers.save(text.encode("utf-8", "backslashreplace"), options.output)
        if cli_ledger.wanted(options):
            warn(cli_ledger.record(options, dossier))
        return EXIT[seen.verdict.decision]

    verb.set_defaults(run=run)


def _also(text: str) -> tuple[str, Path]:
    form, _, path = text.partition("=")
    if form not in FORMATS or not path:
        raise argparse.ArgumentTypeError(f"write it as FORMAT=FILE; formats are {', '.join(FORMATS)}")
    return form, Path(path)


def _shown(dossier: Dossier, form: str, options: argparse.Namespace) -> str:
    from sekisho.report import text

    if form == "html":  # the only output that bears a date
        started = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        dossier = replace(dossier, timing=replace(dossier.timing, started=started))
    if form != "text":
        from sekisho.report import export  # the templates of pages, which text does without

        return export.render(form, dossier, options.lang, root=_root(options.path))
    colour = form == options.format and options.output is None and sys.stdout.isatty()
    shown = text.findings(dossier.findings, options.lang, colour=colour)
    return f"{shown}{dossier.verdict.decision.value.upper()}\n"


def _keep(dossier: Dossier, options: argparse.Namespace, warn: Write) -> None:
    from sekisho import fingerprints, policy, rulings
    from sekisho.evidence import dossier as dossiers

    known = fingerprints.files(dossier.files)
    text, left = rulings.to_baseline(dossier.findings, known, policy.load(options.policy))
    dossiers.save(text.encode(), options.write_baseline)
    if left:
        warn(f"sekisho: {left} findings are not in the baseline: the policy lets nothing excuse them")


def _rules(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("rules", help="every rule with its id, or one of them at length")
    verb.add_argument("id", nargs="?", help="such as SKS-SER-001; without it, all are listed")
    shared.form(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import rulebook
        from sekisho.report.export import rules

        chosen = (rulebook.find(options.id),) if options.id else rulebook.rules()
        if options.format == "json":
            say(rules.to_json(chosen).rstrip("\n"))
        else:
            say(rules.to_text(chosen[0], options.lang) if options.id else rules.listed(options.lang))
        return 0

    verb.set_defaults(run=run)
