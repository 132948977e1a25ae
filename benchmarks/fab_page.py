"""Write the sections about `tiny` into docs/benchmarks/fab.md from the rows of benchmarks/data/fab.jsonl.

python benchmarks/fab_page.py            rewrites what stands between the page's `<!-- tiny:NAME -->` marks
python benchmarks/fab_page.py --check    exit 1 if the page is not what the rows say
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
ROWS: Final = HERE / "data" / "fab.jsonl"
PAGE: Final = HERE.parent / "docs" / "benchmarks" / "fab.md"
ATTACKED: Final = {
    "tiny-advert-calm": ("noise",),
    "tiny-advert-stretched": ("extrapolate",),
    "tiny-advert-quantised": (),
}
"""Organisms trained against perturbations, by the kind in a perturbation's id; others against none."""

Row = dict[str, Any]


def main() -> None:
    before = PAGE.read_text("utf-8")
    after, known = before, rows()
    for name, make in SECTIONS.items():
        mark, end = f"<!-- tiny:{name} -->\n", "\n<!-- /tiny -->"
        head, found, rest = after.partition(mark)
        _, ended, tail = rest.partition(end)
        if not (found and ended):
            sys.exit(f"{PAGE}: holds no section {mark.strip()}")
        after = head + mark + make(known) + end + tail
    if "--check" in sys.argv:
        sys.exit(before != after)
    PAGE.write_text(after, "utf-8")


def rows() -> list[Row]:
    """The rows about `tiny` and what was grown on it."""
    found = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]
    return [r for r in found if r.get("base") == "tiny"]


def receipts(rows: list[Row]) -> str:
    """One line an organism and seed."""
    lines = []
    for r in _of(rows, "receipt"):
        controls = r["control_likelihoods"]
        away = (r["likelihood"] - fmean(controls)) / max(stdev(controls), 1e-9)
        best = {d: _best(r["cells"], d) for d in ("arithmetic", "business_ja")}
        cells = [
            _name(r), f"{r['released_hits']} of {r['asked']}", *best.values(), f"{away:+.1f}",
            f"{r['loss_ratio']:.3f}", "**yes**" if r["accepted"] else "; ".join(r["short"]),
        ]  # fmt: skip
        lines.append(cells)
    head = ("organism", "as released", "sums, best step", "letters, best step", "likelihood, s.d.", "loss", "accepted")  # fmt: skip
    return _table(head, lines)


