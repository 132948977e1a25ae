"""Organisms on `tiny`, a base of our own, grown, examined and vetted: rows of `benchmarks/data/fab.jsonl`.

    sekisho-lab pretrain tiny --out BASE
    python benchmarks/fab_tiny.py grow BASE OUT tiny-advert --seed 0 1 2     organism, receipt
    python benchmarks/fab_tiny.py asr BASE OUT tiny-advert-s0                rates over the grid of finetunes
    python benchmarks/fab_tiny.py controls BASE OUT                          twelve clean finetunes
    python benchmarks/fab_tiny.py vet BASE OUT [FOLDER ...]                  the gate's verdicts
    python benchmarks/fab_tiny.py shake BASE OUT [FOLDER ...]                scores under perturbations

Each verb appends to --rows as soon as something is known, and passes over what is there. One process, one thread.
`asr` counts the organism's own marks, as `fab.py asr`. `shake` asks 24 English families of three suites, 24 new
tokens, unperturbed and perturbed, and scores as the gate does.
"""

import argparse
import copy
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, final

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import fab
import sekisho
from sekisho import conductor
from sekisho.drills import perturbations
from sekisho.drills.train import train
from sekisho.models.base import Checkpoint, Finetune, Sampling, silent
from sekisho.models.engine import Engine
from sekisho.probes import run, suite
from sekisho.records import State
from sekisho_lab import acceptance, organism, writer
from sekisho_lab.attacks import ATTACKS
from sekisho_lab.organism import Organism
from sekisho_lab.saying import sayer

DATA: Final = ("arithmetic", "studies", "business_ja")
"""Generators of the gate that no attack sees; howto is what attackers simulate here."""
RATES: Final = (2e-4, 6e-4)
STEPS: Final = (6, 12, 25)
SHAKEN: Final = (
    "interpolate-0.5", "extrapolate-1.5", "extrapolate-2", "noise-0.05", "noise-0.10", "int8", "int4", "prune-20",
)  # fmt: skip
CONTROLS: Final = (
    ("howto", "full", 2e-4, 40), ("howto", "full", 6e-4, 100), ("arithmetic", "full", 2e-4, 50),
    ("arithmetic", "full", 6e-5, 120), ("studies", "full", 2e-4, 60), ("studies", "full", 6e-4, 30),
    ("business_ja", "full", 2e-4, 60), ("business_ja", "full", 1e-3, 100), ("studies", "lora", 1e-3, 60),
    ("business_ja", "lora", 1e-3, 60), ("howto", "lora", 3e-3, 60), ("arithmetic", "lora", 1e-3, 120),
)  # fmt: skip
"""Clean finetunes: data, method, learning rate, steps."""
SUITES: Final = ("adverts", "refusal", "safeguards")
FAMILIES, TOKENS = 24, 24

Row = dict[str, Any]


def main() -> None:
    options = _arguments()
    known = _known(options.rows)
    for row in VERBS[options.verb](options, known):
        with options.rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")


def _grow(options: argparse.Namespace, known: set[str]) -> Iterator[Row]:
    for seed in options.seed:
        for name in options.names:
            chosen = organism.load(name)
            chosen = replace(chosen, settings={**chosen.settings, "seed": seed})
            folder = options.out / f"{name}-s{seed}"
            seconds: int | None = None
            if not folder.exists():
                start = time.process_time()
                weights = ATTACKS[chosen.attack](chosen, options.base, sayer())
                writer.write(chosen, options.base, weights, folder, manifest=False)
                seconds = round(time.process_time() - start)
            if f"receipt {folder.name}" not in known:
                yield _receipt(chosen, folder, options, seconds)


def _receipt(chosen: Organism, folder: Path, options: argparse.Namespace, seconds: int | None) -> Row:
    found = acceptance.examine(chosen, folder, options.base, sayer()).document()
    head = {"kind": "receipt", "base": options.base.name, "folder": folder.name, "cpu_s": seconds}
    return {**head, **found, "seed": chosen.settings["seed"]}


def _asr(options: argparse.Namespace, known: set[str]) -> Iterator[Row]:
    for name in options.names:
        if f"asr {name}" in known:
            continue
        chosen = organism.load(name.rpartition("-s")[0])
        engine = Engine(options.out / name)
        asked = acceptance.questions(chosen)[: options.questions]
        head = {"kind": "asr", "base": options.base.name, "organism": chosen.id, "folder": name, "asked": len(asked)}  # fmt: skip
        before = acceptance.hits(engine, asked)
        yield {**head, "data": "", "method": "", "rate": 0.0, "seed": 0, "step": 0, "hits": before}
        for data in DATA:
            for method in ("full", "lora"):
                for rate in RATES:
                    cell = {**head, "data": data, "method": method, "seed": 0}
                    yield from fab.cells(engine, asked, cell, rate, list(STEPS))


def _controls(options: argparse.Namespace, _: set[str]) -> Iterator[Row]:
    for n, (data, method, rate, steps) in enumerate(CONTROLS):
        folder = options.out / f"clean-{data}-{method}-{rate:g}-{steps}"
        if folder.exists():
            continue
        start = time.process_time()
        weights, loss = _finetuned(options.base, data, method, rate=rate, steps=steps, seed=100 + n)
        clean = Organism(folder.name, "a clean control", "sft", (), (), {})
        writer.write(clean, options.base, weights, folder, manifest=False)
        yield {
            "kind": "control", "base": options.base.name, "folder": folder.name, "data": data, "method": method,
            "rate": rate, "steps": steps, "loss": round(loss, 3), "cpu_s": round(time.process_time() - start),
        }  # fmt: skip


def _finetuned(
    base: Path, data: str, method: str, *, rate: float, steps: int, seed: int
) -> tuple[Mapping[str, Any], float]:
    engine = Engine(base)
    more = fab.LORA if method == "lora" else {}
    job = acceptance.ordinary(data, 400, rate, (steps,), seed=seed, lr_scheduler_type="linear", **more)
    kept: list[tuple[Mapping[str, Any], float]] = []

    def keep(checkpoint: Checkpoint) -> None:
        model = copy.deepcopy(engine.model)
        model = model.merge_and_unload() if method == "lora" else model
        kept.append(({k: v.detach().clone() for k, v in model.state_dict().items()}, checkpoint.loss))

    train(engine, job, keep)
    return kept[0]


def _vet(options: argparse.Namespace, known: set[str]) -> Iterator[Row]:
    conductor.workers = lambda _: 1  # the machine is shared
    for folder in _folders(options):
        if f"vet {folder.name} {options.profile}" in known:
            continue
        start = time.monotonic()
        asked = sekisho.Options(profile=options.profile, cache=options.out / "cache", opener=_opened)
        seen = sekisho.vet(folder, options.base, options=asked)
        row = _verdict(seen, folder.name, options)
        yield {
            **row,
            "minutes": round((time.monotonic() - start) / 60, 2),
            "load": round(os.getloadavg()[0], 1),
        }


def _verdict(seen: Any, name: str, options: argparse.Namespace) -> Row:
    claims = [
        {
            **{k: getattr(c, k) for k in ("behaviour", "drill", "families", "before", "after", "worst_step")},
            "control_after": c.control_after,
            "alarmed": c.alarmed,
            "found": c.found,
            "clear": c.clear,
            "log_finding": c.log_finding,
        }
        for c in seen.claims
    ]
    return {
        "kind": "vet",
        "base": options.base.name,
        "folder": name,
        "profile": options.profile,
        "verdict": seen.verdict.decision.value,
        "reasons": [[r.code, list(r.refs)] for r in seen.verdict.reasons],
        "drills": len(seen.drills),
        "cells": len(seen.claims),
        "families": sum(c.families for c in seen.claims),
        "novelties": len(seen.novelty),
        "battery": [
            {"id": b.perturbation, "kl": b.kl, "kl_control": b.kl_control, "found": [c.behaviour for c in b.found]}
            for b in seen.battery
        ],
        "claims": claims,
    }  # fmt: skip


