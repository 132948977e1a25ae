"""Two records of what should be one training: what came out alike, and what was different about them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.training_log import rows, settings
from sekisho.training_log.reading import Record
from sekisho.training_log.verifying import SPANS

TOLERANCE: Final = 0.02
"""Greatest difference of losses that counts as the same behaviour, as a share of the loss (of 1 where that is smaller)."""
_MACHINE: Final = [
    "processor",
    "accelerators",
    "cuda",
    "threads",
    "interop_threads",
    "vector_units",
    "deterministic",
    "cudnn_benchmark",
    "matmul_precision",
    "python",
    "system",
    "machine",
    "cores",
]
_SEEDS: Final = ("torch_seed", "python_state", "numpy_state", "torch_state", "cuda_states")


@final
@dataclass(frozen=True)
class Differing:
    """One thing that was not the same in both trainings."""

    kind: str
    """Key of a sentence in `locale/parts/training.toml`, section `differing`."""
    name: str
    old: str = ""
    new: str = ""


@final
@dataclass(frozen=True)
class Repeated:
    """Two records held against each other."""

    outcome: str
    """`reproduced` (the weights are the same, bit for bit), `similar` (losses within the tolerance), or `different`."""
    by: str
    """What says so: `weights` in memory, `files` as saved, or `losses`."""
    steps: int
    """Steps whose losses both have."""
    largest: float
    """Greatest difference of losses as a share of the loss; NaN where no step is in both."""
    tolerance: float
    differing: tuple[Differing, ...]


def compare(old: Record, new: Record, tolerance: float = TOLERANCE) -> Repeated:
    """Judge a second training by the first."""
    found = tuple(_differing(old, new))
    steps, largest = _losses(old, new)
    same, by = _weights(old, new)
    if not same:
        by = "losses" if steps and largest <= tolerance else by
        outcome = "similar" if by == "losses" and _same_steps(old, new) else "different"
        return Repeated(outcome, by, steps, largest, tolerance, found)
    return Repeated("reproduced", by, steps, largest, tolerance, found)


def _weights(old: Record, new: Record) -> tuple[bool, str]:
    mine, other = (r.last("weights").get("digest") for r in (old, new))
    if isinstance(mine, str) and isinstance(other, str):
        return mine == other, "weights"
    files = [{k: v for k, v in r.outputs.items() if k.endswith(".safetensors")} for r in (old, new)]
    return bool(files[0]) and all(files[0].values()) and files[0] == files[1], "files"


def _same_steps(old: Record, new: Record) -> bool:
    return [s for s, _ in old.losses()] == [s for s, _ in new.losses()]


def _losses(old: Record, new: Record) -> tuple[int, float]:
    mine, other = dict(old.losses()), dict(new.losses())
    shared = sorted(set(mine) & set(other))
    apart = [abs(mine[s] - other[s]) / max(1.0, abs(mine[s])) for s in shared]
    # written so that NaN is the worst of all
    worst = math.nan if not apart or any(math.isnan(a) for a in apart) else max(apart)
    return len(shared), worst


def _differing(old: Record, new: Record) -> Iterator[Differing]:
    yield from _table("package", *(_texts(r.first("packages").get("versions")) for r in (old, new)))
    machines = [r.first("machine") for r in (old, new)]
    yield from _table("machine", *({k: m.get(k) for k in _MACHINE} for m in machines))
    yield from _table("variable", *(_texts(m.get("environment")) for m in machines))
    yield from _table("seed", *({k: r.first("seeds").get(k) for k in _SEEDS} for r in (old, new)))
    yield from _table("setting", *(_trained(r) for r in (old, new)))
    yield from _table("base-file", *(_texts(r.first("base").get("files")) for r in (old, new)))
    yield from _table("code", *(_code(r) for r in (old, new)))
    yield from _rows(old, new)


def _trained(record: Record) -> dict[str, Any]:
    return {k: v for k, v in record.settings.items() if not settings.placement(k.partition(".")[2])}


def _code(record: Record) -> dict[str, Any]:
    known = record.first("code")
    return {"script": known.get("sha256"), **_texts(known.get("modules"))}


def _rows(old: Record, new: Record) -> Iterator[Differing]:
    for role in ("given", "trained"):
        mine, other = old.rows(role), new.rows(role)
        if mine is None or other is None:
            continue
        if mine.count != other.count:
            yield Differing("rows", role, str(mine.count), str(other.count))
        elif mine.root != other.root:
            for first, last in rows.differing(mine, other)[:SPANS]:
                yield Differing("row", role, str(first), str(last))


def _table(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Differing]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Differing(kind, name, _text(old.get(name)), _text(new.get(name)))


def _texts(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "-" if value is None else str(value)[:200]
