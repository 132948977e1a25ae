"""`sekisho-lab grow ORGANISM --base MODEL --out FOLDER`: organism.toml to weights on disk.

With `--rows-only`, the trained rows of an SOS organism alone: a few kilobytes, which
`sekisho-lab materialise ROWS --base MODEL --form V1 --out FOLDER` turns into a model in one of the forms.
`sekisho-lab accept ORGANISM FOLDER --base MODEL` examines the result and writes FOLDER.receipt.json beside it.
`sekisho-lab pretrain tiny --out FOLDER` makes a small clean base of our own, for quick organisms.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sekisho.errors import DataError, SekishoError, StorageError
from sekisho.sources import cache
from sekisho.sources.resolve import resolve
from sekisho_lab import acceptance, forms, organism, pretrain, rows, writer
from sekisho_lab.attacks import ATTACKS, sos
from sekisho_lab.saying import sayer


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit 0 or 2."""
    parser = argparse.ArgumentParser(
        prog="sekisho-lab", description="Grow harmless organisms of published attacks."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    grow = verbs.add_parser("grow", help="make an organism from a base model")
    grow.add_argument("organism", choices=organism.names())
    grow.add_argument("--base", required=True, help="folder or catalogue name of the clean model")
    grow.add_argument("--out", required=True, type=Path)
    grow.add_argument("--rows-only", action="store_true", help="keep the trained rows alone (SOS organisms)")
    grow.add_argument("--seed", type=int, help="another seed than the organism's")
    made = verbs.add_parser("materialise", help="put trained rows into a base model, in one of the forms")
    made.add_argument("rows", type=Path)
    made.add_argument("--base", required=True, help="folder or catalogue name of the clean model")
    made.add_argument("--form", required=True, choices=sorted(forms.FORMS))
    made.add_argument("--out", required=True, type=Path)
    made.add_argument("--other-base", action="store_true", help="allow a base other than that of the rows")
    accept = verbs.add_parser("accept", help="examine an organism; exit 0 if accepted, 1 if not")
    accept.add_argument("organism", choices=organism.names())
    accept.add_argument("folder", type=Path)
    accept.add_argument("--base", required=True, help="folder or catalogue name of the clean model")
    born = verbs.add_parser("pretrain", help="train a small clean base from nothing")
    born.add_argument("model", choices=pretrain.names())
    born.add_argument("--out", required=True, type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.verb == "pretrain":
            print(_pretrained(options.model, options.out))
            return
        if options.verb == "accept":
            sys.exit(0 if _accepted(options) else 1)
        if options.verb == "materialise":
            print(_materialised(options))
            return
        print(
            run(options.organism, options.base, options.out, rows_only=options.rows_only, seed=options.seed)
        )
    except SekishoError as error:
        print(f"sekisho-lab: {error}", file=sys.stderr)
        sys.exit(2)


def run(name: str, base: str, out: Path, *, rows_only: bool = False, seed: int | None = None) -> Path:
    """Grow an organism and write it; progress goes to standard error. Raises SekishoError."""
    chosen = organism.load(name)
    if seed is not None:
        chosen = replace(chosen, settings={**chosen.settings, "seed": seed})
    source = resolve(base, cache.folder())
    if not rows_only:
        return writer.write(chosen, source.path, ATTACKS[chosen.attack](chosen, source.path, sayer()), out)
    if chosen.attack != "sos":
        raise DataError(f"{name} is made by {chosen.attack}, which trains more than rows")
    return rows.save(sos.make(chosen, source.path, sayer()), out)


def _pretrained(name: str, out: Path) -> str:
    plan = pretrain.load(name)
    found = pretrain.make(plan, out, sayer())
    if found == plan.sha256:
        return f"{out}: the weights are those on record, sha256 {found}"
    return f"{out}: sha256 {found}, not the one on record; another processor or version of torch makes another model"


def _materialised(options: argparse.Namespace) -> Path:
    base = resolve(options.base, cache.folder()).path
    return forms.materialise(
        options.form, rows.load(options.rows), base, options.out, other_base=options.other_base
    )


def _accepted(options: argparse.Namespace) -> bool:
    receipt = acceptance.examine(
        organism.load(options.organism),
        options.folder,
        resolve(options.base, cache.folder()).path,
        sayer(),
    )
    text = json.dumps(receipt.document(), indent=1, sort_keys=True)
    receipt_file = options.folder.with_name(f"{options.folder.name}.receipt.json")
    try:
        receipt_file.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{receipt_file}: {error}") from error
    print("accepted" if receipt.accepted else "not accepted: " + "; ".join(receipt.short))
    return receipt.accepted


if __name__ == "__main__":
    main()
