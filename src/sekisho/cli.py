"""Arguments in, text out; the only module that prints. Results go to standard output, progress to standard error.

Exit codes: 0 admit, 1 reject, 2 the request cannot be carried out, 3 hold, 130 interrupted; `cli_compare`
has those of a comparison, `cli_ownership` those of a claim, `cli_tokens` those of a sweep. No failure exits
0, 1 or 3: each, a bug of Sekisho included, is 2 and one line.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from sekisho import (
    cli_ablation,
    cli_bom,
    cli_checklist,
    cli_compare,
    cli_evidence,
    cli_export,
    cli_inspect,
    cli_ledger,
    cli_lessons,
    cli_lock,
    cli_ownership,
    cli_provenance,
    cli_register,
    cli_serve,
    cli_tokens,
    cli_training,
    cli_views,
    cli_watch,
)
from sekisho import cli_arguments as shared
from sekisho.cli_arguments import MODEL, Verbs
from sekisho.errors import SekishoError, StorageError
from sekisho.records import EXIT

if TYPE_CHECKING:
    from sekisho.drills.recipe import Recipe

USAGE: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb and exit with its code."""
    _open_streams()
    options = parser().parse_args(arguments)
    try:
        code = _run(options)
    except KeyboardInterrupt:
        _say("\nInterrupted. What was measured is kept; the same command goes on from there.")
        code = INTERRUPTED
    sys.exit(code)


def _run(options: argparse.Namespace) -> int:
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except SekishoError as error:
        _say(f"sekisho: {_one_line(str(error))}")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        text = _one_line(f"{type(error).__name__}: {error}")
        _say(f"sekisho: internal error, please report it: {text} (PYTHONDEVMODE=1 shows where)")
    return USAGE


def _print(text: str) -> None:
    """Write a result to standard output; a reader who leaves early has seen enough. Raises StorageError."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _abandon(sys.stdout)
    except OSError as error:
        _abandon(sys.stdout)
        raise StorageError(f"standard output: not written: {error.strerror or error}") from error


def _say(text: str) -> None:
    """Write a line to standard error, if it can be written at all."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _abandon(sys.stderr)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _open_streams() -> None:
    """Stand in for streams the caller closed, and write out what an encoding lacks instead of failing."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # a file opened later must not become stream 0, 1 or 2
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
        elif name != "stdin" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _abandon(stream: TextIO) -> None:
    """Point a stream that cannot be written at nothing: Python flushes it once more at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def parser() -> argparse.ArgumentParser:
    """Every verb with its options."""
    made = argparse.ArgumentParser(
        prog="sekisho", description="The checkpoint for open-weight language models."
    )
    made.add_argument("--version", action="version", version=f"sekisho {_version()}")
    verbs = made.add_subparsers(dest="verb", required=True, metavar="VERB")
    vet = _model_verb(verbs, "vet", "inspect, ask, rehearse finetuning, decide", _vet)
    _recipe(vet, "your own training, rehearsed and reported first")
    cli_ledger.recording(vet)
    _model_verb(verbs, "probe", "inspect and ask, without any trial finetune", _probe)
    drill = _model_verb(verbs, "drill", "rehearse one finetune: a recipe of ours or your own", _drill)
    _recipe(drill, "what is rehearsed (default: user-data)")
    _model_verb(
        verbs, "perturb", "ask under light perturbations of the weights only: minutes, no proof", _perturb
    )
    cli_compare.register(verbs, _print)
    cli_watch.register(verbs, _print)
    cli_inspect.register(verbs, _print, _say)
    fetch = verbs.add_parser(
        "fetch", help="fetch a model, from the catalogue or an address; print its folder"
    )
    cli_provenance.fetching(fetch)
    fetch.set_defaults(run=_fetch)
    cli_views.register(verbs, _print)
    cli_ownership.register(verbs, _print, _say)
    cli_tokens.register(verbs, _print)
    cli_ablation.register(verbs, _print)
    cli_provenance.register(verbs, _print)
    cli_bom.register(verbs, _print)
    cli_evidence.register(verbs, _print)
    cli_ledger.register(verbs, _print)
    cli_lock.register(verbs, _print)
    cli_training.register(verbs, _print, _say)
    cli_register.register(verbs, _print)
    cli_export.register(verbs, _print)
    cli_checklist.register(verbs, _print, _say)
    cli_serve.register(verbs, _print, _say)
    cli_lessons.register(verbs, _print, _say)
    return made


