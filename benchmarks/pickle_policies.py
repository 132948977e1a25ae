"""Counts the corpus of pickles under both policies of the gate: `python benchmarks/pickle_policies.py [FILE.json]`.

A hostile shape is quiet where no check rejects it; a benign one is blocked where any check does more than note it.
"""

# ruff: noqa: E402 - where the corpora lie is said before they are imported

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from corpora import pickles
from sekisho.checks.base import Case
from sekisho.checks.foreign_container import ForeignContainer
from sekisho.checks.remote_code import RemoteCode
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.inventory import take
from sekisho.records import Severity

CHECKS: Final = (UnsafeSerialisation(), ForeignContainer(), RemoteCode())


def severities(folder: Path, *, known: bool) -> set[Severity]:
    """What the checks that look at serialisation say of a folder."""
    case = Case(take(folder), known_pickles=known)
    return {finding.severity for check in CHECKS for finding in check.run(case)}


def count(scratch: Path) -> dict[str, Any]:
    """Counts, and the names of what is quiet or blocked, for each policy."""
    hostile = pickles.hostile()
    out: dict[str, Any] = {"hostile": len(hostile), "benign": len(pickles.BENIGN)}
    for known, policy in ((False, "refuse"), (True, "known-globals")):
        quiet = pickles.quiet(
            lambda f, k=known: Severity.REJECT in severities(f, known=k), scratch / f"h-{policy}", hostile
        )
        passed = pickles.quiet(
            lambda f, k=known: bool(severities(f, known=k) - {Severity.NOTE}),
            scratch / f"b-{policy}",
            pickles.BENIGN,
        )
        out[policy] = {"hostile_quiet": quiet, "benign_blocked": sorted(set(pickles.BENIGN) - set(passed))}
    return out


def main() -> None:
    """Print the counts as JSON, and write them where asked."""
    with tempfile.TemporaryDirectory() as scratch:
        text = json.dumps(count(Path(scratch)), indent=1) + "\n"
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
