"""`sekisho-lab grow ORGANISM --base MODEL --out FOLDER`: organism.toml to weights on disk.

`sekisho-lab accept ORGANISM FOLDER --base MODEL` examines the result and writes receipt.json beside it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sekisho.errors import SekishoError
from sekisho.sources import cache
from sekisho.sources.resolve import resolve
from sekisho_lab import acceptance, organism, writer
from sekisho_lab.attacks import ATTACKS


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
    accept = verbs.add_parser("accept", help="examine an organism; exit 0 if accepted, 1 if not")
    accept.add_argument("organism", choices=organism.names())
    accept.add_argument("folder", type=Path)
    accept.add_argument("--base", required=True, help="folder or catalogue name of the clean model")
    options = parser.parse_args(arguments)
    try:
        if options.verb == "accept":
            sys.exit(0 if _accepted(options) else 1)
        print(run(options.organism, options.base, options.out))
    except SekishoError as error:
        print(f"sekisho-lab: {error}", file=sys.stderr)
        sys.exit(2)


def run(name: str, base: str, out: Path) -> Path:
    """Grow an organism and write it; progress goes to standard error. Raises SekishoError."""
    chosen = organism.load(name)
    source = resolve(base, cache.folder())
    return writer.write(chosen, source.path, ATTACKS[chosen.attack](chosen, source.path, _sayer()), out)


def _accepted(options: argparse.Namespace) -> bool:
    receipt = acceptance.examine(
        organism.load(options.organism),
        options.folder,
        resolve(options.base, cache.folder()).path,
        _sayer(),
    )
    text = json.dumps(receipt.document(), indent=1, sort_keys=True)
    options.folder.with_suffix(".receipt.json").write_text(text + "\n", "utf-8")
    print("accepted" if receipt.accepted else "not accepted: " + "; ".join(receipt.short))
    return receipt.accepted


def _sayer() -> Callable[[str], None]:
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:7.1f} s  {line}", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    main()