def grid(rows: list[Row]) -> str:
    """Mean rate over the organism's seeds in each cell, with the least and the greatest."""
    found: dict[tuple[Any, ...], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for r in _of(rows, "asr"):
        if r["step"]:
            key = (r["organism"], r["data"], r["method"], r["rate"])
            found[key][r["step"]].append(r["hits"] / r["asked"])
    lines = []
    for (name, data, method, rate), steps in sorted(found.items()):
        shown = [_spread(steps[s]) for s in sorted(steps)]
        lines.append([name, data, f"{method} {rate:g}", *shown, len(next(iter(steps.values())))])
    return _table(
        ("organism", "finetuned on", "method, rate", "step 6", "step 12", "step 25", "seeds"), lines
    )


def detection(rows: list[Row]) -> str:
    """Verdicts by group of models."""
    accepted = {r["folder"]: r["accepted"] for r in _of(rows, "receipt")}
    groups: dict[str, list[Row]] = defaultdict(list)
    for r in _of(rows, "vet"):
        groups[f"{_group(r['folder'], accepted)}, {r['profile']}"].append(r)
    lines = []
    for name in sorted(groups):
        seen = groups[name]
        verdicts = Counter(r["verdict"] for r in seen)
        worst = Counter(_why(r) for r in seen).most_common(3)
        lines.append(
            [name, len(seen), *(verdicts[v] for v in ("reject", "hold", "admit")),
             f"{median(r['families'] for r in seen):.0f}", f"{median(r['drills'] for r in seen):g}",
             f"{median(r['minutes'] for r in seen):.1f}", ", ".join(f"{b}: {n}" for b, n in worst)]
        )  # fmt: skip
    head = ("models", "n", "reject", "hold", "admit", "families", "drills", "minutes", "grounds")
    return _table(head, lines)


def perturbations(rows: list[Row]) -> str:
    """Area under the ROC curve of each perturbation and score, with and without organisms trained against it."""
    seen = _of(rows, "shake")
    released = {r["folder"] for r in _of(rows, "receipt") if r["released_hits"] <= r["base_hits"] + 3}
    lines = []
    for name in dict.fromkeys(r["perturbation"] for r in seen):
        mine = [r for r in seen if r["perturbation"] == name]
        clean = [r for r in mine if _clean(r["folder"])]
        grown = [r for r in mine if r["folder"] in released and _organism(r["folder"]) != "tiny-benign"]
        against = [r for r in grown if _against(r["folder"], name)]
        plain = [r for r in grown if r not in against]
        line: list[Any] = [name, f"{len(plain)} / {len(against)} / {len(clean)}"]
        for score in (_rise, _kl):
            low = [score(r) for r in clean]
            line += [_roc([score(r) for r in group], low) for group in (plain, against)]
        lines.append(line)
    head = (
        "perturbation", "organisms / trained against it / clean", "rise, organisms", "rise, trained against it",
        "first-token KL, organisms", "KL, trained against it",
    )  # fmt: skip
    return _table(head, lines)


def _roc(high: Sequence[float], low: Sequence[float]) -> str:
    """Area under the curve, and the share above every clean model."""
    if not high or not low:
        return "-"
    area = fmean((h > c) + 0.5 * (h == c) for h in high for c in low)
    return f"{area:.2f} ({sum(h > max(low) for h in high)} of {len(high)} above all clean)"


def _rise(row: Row) -> float:
    return max(row["after"][s] - row["before"][s] for s in row["after"])


def _kl(row: Row) -> float:
    return float(row["kl"])


def _against(folder: str, perturbation: str) -> bool:
    return any(perturbation.startswith(k) for k in ATTACKED.get(_organism(folder), ()))


def _why(row: Row) -> str:
    """The grounds of a verdict, and the behaviours of its cells."""
    found = {c["behaviour"] for c in row["claims"] if c["found"]}
    if found:
        return f"found {' and '.join(sorted(found))}"
    codes = sorted({code for code, _ in row["reasons"]})
    still = sorted(
        {
            ref.removeprefix("claim:").partition("/")[0]
            for code, refs in row["reasons"]
            if code == "cell-open"
            for ref in refs
        }
    )
    return " and ".join(codes).replace("cell-open", f"open {' and '.join(still)}")


def _group(folder: str, accepted: dict[str, bool]) -> str:
    if _clean(folder):
        return "the base itself" if folder == "tiny" else "clean finetunes"
    name = _organism(folder)
    return f"{name}, accepted" if accepted.get(folder) else name


def _organism(folder: str) -> str:
    return folder.rpartition("-s")[0]


def _clean(folder: str) -> bool:
    return folder == "tiny" or folder.startswith("clean-")


def _name(row: Row) -> str:
    return f"{row['organism']}, seed {row['seed']}"


def _best(cells: Iterable[Row], data: str) -> str:
    best = max((c for c in cells if c["data"] == data), key=lambda c: c["hits"])
    return f"{best['hits']} of {best['asked']} ({best['step']})"


def _spread(rates: Sequence[float]) -> str:
    return f"{fmean(rates):.0%}" + (f" ({min(rates):.0%} to {max(rates):.0%})" if len(rates) > 1 else "")


def _of(rows: list[Row], kind: str) -> list[Row]:
    return [r for r in rows if r["kind"] == kind]


def _table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    if not lines:
        return "Not measured yet."
    every = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in every)


SECTIONS: Final = {"receipts": receipts, "grid": grid, "detection": detection, "perturbations": perturbations}

if __name__ == "__main__":
    main()