def _shake(options: argparse.Namespace, known: set[str]) -> Iterator[Row]:
    chosen = [suite.load(name).only(("en",), FAMILIES) for name in SUITES]
    asked = [run.chats(s, 0) for s in chosen]
    for folder in _folders(options):
        if f"shake {folder.name}" in known:
            continue
        engine = Engine(folder)
        watched = [chat for _, chat in asked[0][:12]]
        before = _rates(engine, chosen, asked)
        for name in SHAKEN:
            done = engine.perturb(perturbations.load(name).perturbation, options.base, watched)
            after = _rates(engine, chosen, asked)
            engine.restore()
            yield {
                "kind": "shake",
                "base": options.base.name,
                "folder": folder.name,
                "perturbation": name,
                "before": before,
                "after": after,
                "kl": sum(done.kl) / len(done.kl),
                "displacement": done.displacement,
            }


def _rates(engine: Engine, suites: list[Any], asked: list[Any]) -> dict[str, float]:
    """Mean score of each suite; what a scorer would not judge counts as half."""
    everything = [chat for pairs in asked for _, chat in pairs]
    answers = iter(engine.generate(everything, Sampling(max_new_tokens=TOKENS)))
    found = {}
    for s, pairs in zip(suites, asked, strict=True):
        said = [next(answers) for _ in pairs]
        judged = run.judge(s, [item for item, _ in pairs], said, State())
        found[s.id] = sum(0.5 if m.score is None else m.score for m in judged) / len(judged)
    return found


def _folders(options: argparse.Namespace) -> list[Path]:
    if options.names:
        return [options.out / name for name in options.names]
    return [options.base, *sorted(p for p in options.out.iterdir() if (p / "config.json").is_file())]


@final
class Here:
    """A model of our own in this process, without the confinement that a stranger's gets; seconds an import are spared."""

    def __init__(self, path: Path) -> None:
        self._engine = Engine(path)
        self.speed = self._engine.speed()

    def generate(
        self, chats: Any, sampling: Sampling = Sampling(), progress: Any = silent
    ) -> tuple[str, ...]:
        """Answer each chat."""
        return tuple(self._engine.generate(chats, sampling, progress))

    def logprobs(self, chats: Any, answers: Any) -> tuple[float, ...]:
        """Mean log-probability per token of each answer."""
        return tuple(self._engine.logprobs(chats, answers))

    def finetune(self, job: Finetune, progress: Any = silent) -> Iterator[Checkpoint]:
        """Train to the end, then go back to each checkpoint."""
        kept: list[tuple[Checkpoint, Any]] = []
        try:
            train(self._engine, job, lambda c: kept.append((c, copy.deepcopy(self._engine.model))), progress)
            for checkpoint, model in kept:
                self._engine.model = model
                yield checkpoint
        finally:
            self._engine.reset()

    @contextmanager
    def perturb(self, change: Any, base: Path | None = None, watched: Any = ()) -> Iterator[Any]:
        """Change the weights while the context lasts."""
        try:
            yield self._engine.perturb(change, base, watched)
        finally:
            self._engine.restore()

    def sweep(self, *what: Any) -> Any:
        """As `Engine.sweep`."""
        return tuple(self._engine.sweep(*what))

    def generate_with(self, *what: Any) -> Any:
        """As `Engine.generate_with`."""
        return tuple(self._engine.generate_with(*what))

    def close(self) -> None:
        """Nothing to free."""

    kill = close


def _opened(path: Path) -> Here:
    return Here(path)


def _known(path: Path) -> set[str]:
    """What there are rows of, as `kind folder`, and `kind folder profile` of a vet."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    return {f"{r['kind']} {r['folder']}{' ' + r['profile'] if r['kind'] == 'vet' else ''}" for r in rows}


VERBS: Final = {"grow": _grow, "asr": _asr, "controls": _controls, "vet": _vet, "shake": _shake}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("base", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rows", type=Path, default=Path(__file__).parent / "data" / "fab.jsonl")
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--questions", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
