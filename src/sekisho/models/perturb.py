"""Perturbations of released weights, one tensor at a time, in numpy and float32: no training, no torch, no global seed.

Equal weights and equal perturbations give equal results, whatever the threads and global seeds: noise comes from a
counter-based generator keyed by seed and tensor name, and so does not depend on which tensor comes first either.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.errors import ModelError
from sekisho.models.base import Perturbation

Array = NDArray[np.float32]

BLOCK: Final = 32
"""Neighbours along the last dimension that share one scale when rounded to few bits."""
_MATRIX: Final = 2
_CHUNK: Final = 2**20
"""Elements squared at a time, to sum in double precision without a copy of everything."""


@dataclass(frozen=True)
class Kind:
    """What a kind of perturbation accepts and touches."""

    low: float
    high: float
    """Bounds of the amount; both 0 where there is none."""
    needs_base: bool = False
    whole: bool = False
    """The amount is a whole number."""
    vectors: bool = False
    """Touches norms and biases, too."""
    tables: bool = True
    """Touches the embedding and the output head, too."""


KINDS: Final[Mapping[str, Kind]] = {
    "task-vector": Kind(-1, 4, needs_base=True, vectors=True),
    "noise": Kind(0.0001, 1),
    "quantise": Kind(2, 8, whole=True, tables=False),
    "prune": Kind(0.01, 0.95, tables=False),
    "bfloat16": Kind(0, 0, vectors=True),
    "float16": Kind(0, 0, vectors=True),
}
"""task-vector: base + amount x (weights - base); noise: standard deviation over each matrix's root mean square;
quantise: bits, symmetric with one scale a block; prune: share of smallest magnitudes set to zero; then two roundings."""


def touches(change: Perturbation, dimensions: int, *, table: bool) -> bool:
    """Tell whether a perturbation is applied to a tensor; `table` means an embedding or an output head."""
    kind = KINDS[change.kind]
    return (dimensions >= _MATRIX or kind.vectors) and (kind.tables or not table)


def perturbed(change: Perturbation, name: str, weights: Array, base: Array | None = None) -> Array:
    """The tensor after the perturbation, as a new array. Raises ModelError for an unknown kind."""
    if change.kind == "task-vector":
        if base is None or base.shape != weights.shape:
            raise ModelError(f"tensor {name}: the base has none of this shape")
        return base + np.float32(change.amount) * (weights - base)
    if change.kind == "noise":
        return noisy(weights, change.amount, key=f"{change.seed}|{name}")
    if change.kind == "quantise":
        return quantised(weights, int(change.amount))
    if change.kind == "prune":
        return pruned(weights, change.amount)
    if change.kind == "bfloat16":
        return as_bfloat16(weights)
    if change.kind == "float16":
        return weights.astype(np.float16).astype(np.float32)
    raise ModelError(f"no perturbation {change.kind!r}; there are {', '.join(KINDS)}")


def noisy(weights: Array, ratio: float, key: str) -> Array:
    """Add Gaussian noise whose standard deviation is `ratio` times the root mean square of the tensor."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    draw = np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
    noise = draw.standard_normal(weights.shape, dtype=np.float32)
    noise *= np.float32(ratio * root_mean_square(weights))
    noise += weights
    return noise


def quantised(weights: Array, bits: int) -> Array:
    """Round to whole multiples of a scale per block, so that the block's largest magnitude is kept; and back."""
    flat = weights.reshape(-1, weights.shape[-1])
    padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % BLOCK)))
    blocks = padded.reshape(len(flat), -1, BLOCK)
    scale = np.abs(blocks).max(-1, keepdims=True) / np.float32(2 ** (bits - 1) - 1)
    steps = np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0))
    back: Array = (steps * scale).reshape(padded.shape)[:, : flat.shape[1]]
    return back.reshape(weights.shape)


def pruned(weights: Array, share: float) -> Array:
    """Set the share of smallest magnitude to zero; of equal magnitudes at the edge, all."""
    count = int(share * weights.size)
    if not count:
        return weights.copy()
    sizes = np.abs(weights)
    edge = np.partition(sizes, count - 1, axis=None)[count - 1]
    return np.where(sizes <= edge, np.float32(0), weights)


def as_bfloat16(weights: Array) -> Array:
    """Round to the nearest bfloat16, ties to even, and back."""
    bits = np.ascontiguousarray(weights).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    kept = (bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)
    # NaN and infinity would be carried into another exponent
    return np.where(np.isfinite(weights), kept.view(np.float32), weights)


def root_mean_square(weights: Array) -> float:
    """Root of the mean square, summed in double precision."""
    return float((square_sum(weights) / max(1, weights.size)) ** 0.5)


def square_sum(weights: Array) -> float:
    """Sum of squares in double precision, in one order."""
    flat = weights.reshape(-1)
    parts = (flat[at : at + _CHUNK].astype(np.float64) for at in range(0, flat.size, _CHUNK))
    return float(sum(float(np.sum(np.square(part))) for part in parts))
