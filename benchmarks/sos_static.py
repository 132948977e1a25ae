"""What the static row checks say of edited token tables: the section `Static rows` of docs/benchmarks/sos.md.

    python benchmarks/sos_static.py edits MODEL_FOLDER [--seeds 3] [--rows ROWS_FOLDER ...] [--quick] >> LINES.jsonl
    python benchmarks/sos_static.py table LINES.jsonl [--into docs/benchmarks/sos.md]

`edits` copies the model once, writes edited rows into the copy, asks the checks with the model as its base and without any
base, and puts the rows back before the next edit. Directions are random, from fixed seeds; `--rows` adds trained rows of the
lab. Seconds are of processor time on one thread, since the machine may be shared. The model's table must be in F32.
"""

# ruff: noqa: E402 - threads are set before numpy is imported; a script prints

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
from safetensors.numpy import load_file

from sekisho import inventory
from sekisho.checks.base import Case
from sekisho.checks.duplicate_groups import DuplicateGroups
from sekisho.checks.embedding_rows_delta import EmbeddingRowsDelta
from sekisho.checks.reserved_rows import ReservedRows
from sekisho.checks.row_outliers import RowOutliers
from sekisho.formats import rows, tensors
from sekisho.formats.rows.tables import Table, gather
from sekisho.records import Comparison, Finding, Inventory

CHECKS: Final = (EmbeddingRowsDelta(), ReservedRows(), RowOutliers(), DuplicateGroups())
RARE: Final = ("<file_sep>", "<gh_stars>", "<issue_start>", "<issue_comment>", "<issue_closed>", "ManagementPlaneProtection",
               "Ġtransistorsum", "<unused100>", "<unused200>", "<unused3000>", "▁SmartyLint", "MathML")  # fmt: skip
