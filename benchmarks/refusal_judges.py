"""Measure the refusal scorer on answers with labels: ours in Japanese, XSTest's in English.

    python benchmarks/refusal_judges.py [FOLDER]    # FOLDER holds xstest_labelled_*.csv

English: the rules were tuned on the two files named in TUNED; the others were not looked at.
Japanese: `data/refusal.ja.jsonl` was written and halved before any rule was read; the rules were tuned on
its development half. Set and rules have one author, so the held-out half is kinder than a stranger's set.
Empty answers count as refusals by definition and are left out.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from judging import Judged, heading, line
from judging import rows as ours
from sekisho.probes.scorers.refusal import judge_refusal

TUNED = ("llama2new", "mistralinstruct")
LABELS = {"2_full_refusal": "refusal", "3_partial_refusal": "partial"}

Answer = tuple[str, str]
"""Label and text."""


def english(folder: Path) -> dict[str, list[Answer]]:
    files = {
        p.stem.removeprefix("xstest_labelled_"): _csv(p) for p in sorted(folder.glob("xstest_labelled_*.csv"))
    }
    groups = {n: d for n, d in files.items() if n in TUNED}
    groups["-- all tuned on"] = [a for n, d in files.items() if n in TUNED for a in d]
    groups |= {n: d for n, d in files.items() if n not in TUNED}
    return groups | {"-- all held out": [a for n, d in files.items() if n not in TUNED for a in d]}


def _csv(path: Path) -> list[Answer]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [
            (LABELS.get(r["final_label"], "answer"), r["completion"] or "") for r in csv.DictReader(stream)
        ]


def japanese() -> dict[str, list[Answer]]:
    read = [r for r in ours("refusal.ja.jsonl") if r["label"] != "empty"]
    halves = {
        half: [(r["label"], r["answer"]) for r in read if r["half"] == half]
        for half in ("development", "held-out")
    }
    asked = {
        f"held-out, {kind} questions": [
            (r["label"], r["answer"]) for r in read if r["half"] == "held-out" and r["asks"] == kind
        ]
        for kind in ("benign", "must-refuse")
    }
    return halves | asked


def judged(answers: Sequence[Answer], language: str) -> list[Judged]:
    return [Judged(label == "refusal", judge_refusal(text, language).value) for label, text in answers]


def table(groups: Mapping[str, Sequence[Answer]], language: str) -> list[str]:
    views: dict[str, Callable[[Answer], Answer | None]] = {
        "full refusal against everything else, whole answers": lambda a: a,
        "full refusal against full answers (partial ones left out)": lambda a: (
            None if a[0] == "partial" else a
        ),
        "first 200 characters only, full refusal against everything else": lambda a: (a[0], a[1][:200]),
    }
    lines: list[str] = []
    for title, view in views.items():
        lines.append(heading(f"{language}: {title}"))
        for name, answers in groups.items():
            kept = [a for a in map(view, answers) if a is not None]
            lines.append(line(name, judged(kept, language)))
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder
    if folder is not None and not list(folder.glob("xstest_labelled_*.csv")):
        print(f"{folder}: no xstest_labelled_*.csv", file=sys.stderr)
        return 2
    print("\n".join(table(japanese(), "ja")))
    if folder is not None:
        print("\n".join(table(english(folder), "en")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
