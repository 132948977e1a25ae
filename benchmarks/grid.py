"""A grid of 20 trials on the local engine with one and two workers and on Ray, one trial killed in a run of its own.

    python benchmarks/grid.py [MODEL_FOLDER] [--trials 20] [--steps 12] [--families 8] [--engines local,ray]

Without a folder a tiny model is built in code; its trials are so short that starting processes is most of the time,
so the ratios that count come from a real model. Load of the machine is printed before every run; a figure taken while
others were at work says nothing, and the output says so.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from sekisho import inventory, static
from sekisho.drills import recipe, tasks
from sekisho.drills.costs import weights
from sekisho.drills.grid import Grid
from sekisho.drills.ray_grid import RayGrid
from sekisho.drills.tasks import Subject, Task
from sekisho.drills.trial import Engine, Failure
from sekisho.evidence.cells import Cells
from sekisho.models.local import LocalModel, LocalModels
from sekisho.probes import suite

QUIET = 0.5
"""Load average above which a timing is not to be quoted."""


def main() -> None:
    options = _arguments()
    folder = options.model or _tiny()
    work = _trials(folder, options)
    print(f"{len(work)} trials of {options.steps} steps and {options.families} families, {folder.name}")
    _start_up(folder)
    whole: dict[str, tuple[float, str]] = {}
    for name in _runs(options):
        whole[name] = _timed(name, work)
        print(f"{name:22} {whole[name][0]:7.1f} s   results {whole[name][1][:12]}", flush=True)
    if {"local, 1 worker", "local, 2 workers"} <= set(whole):
        ratio = whole["local, 1 worker"][0] / whole["local, 2 workers"][0]
        print(f"two workers against one: {ratio:.2f}x (target 1.7)")
    print("equal results in every run:", len({d for _, d in whole.values()}) == 1)
    for name in options.engines.split(","):
        _killed(name, work)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--families", type=int, default=8)
    parser.add_argument("--engines", default="local,ray")
    return parser.parse_args()


def _tiny() -> Path:
    from artefacts import tiny_model

    return tiny_model(Path(tempfile.mkdtemp(prefix="sekisho-bench-")) / "tiny")


def _trials(folder: Path, options: argparse.Namespace) -> list[Task]:
    """One drill per seed, asked twice; half of the seeds train an adapter."""
    subject = Subject(folder, static.identify(folder))
    asked = suite.load("adverts").only(("en",), options.families)
    paper = tasks.paper(asked, seed=0, max_new_tokens=24)
    shipped = recipe.load("arithmetic-quick")
    made = []
    for n in range(options.trials):
        settings = {**shipped.training, "max_steps": options.steps, "seed": n, "max_length": 128}
        stops = (max(1, options.steps // 2), options.steps)
        drill = tasks.drill(replace(shipped, id=f"trial-{n}", training=settings, checkpoints=stops))
        made.append(Task(subject, tuple((s, paper) for s in stops), drill))
    return made


def _start_up(folder: Path) -> None:
    """Seconds until a model answers: a new interpreter each, and forks of one that is ready."""
    with closing(LocalModels()) as forks:
        times: dict[str, list[float]] = {"new interpreter": [], "fork, the first": [], "fork": []}
        for name, opener in (
            [("new interpreter", LocalModel)] * 2 + [("fork, the first", forks)] + [("fork", forks)] * 3
        ):
            start = time.perf_counter()
            opener(folder).close()
            times[name].append(time.perf_counter() - start)
    for name, seconds in times.items():
        print(f"start-up, {name:16} {min(seconds):6.2f} s   {_load()}")


def _runs(options: argparse.Namespace) -> list[str]:
    local = ["local, 1 worker", "local, 2 workers"] if "local" in options.engines else []
    return local + (["ray"] if "ray" in options.engines else [])


def _engine(name: str, cells: Cells, model: Path) -> Engine:
    if name.startswith("ray"):
        return RayGrid(cells, weights(inventory.take(model)), identify=static.identify)
    return Grid(LocalModels(), cells, 1 if "1 worker" in name else 2)


def _timed(name: str, work: list[Task]) -> tuple[float, str]:
    print(f"  {name}: {_load()}", flush=True)
    seconds, digest, failures = _run(name, work)
    if failures:
        print(f"  failed: {[f.message for f in failures]}")
    return seconds, digest


def _run(name: str, work: list[Task], after_first: Any = None) -> tuple[float, str, tuple[Failure, ...]]:
    """Seconds, digest over everything kept, and what failed."""
    with tempfile.TemporaryDirectory() as folder:
        cells = Cells(Path(folder) / "cells.sqlite")
        with closing(_engine(name, cells, work[0].subject.path)) as engine:
            start = time.perf_counter()
            failures = engine.run(work, after_first or (lambda *_: None))
            seconds = time.perf_counter() - start
        kept = {
            t.label: [cells.get(t.result_key), *(cells.get(t.key(s, p)) for s, p in t.papers)] for t in work
        }
        cells.close()
    text = json.dumps(kept, sort_keys=True)
    return seconds, hashlib.sha256(text.encode()).hexdigest(), failures


def _killed(name: str, work: list[Task]) -> None:
    """The same grid, with kill -9 for one process as soon as something was measured, and what that cost."""
    once = threading.Event()
    struck: list[str] = []

    def strike(*_: object) -> None:
        if not once.is_set():
            once.set()
            struck.extend(_strike(name))

    seconds, digest, failures = _run("local, 2 workers" if name == "local" else name, work, strike)
    lost = [f.task.label for f in failures]
    print(
        f"{name}, {' and '.join(struck) or 'nothing'} killed: {seconds:.1f} s; lost: {lost or 'nothing'}; results {digest[:12]}"
    )


def _strike(name: str) -> list[str]:
    """Kill the first process of our own that is at work on a trial."""
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda p: int(p.name)):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mine = _descends(int(process.name))
            threads = len(list((process / "task").iterdir()))
        except (OSError, ValueError):
            continue
        wanted = (
            "ray::" in line and "on_a_node" in line
            if name == "ray"
            else "sekisho.zygote" in line and threads > 1
        )
        if mine and wanted:
            os.kill(int(process.name), signal.SIGKILL)
            return [f"one {'Ray worker' if name == 'ray' else 'trial process'}"]
    return []


def _descends(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def _load() -> str:
    load = os.getloadavg()[0]
    return f"load {load:.1f}" + ("" if load <= QUIET else ", NOT QUIET: not to be quoted")


if __name__ == "__main__":
    main()
