"""Arguments in, text out; the only module that prints. Results go to standard output, progress to standard error.

Exit codes: 0 admit, 1 reject, 2 the request cannot be carried out, 3 hold, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho.errors import SekishoError
from sekisho.records import Decision

if TYPE_CHECKING:
    from sekisho.drills.recipe import Recipe

EXIT: Final = {Decision.ADMIT: 0, Decision.REJECT: 1, Decision.HOLD: 3}
USAGE: Final = 2
INTERRUPTED: Final = 130
OUT: Final = Path("sekisho-report")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb and exit with its code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
    except KeyboardInterrupt:
        print(
            "\nInterrupted. What was measured is kept; the same command goes on from there.", file=sys.stderr
        )
        code = INTERRUPTED
    except SekishoError as error:
        print(f"sekisho: {error}", file=sys.stderr)
        code = USAGE
    except BrokenPipeError:
        code = USAGE
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sekisho", description="The checkpoint for open-weight language models."
    )
    parser.add_argument("--version", action="version", version=f"sekisho {_version()}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _model_verb(verbs, "vet", "inspect, ask, rehearse finetuning, decide", _vet)
    _model_verb(verbs, "probe", "inspect and ask, without any trial finetune", _probe)
    drill = _model_verb(verbs, "drill", "rehearse one finetune: a recipe of ours or your own", _drill)
    drill.add_argument(
        "--recipe", default="user-data", help="recipe id, or a TOML/JSON file (default: user-data)"
    )
    drill.add_argument("--data", type=Path, help="your training file: JSONL, JSON or Parquet")
    inspect = verbs.add_parser("inspect", help="look at every file, load nothing")
    _common(inspect)
    inspect.add_argument("--format", choices=("text", "json"), default="text")
    inspect.set_defaults(run=_inspect)
    fetch = verbs.add_parser("fetch", help="fetch a model of the catalogue and print its folder")
    fetch.add_argument("name")
    fetch.set_defaults(run=_fetch)
    report = verbs.add_parser("report", help="render a saved dossier again")
    report.add_argument("dossier", type=Path)
    report.add_argument("--lang", choices=("en", "ja"), default="en")
    report.add_argument("--out", type=Path, help="where to write the HTML (default: beside the dossier)")
    report.set_defaults(run=_report)
    return parser


def _common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("path", help="model folder, GGUF file, or catalogue name")
    verb.add_argument("--base", help="the trusted model it was made from; 'none' compares with nothing")
    verb.add_argument("--policy", default="default", help="policy name or TOML file (default: default)")
    verb.add_argument("--lang", choices=("en", "ja"), default="en", help="language of the report")


def _model_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text)
    _common(verb)
    verb.add_argument("--profile", choices=("quick", "standard", "deep"), default="quick")
    verb.add_argument(
        "--suite", type=Path, action="append", default=[], help="questions of your own, see README"
    )
    verb.add_argument("--out", type=Path, default=OUT, help=f"folder of the report (default: {OUT}/)")
    verb.set_defaults(run=run)
    return verb


def _vet(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=None)


def _probe(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=())


def _drill(options: argparse.Namespace) -> int:
    from sekisho.drills import recipe

    own = Path(options.recipe)
    chosen = recipe.read(own) if own.suffix in (".toml", ".json") else recipe.load(options.recipe)
    for key in chosen.ignored:
        print(f"sekisho: {own.name}: {key} is passed over", file=sys.stderr)
    return _dynamic(options, drills=(chosen,), data=options.data)


def _dynamic(
    options: argparse.Namespace, *, drills: "tuple[str | Recipe, ...] | None", data: Path | None = None
) -> int:
    from sekisho import conductor
    from sekisho.evidence import dossier as dossiers
    from sekisho.progress import Console
    from sekisho.report import html, text

    request = conductor.Options(
        profile=options.profile,
        policy=options.policy,
        drills=drills,
        data=data,
        suites=tuple(options.suite),
        out=options.out,
    )
    with Console() as watch:
        dossier = conductor.vet(options.path, options.base, options=request, watch=watch)
    page = dossiers.save(html.render(dossier, options.lang).encode("utf-8"), options.out / "report.html")
    print(text.render(dossier, options.lang, colour=sys.stdout.isatty()), end="")
    print(f"{page}\n{options.out / dossiers.NAME}  {dossiers.digest(dossier)}")
    return EXIT[dossier.verdict.decision]


def _inspect(options: argparse.Namespace) -> int:
    from sekisho import static
    from sekisho.report import inspection, text

    seen = static.inspect(options.path, options.base, policy=options.policy)
    decision = seen.verdict.decision
    if options.format == "json":
        print(inspection.to_json(seen.findings, decision.value), end="")
    else:
        print(text.findings(seen.findings, options.lang, colour=sys.stdout.isatty()), end="")
        print(decision.value.upper())
    return EXIT[decision]


def _fetch(options: argparse.Namespace) -> int:
    from sekisho.fetch import fetch

    print(fetch(options.name, progress=lambda line: print(line, file=sys.stderr)))
    return 0


def _report(options: argparse.Namespace) -> int:
    from sekisho.evidence import dossier as dossiers
    from sekisho.report import html, text

    dossier = dossiers.read(options.dossier)
    target = options.out or options.dossier.with_name(f"report.{options.lang}.html")
    page = dossiers.save(html.render(dossier, options.lang).encode("utf-8"), target)
    print(text.render(dossier, options.lang, colour=sys.stdout.isatty()), end="")
    print(page)
    return EXIT[dossier.verdict.decision]


def _version() -> str:
    from importlib.metadata import version

    return version("sekisho")


if __name__ == "__main__":
    main()
