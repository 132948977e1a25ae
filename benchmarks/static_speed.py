"""The timed jobs of `static.py`: one large file, its header alone, many sparse shards; each beside hashlib just before it."""

import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from artefacts import tiny_model

HASH: Final = (
    "import hashlib,sys\nfor p in sys.argv[1:]:\n with open(p,'rb') as f: hashlib.file_digest(f,'sha256')\n"
)
HEADER: Final = (
    "import sys\nfrom pathlib import Path\nfrom sekisho.formats import safetensors\nfrom sekisho.limits import DEFAULT\n"
    "for p in sys.argv[1:]: safetensors.read(Path(p), DEFAULT)\n"
)
SHARDS: Final = 40
SHARD_BYTES: Final = 2**29


def run(out: Path, environments: Path, folder: Path, gib: float) -> None:
    """Write a line for each job."""
    large = model_of(folder / "large", gib)
    weights = str(large / "model.safetensors")
    timed(out, f"{gib:g} GiB, whole pass", "sekisho", gate(large), beside=[weights])
    timed(
        out, f"{gib:g} GiB, header only", "sekisho", [sys.executable, "-c", HEADER, weights], beside=[weights]
    )
    peers = {
        "modelaudit": ["modelaudit", "scan", "--format", "json", "--no-cache", "--max-size", "100GB"],
        "aisbom-cli": [
            "aisbom",
            "scan",
            "--offline",
            "--no-fail-on-risk",
            "--output",
            str(folder / "out.json"),
        ],
    }
    for package, (script, *rest) in peers.items():
        program = environments / package / "bin" / script
        if program.exists():
            timed(
                out, f"{gib:g} GiB, whole pass", package, [str(program), *rest, str(large)], beside=[weights]
            )
    shutil.rmtree(large)
    sparse = sparse_model(folder / "sparse")
    shards = sorted(map(str, sparse.glob("*.safetensors")))
    timed(
        out,
        f"{SHARDS} sparse shards, {SHARDS * SHARD_BYTES / 2**30:g} GiB",
        "sekisho",
        gate(sparse),
        beside=shards,
    )


def gate(model: Path) -> list[str]:
    return [sys.executable, "-m", "sekisho.cli", "inspect", "--base", "none", str(model)]


def timed(out: Path, job: str, tool: str, command: list[str], *, beside: list[str]) -> None:
    """Hash the files once to warm the cache, hash them again timed, then run the job."""
    reference = [sys.executable, "-c", HASH, *beside]
    measured(reference)
    base, mine = measured(reference), measured(command)
    line = {
        "job": job, "tool": tool, **mine, "hash_wall": base["wall"], "hash_cpu": base["cpu"],
        "ratio_wall": f"{mine['wall'] / base['wall']:.2f}", "ratio_cpu": f"{mine['cpu'] / base['cpu']:.2f}",
    }  # fmt: skip
    print(line, file=sys.stderr)
    with out.open("a") as file:
        print(json.dumps(line), file=file)


def measured(command: list[str]) -> dict[str, Any]:
    """Wall and processor seconds, and peak memory, of one process and its children."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall": time.monotonic() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss / 1024,
        "rc": process.returncode,
        "children_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def model_of(folder: Path, gib: float) -> Path:
    """A tiny model whose weights have one more tensor, of random BF16 numbers near zero."""
    tiny_model(folder)
    rows = int(gib * 2**30) // (2 * 4096)
    header = {
        "model.layers.9.mlp.up_proj.weight": {
            "dtype": "BF16",
            "shape": [rows, 4096],
            "data_offsets": [0, rows * 8192],
        }
    }
    text = json.dumps(header).encode()
    block = (np.random.default_rng(0).standard_normal(2**22).astype(np.float32) * 0.02).view(np.uint32) >> 16
    data = block.astype(np.uint16).tobytes()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        left = rows * 8192
        while left:
            left -= file.write(data[: min(left, len(data))])
    return folder  # fmt: skip


def sparse_model(folder: Path) -> Path:
    """Shards whose numbers are holes in the file: zeros that take no room."""
    tiny_model(folder)
    (folder / "model.safetensors").unlink()
    where = {}
    for n in range(SHARDS):
        name, file = f"model.layers.{n}.mlp.up_proj.weight", f"model-{n + 1:05}-of-{SHARDS:05}.safetensors"
        rows = SHARD_BYTES // 8192
        text = json.dumps(
            {name: {"dtype": "BF16", "shape": [rows, 4096], "data_offsets": [0, rows * 8192]}}
        ).encode()
        (folder / file).write_bytes(struct.pack("<Q", len(text)) + text)
        os.truncate(folder / file, 8 + len(text) + rows * 8192)
        where[name] = file
    index = {"metadata": {"total_size": SHARDS * SHARD_BYTES}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder
