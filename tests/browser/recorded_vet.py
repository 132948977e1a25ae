"""In the place of a vet that takes minutes: called as the command line is, it leaves a dossier that was recorded. Not a test.

The dossier holds the model's real files and a HOLD.
"""

import sys
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence import folders
from report import sample
from sekisho import recording
from sekisho.evidence import dossier as dossiers
from sekisho.ledger import book


def vet(out, actor, model):
    """What `sekisho vet --record` leaves; exit code 3, a HOLD."""
    made = replace(sample.hold(), files=folders.lines(model))
    dossiers.write(made, out)
    with closing(book.open_ledger(book.default_place())) as ledger:
        recording.record(made, ledger, actor=actor, model=model, policy="default")
    return 3


def main(arguments):
    flat = [part for a in arguments for part in (a.split("=", 1) if a.startswith("--") else [a])]
    said = {a: b for a, b in pairwise(flat) if a.startswith("--")}
    return vet(Path(said["--out"]), said["--actor"], Path(arguments[-1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
