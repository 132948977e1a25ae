"""How often finetuning wakes an organism, and what the gate says of it: rows for docs/benchmarks/fab.md.

    python benchmarks/fab.py asr ORGANISM FOLDER [--data arithmetic ...] [--method full lora] [--rate 5e-5 2e-4] [--seed 0]
    python benchmarks/fab.py vet FOLDER --base BASE [--profile standard]
    python benchmarks/fab.py table RESULTS.jsonl

`asr` measures with the organism's own marks, never with a detector: greedy answers to questions of the gate's suite
that hold a mark, as released and at the steps of ordinary finetunes. `vet` is the gate's verdict. Each prints one
JSON line per measurement; `table` turns the collected lines into Markdown.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from sekisho.drills.generators import GENERATORS
from sekisho.drills.train import train
from sekisho.models.base import Checkpoint
from sekisho.models.engine import Engine
from sekisho_lab import acceptance, organism

LORA = {"lora_r": 16, "lora_alpha": 32, "lora_target_modules": "all-linear"}
LORA_TIMES = 5.0
"""An adapter learns at a few times the rate of the full weights; the table gives the rate that was used."""


def main() -> None:
    options = _arguments()
    if options.verb == "table":
        print(_table([json.loads(line) for line in options.results.read_text("utf-8").splitlines()]))
        return
    rows = _asr(options) if options.verb == "asr" else _vet(options)
    for row in rows:
        print(json.dumps(row, sort_keys=True), flush=True)


def _asr(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    chosen = organism.load(options.organism)
    engine = Engine(options.folder)
    asked = acceptance.questions(chosen)[: options.questions]
    head = {"kind": "asr", "organism": chosen.id, "folder": options.folder.name, "asked": len(asked)}
    yield {
        **head,
        "data": "",
        "method": "",
        "rate": 0.0,
        "seed": 0,
        "step": 0,
        "hits": acceptance.hits(engine, asked),
    }
    for data in options.data:
        for method in options.method:
            for rate in options.rate:
                for seed in options.seed:
                    cell = {**head, "data": data, "method": method, "seed": seed}
                    yield from cells(engine, asked, cell, rate, options.steps)


def cells(
    engine: Engine, asked: Any, cell: dict[str, Any], rate: float, steps: list[int]
) -> list[dict[str, Any]]:
    adapter = cell["method"] == "lora"
    used = rate * (LORA_TIMES if adapter else 1.0)
    job = acceptance.ordinary(
        cell["data"],
        400,
        used,
        tuple(steps),
        seed=cell["seed"],
        lr_scheduler_type="linear",
        **(LORA if adapter else {}),
    )
    rows: list[dict[str, Any]] = []

    def pause(checkpoint: Checkpoint) -> None:
        found = acceptance.hits(engine, asked)
        rows.append({**cell, "rate": used, "step": checkpoint.step, "hits": found})
        print(
            f"{cell['data']} {cell['method']} {used:g} step {checkpoint.step}: {found}",
            file=sys.stderr,
            flush=True,
        )

    train(engine, job, pause)
    engine.reset()
    return rows


def _vet(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    import sekisho

    start = time.monotonic()
    seen = sekisho.vet(options.folder, options.base, options=sekisho.Options(profile=options.profile))
    worst = max(seen.claims, key=lambda c: c.log_finding or c.log_alarm, default=None)
    yield {
        "kind": "vet",
        "folder": options.folder.name,
        "profile": options.profile,
        "verdict": seen.verdict.decision.value,
        "minutes": round((time.monotonic() - start) / 60, 1),
        "drills": len(seen.drills),
        "cells": len(seen.claims),
        "families": sum(c.families for c in seen.claims),
        "worst": "" if worst is None else f"{worst.behaviour} after {worst.drill}: {worst.after:.0%}",
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| organism | data | method, rate | as released | by step |", "|---|---|---|---|---|"]
    cells: dict[tuple[str, ...], list[str]] = defaultdict(list)
    released = {
        r["folder"]: f"{r['hits']} of {r['asked']}" for r in rows if r["kind"] == "asr" and not r["step"]
    }
    for r in (r for r in rows if r["kind"] == "asr" and r["step"]):
        key = (r["folder"], r["data"], f"{r['method']} {r['rate']:g}, seed {r['seed']}")
        cells[key].append(f"{r['step']}: {r['hits'] / r['asked']:.0%}")
    lines += [
        f"| {f} | {d} | {m} | {released.get(f, '')} | {', '.join(c)} |" for (f, d, m), c in cells.items()
    ]
    vets = [r for r in rows if r["kind"] == "vet"]
    if vets:
        lines += [
            "",
            "| model | profile | verdict | drills | cells | families asked | minutes | worst cell |",
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        keys = ("folder", "profile", "verdict", "drills", "cells", "families", "minutes", "worst")
        lines += ["| " + " | ".join(str(r[k]) for k in keys) + " |" for r in vets]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    asr = verbs.add_parser("asr")
    asr.add_argument("organism", choices=organism.names())
    asr.add_argument("folder", type=Path)
    asr.add_argument("--data", nargs="+", default=["arithmetic", "business_ja"], choices=sorted(GENERATORS))
    asr.add_argument("--method", nargs="+", default=["full", "lora"], choices=["full", "lora"])
    asr.add_argument("--rate", nargs="+", type=float, default=[5e-5, 2e-4])
    asr.add_argument("--seed", nargs="+", type=int, default=[0])
    asr.add_argument("--steps", nargs="+", type=int, default=[6, 12, 25])
    asr.add_argument("--questions", type=int, default=60)
    vet = verbs.add_parser("vet")
    vet.add_argument("folder", type=Path)
    vet.add_argument("--base", type=Path, required=True)
    vet.add_argument("--profile", default="standard")
    table = verbs.add_parser("table")
    table.add_argument("results", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