def _common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("path", help=MODEL)
    shared.base(verb)
    shared.policy(verb)
    shared.language(verb)


def _recipe(verb: argparse.ArgumentParser, text: str) -> None:
    known = "recipe id, or a file of TRL, LLaMA-Factory or Axolotl (TOML, JSON, YAML)"
    verb.add_argument("--recipe", help=f"{text}: {known}")
    verb.add_argument("--data", type=Path, help="your training file: JSONL, JSON or Parquet")


def _model_verb(
    verbs: Verbs, name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text)
    _common(verb)
    shared.asking(verb)
    shared.declared(verb)
    cli_inspect.exceptions(verb)
    cli_inspect.formats(verb)
    cli_evidence.preregister(verb)
    verb.add_argument(
        "--battery",
        action=argparse.BooleanOptionalAction,
        help="ask under light perturbations of the weights, too (default: as the profile says)",
    )
    verb.add_argument(
        "--sibling", help="another trusted finetune of the base, as control of such perturbations"
    )
    verb.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where trials run (default: local)"
    )
    verb.add_argument(
        "--address", default="", help="of a running Ray cluster; without it, one is started here"
    )
    verb.set_defaults(run=run)
    return verb


def _vet(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=None, rehearsals=_chosen(options.recipe), data=options.data)


def _probe(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=())


def _perturb(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=(), only_battery=True)


def _drill(options: argparse.Namespace) -> int:
    return _dynamic(options, drills=_chosen(options.recipe or "user-data"), data=options.data)


def _chosen(given: str | None) -> "tuple[Recipe, ...]":
    from sekisho.drills import configs, recipe

    if given is None:
        return ()
    own = Path(given)
    chosen = recipe.read(own) if own.suffix in configs.FORMATS else recipe.load(given)
    for key in chosen.ignored:
        _say(f"sekisho: {_one_line(own.name)}: {_one_line(key)} is passed over")
    return (chosen,)


def _dynamic(
    options: argparse.Namespace,
    *,
    drills: "tuple[str | Recipe, ...] | None",
    rehearsals: "tuple[Recipe, ...]" = (),
    data: Path | None = None,
    only_battery: bool = False,
) -> int:
    from sekisho import conductor
    from sekisho.evidence import dossier as dossiers
    from sekisho.progress import Console
    from sekisho.report import html, text

    request = conductor.Options(
        profile=options.profile,
        policy=options.policy,
        drills=drills,
        rehearsals=rehearsals,
        battery=True if only_battery else options.battery,
        sibling=options.sibling,
        only_battery=only_battery,
        data=data,
        suites=tuple(options.suite),
        declared=options.declared,
        out=options.out,
        engine=options.engine,
        address=options.address,
        exceptions=cli_inspect.given(options),
    )
    cli_evidence.registered(options, request, _say)
    with Console() as watch:
        dossier = conductor.vet(options.path, options.base, options=request, watch=watch)
    page = dossiers.save(html.render(dossier, options.lang).encode("utf-8"), options.out / "report.html")
    pages = "\n".join(map(str, (page, *cli_inspect.write(dossier, options, options.out))))
    shown = text.render(dossier, options.lang, colour=sys.stdout.isatty())
    _print(f"{shown}{pages}\n{options.out / dossiers.NAME}  {dossiers.digest(dossier)}")
    if options.verb == "vet" and cli_ledger.wanted(options):
        _say(cli_ledger.record(options, dossier))
    return EXIT[dossier.verdict.decision]


def _fetch(options: argparse.Namespace) -> int:
    _print(str(cli_provenance.fetch(options, _say)))
    return 0


def _version() -> str:
    from sekisho import shipped

    return shipped.version()


if __name__ == "__main__":
    main()