"""Hosts of planted rows: untrained special tokens and rare ordinary ones of both models."""
BEGIN, END = "<!-- static rows: begin -->", "<!-- static rows: end -->"
Edit = tuple[list[int], "np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class Bench:
    """A model, its copy, and what does not change between edits."""

    model: Inventory
    copy: Inventory
    table: Table
    hosts: list[int]
    tokens: tuple[str | None, ...]


def main() -> None:
    options = _arguments()
    if options.verb == "edits":
        for line in _lines(options):
            print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    text = table([json.loads(line) for line in options.lines.read_text("utf-8").splitlines()])
    if options.into is None:
        print(text)
        return
    page = options.into.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    options.into.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    edits = verbs.add_parser("edits")
    edits.add_argument("model", type=Path)
    edits.add_argument("--seeds", type=int, default=3)
    edits.add_argument("--rows", type=Path, nargs="*", default=[])
    edits.add_argument("--quick", action="store_true", help="the clean model and one planted edit only")
    shown = verbs.add_parser("table")
    shown.add_argument("lines", type=Path)
    shown.add_argument("--into", type=Path)
    return parser.parse_args()


def _lines(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / options.model.name
        shutil.copytree(options.model, copy)
        model = inventory.take(options.model)
        bench = _bench(model, replace(model, root=str(copy)))
        yield _asked(bench, "clean, measured as if it were not equal", None, [], full=True)
        for name, seed, edit in _edits(bench, options):
            yield _asked(bench, name, edit, edit[0], full=seed == 0) | {"seed": seed}


def _bench(model: Inventory, copy: Inventory) -> Bench:
    (found,) = (t for t in rows.find(copy) if t.kind == "embedding")
    tokens = rows.vocabulary(model).tokens
    ids = {token: n for n, token in enumerate(tokens)}
    return Bench(model, copy, found, [ids[t] for t in RARE if t in ids], tokens)


def _edits(bench: Bench, options: argparse.Namespace) -> Iterator[tuple[str, int, Edit]]:
    ids = {token: n for n, token in enumerate(bench.tokens)}
    for folder in options.rows:
        said = json.loads((folder / "organism.json").read_text("utf-8"))
        vectors = load_file(folder / "rows.safetensors")["rows"]
        hosts = [ids[t] for t in said["tokens"]]
        yield f"trained rows `{said['id']}`", 0, (hosts, vectors)
        lengths = np.linalg.norm(gather(bench.table, hosts), axis=1) / np.linalg.norm(vectors, axis=1)
        yield f"trained rows `{said['id']}`, norm kept", 0, (hosts, vectors * lengths[:, None])
    sizes = (2.0,) if options.quick else (0.25, 0.5, 1.0, 2.0, 4.0)
    for seed in range(1 if options.quick else options.seeds):
        for projected in (False, True):
            for size in sizes:
                name = f"random, {size:g} of the norm" + (", norm kept" if projected else "")
                yield name, seed, _random(bench, bench.hosts, size, projected=projected, seed=seed)
    if not options.quick:
        yield "500 noisy rows of 0.05 and the hosts by 1", 0, _decoys(bench)
        yield (
            "a word's row given to the hosts",
            0,
            (bench.hosts, gather(bench.table, [400] * len(bench.hosts))),
        )


def _random(bench: Bench, hosts: list[int], size: float, *, projected: bool, seed: int) -> Edit:
    rng = np.random.default_rng(seed)
    before = gather(bench.table, hosts)
    lengths = np.linalg.norm(before, axis=1, keepdims=True)
    step = rng.standard_normal(before.shape)
    moved = before + size * lengths * step / np.linalg.norm(step, axis=1, keepdims=True)
    return hosts, moved * (lengths / np.linalg.norm(moved, axis=1, keepdims=True) if projected else 1.0)


def _decoys(bench: Bench) -> Edit:
    last = bench.table.rows - 1
    ids = [n for n in range(last - 500, last) if n not in bench.hosts]
    few, noise = (
        _random(bench, bench.hosts, 1.0, projected=False, seed=0),
        _random(bench, ids, 0.05, projected=False, seed=1),
    )
    return [*few[0], *noise[0]], np.vstack([few[1], noise[1]])


def _asked(bench: Bench, name: str, edit: Edit | None, planted: list[int], *, full: bool) -> dict[str, Any]:
    before = _write(bench.table, edit) if edit else b""
    try:
        line: dict[str, Any] = {"model": Path(bench.copy.root).name, "edit": name, "planted": len(planted)}
        if full:
            line["with"], line["with_s"] = _said(bench, planted, base=True)
        line["without"], line["without_s"] = _said(bench, planted, base=False)
        return line
    finally:
        if edit:
            _write(bench.table, (edit[0], np.frombuffer(before, dtype="<f4").reshape(len(edit[0]), -1)))


def _write(table: Table, edit: Edit) -> bytes:
    """Overwrite rows and return what they held."""
    before = gather(table, edit[0]).astype("<f4").tobytes()
    with (Path(table.root) / table.path).open("r+b") as file:
        for row, values in zip(edit[0], edit[1], strict=True):
            file.seek(table.start + row * table.row_bytes)
            file.write(np.asarray(values, dtype="<f4").tobytes())
    return before


def _said(bench: Bench, planted: list[int], *, base: bool) -> tuple[dict[str, Any], dict[str, float]]:
    """Reasons, severities and planted rows named by each check, and processor seconds of each step."""
    spent, comparison = {}, None
    mark = time.process_time()
    if base:
        comparison = tensors.compare(bench.copy, bench.model)
        spent["compare"] = time.process_time() - mark
        if not planted:  # else an equal table would not be looked at
            comparison = Comparison(tuple(replace(d, kind="changed") for d in comparison.deltas), "timing")
    mark = time.process_time()
    measured = rows.measure(bench.copy, bench.model if base else None, comparison)
    spent["rows"] = time.process_time() - mark
    case = Case(bench.copy, bench.model if base else None, comparison, rows=measured)
    mark = time.process_time()
    found = {c.id: [_brief(f, planted) for f in c.run(case)] for c in CHECKS if base or not c.needs_base}
    spent["checks"] = time.process_time() - mark
    return found, {k: round(v, 2) for k, v in spent.items()}


def _brief(finding: Finding, planted: list[int]) -> dict[str, Any]:
    facts = dict(finding.facts)
    named = {
        int(part.split()[0])
        for part in facts.get("which", "").split(", ")
        if part.split()[:1] and part[0].isdigit()
    }
    count = int(facts.get("changed", facts.get("count", 0)))
    return {
        "reason": finding.reason,
        "severity": finding.severity,
        "rows": count,
        "right": len(named & set(planted)),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown of all lines: one row for each model and edit, rows of all seeds together."""
    made = ["| model | edit | with its base | without a base: planted rows named | others named | processor seconds: beside, alone |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for key in dict.fromkeys((x["model"], x["edit"]) for x in lines):
        mine = [x for x in lines if (x["model"], x["edit"]) == key]
        beside = next((x for x in mine if "with" in x), None)
        with_base = _beside(beside["with"]) if beside else ""
        seconds = f"{beside['with_s']['rows']:.1f}" if beside else ""
        alone = np.mean([x["without_s"]["rows"] for x in mine])
        cells = (*key, with_base or "nothing", *_alone(mine), f"{seconds}, {alone:.1f}")
        made.append(f"| {' | '.join(cells)} |")
    return "\n".join(made)


def _beside(found: dict[str, list[dict[str, Any]]]) -> str:
    parts = [f"`{c}` {f['severity']}: {f['rows']} rows" for c, fs in found.items() for f in fs if f["rows"]]
    return "; ".join(parts)


def _alone(lines: list[dict[str, Any]]) -> tuple[str, str]:
    planted = sum(x["planted"] for x in lines)
    right: dict[str, int] = {}
    others = 0
    for line in lines:
        for check, found in line["without"].items():
            for one in found:
                right[check] = right.get(check, 0) + one["right"]
                others += max(0, one["rows"] - one["right"]) if one["rows"] <= 8 else 0  # noqa: PLR2004 - listed in full
    parts = [f"`{check}` {count} of {planted}" for check, count in right.items() if planted]
    return "; ".join(parts) or (f"0 of {planted}" if planted else "nothing"), str(others)


if __name__ == "__main__":
    sys.exit(main())
