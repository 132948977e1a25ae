"""`sekisho-lab grow ORGANISM --base MODEL --out FOLDER`: organism.toml to weights on disk."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sekisho.errors import SekishoError
from sekisho.sources import cache
from sekisho.sources.resolve import resolve
from sekisho_lab import organism, writer
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
    options = parser.parse_args(arguments)
    try:
        print(run(options.organism, options.base, options.out))
    except SekishoError as error:
        print(f"sekisho-lab: {error}", file=sys.stderr)
        sys.exit(2)


def run(name: str, base: str, out: Path) -> Path:
    """Grow an organism and write it; progress goes to standard error. Raises SekishoError."""
    chosen = organism.load(name)
    source = resolve(base, cache.folder())
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:7.1f} s  {line}", file=sys.stderr, flush=True)

    return writer.write(chosen, source.path, ATTACKS[chosen.attack](chosen, source.path, say), out)


if __name__ == "__main__":
    main()
