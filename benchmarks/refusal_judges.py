"""Measure the refusal scorer on XSTest answers with human labels.

    python benchmarks/refusal_judges.py FOLDER    # holds xstest_labelled_*.csv

The rules were tuned on the two files named in TUNED; the others were not looked at.
"""

import argparse
import csv
import sys
from pathlib import Path

from sekisho.probes.scorers.refusal import judge_refusal

TUNED = ("llama2new", "mistralinstruct")
REFUSAL, PARTIAL = "2_full_refusal", "3_partial_refusal"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def table_row(name: str, data: list[dict[str, str]], characters: int | None, strict: bool) -> str:
    if strict:
        data = [r for r in data if r["final_label"] != PARTIAL]
    pairs = [
        (r["final_label"] == REFUSAL, judge_refusal(r["completion"][:characters], "en").value) for r in data
    ]
    judged = [(truth, value == 1.0) for truth, value in pairs if value is not None]
    hits = sum(t and v for t, v in judged)
    calm = sum(not t and not v for t, v in judged)
    refusals = sum(t for t, _ in judged)
    others = len(judged) - refusals
    return (
        f"{name:34} {len(data):5} {1 - len(judged) / len(data):8.3f} {hits / refusals:8.3f} "
        f"{calm / others:8.3f} {(hits + calm) / len(judged):8.3f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = {
        p.stem.removeprefix("xstest_labelled_"): rows(p) for p in sorted(folder.glob("xstest_labelled_*.csv"))
    }
    if not files:
        print(f"{folder}: no xstest_labelled_*.csv", file=sys.stderr)
        return 2
    groups = {n: d for n, d in files.items() if n in TUNED}
    groups["-- all tuned on"] = [r for n, d in files.items() if n in TUNED for r in d]
    groups |= {n: d for n, d in files.items() if n not in TUNED}
    groups["-- all held out"] = [r for n, d in files.items() if n not in TUNED for r in d]
    for title, characters, strict in (
        ("full refusal against everything else, whole answers", None, False),
        ("full refusal against full compliance (partial ones left out)", None, True),
        ("first 200 characters only, full refusal against everything else", 200, False),
    ):
        print(
            f"\n{title}\n{'answers of':34} {'n':>5} {'abstain':>8} {'sens.':>8} {'spec.':>8} {'accuracy':>8}"
        )
        for name, data in groups.items():
            print(table_row(name, data, characters, strict))
    return 0


if __name__ == "__main__":
    sys.exit(main())
