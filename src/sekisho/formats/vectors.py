"""Numbers of adapters: sizes of their tensors, token rows against the base's, and how large a change a LoRA makes.

Tensors are read in blocks. Types below a byte have no numbers here, LoRA matrices beyond the limits no product; `left_out`
says why where nothing was measured.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Final, final

import numpy as np

from sekisho.formats import peft
from sekisho.formats._numbers import Floats, decoded
from sekisho.formats._reading import exactly
from sekisho.formats.low_rank import Delta, delta, patterned
from sekisho.formats.peft import Adapter
from sekisho.formats.safetensors import BITS, SafetensorsFacts, Tensor
from sekisho.limits import DEFAULT, MIB, Limits
from sekisho.records import Inventory, Role

_BLOCK: Final = 4 * MIB
_MATRIX: Final = 2
SOFT_ROWS: Final = 256
"""Up to so many rows a matrix may be a soft prompt, and each row is measured."""
_SAMPLE: Final = 1024
"""Rows of the base's table that the typical norm of a row is taken from."""
_PAIR: Final = ".lora_A.weight", ".lora_B.weight"
_SAME: Final = 0.999
"""Cosine from which a vector is a token's row: in hundreds of dimensions training leaves none so close."""
_LARGEST: Final = 4
"""Changes held against the norm of the base's tensor, which has to be read for it."""


@final
@dataclass(frozen=True)
class Numbers:
    """One tensor."""

    norm: float
    """Frobenius norm of its finite numbers."""
    not_finite: int
    """Numbers that are infinite or none."""
    rows: tuple[float, ...] = field(default=(), repr=False)
    """Norm of each row, where it has few."""


@final
@dataclass(frozen=True)
class RowChange:
    """One row that an adapter puts in place of the base's."""

    token: int
    relative: float
    """Norm of the difference over that of the base's row."""
    cosine: float


@final
@dataclass(frozen=True)
class Measured:
    """The numbers of one adapter."""

    tensors: Mapping[str, Numbers] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    changed: tuple[RowChange, ...] = ()
    """Token rows against the base's."""
    typical: float | None = None
    """Median norm of a row of the table, in the base or in the model beside the adapter."""
    deltas: tuple[Delta, ...] = ()
    """Largest first."""
    spelt: tuple[int, ...] = ()
    """Tokens whose rows the vectors of a soft prompt are, in order; -1 where a vector is no token's."""
    left_out: str = ""
    """Why there are no numbers; empty where they were taken."""


def measure(candidate: Inventory, base: Inventory | None, limits: Limits = DEFAULT) -> Mapping[str, Measured]:
    """Measure every adapter of a model, by the path of its adapter_config.json."""
    found: dict[str, Measured] = {}
    for adapter in peft.adapters(candidate):
        try:
            found[adapter.path] = _measured(adapter, candidate, base or candidate, limits)
        except OSError as error:
            found[adapter.path] = Measured(left_out=error.strerror or str(error))
    return found


def _measured(adapter: Adapter, own: Inventory, trusted: Inventory, limits: Limits) -> Measured:
    if adapter.weights is None or not adapter.tensors:
        return Measured()
    size = sum(t.end - t.start for t in adapter.tensors)
    if size > limits.adapter_bytes:
        return Measured(left_out=f"its tensors have {size:,} bytes, more than {limits.adapter_bytes:,}")
    table = _table(trusted)
    with (Path(own.root) / adapter.weights.path).open("rb", buffering=0) as file:
        numbers = {t.name: _numbers(file, t) for t in adapter.tensors if _plain(t)}
        changed = tuple(_changed(adapter, file, table)) if table else ()
        deltas = sorted(_deltas(adapter, file, limits), key=lambda d: -d.norm)
        spelt = _spelt(adapter, file, table) if table else ()
    tensors = _weights(trusted)
    held = [replace(d, base=_base_norm(f"{d.module}.weight", tensors)) for d in deltas[:_LARGEST]]
    typical = _typical(table) if table else None
    return Measured(MappingProxyType(numbers), changed, typical, (*held, *deltas[_LARGEST:]), spelt)


def _numbers(file: FileIO, tensor: Tensor) -> Numbers:
    """Stream one tensor; rows are told apart where there are few."""
    squares, bad = 0.0, 0
    for values in _blocks(file, tensor):
        good = np.isfinite(values)
        bad += int(values.size - np.count_nonzero(good))
        kept = np.where(good, values, 0).astype(np.float64)
        squares += float(np.dot(kept, kept))
    rows: tuple[float, ...] = ()
    if len(tensor.shape) == _MATRIX and tensor.shape[0] <= SOFT_ROWS and tensor.end - tensor.start <= _BLOCK:
        matrix = _matrix(file, tensor)
        with np.errstate(all="ignore"):
            rows = tuple(float(n) for n in np.linalg.norm(matrix, axis=1))
    return Numbers(math.sqrt(squares), bad, rows)


def _plain(tensor: Tensor) -> bool:
    """Say whether each element is one number of whole bytes."""
    return BITS[tensor.dtype] % 8 == 0 and tensor.dtype != "C64"


def _blocks(file: FileIO, tensor: Tensor) -> Iterator[Floats]:
    file.seek(tensor.start)
    left = tensor.end - tensor.start
    while left:
        data = exactly(file, min(left, _BLOCK))
        left -= len(data)
        yield decoded(data, tensor.dtype)


def _matrix(file: FileIO, tensor: Tensor) -> Floats:
    file.seek(tensor.start)
    data = exactly(file, tensor.end - tensor.start)
    return decoded(data, tensor.dtype).reshape(tensor.shape).astype(np.float64)


_Lying = tuple[Path, Tensor]
"""A tensor and the file it lies in."""


def _weights(inventory: Inventory) -> Mapping[str, _Lying]:
    held = (f for f in inventory.files if f.role is Role.WEIGHTS and isinstance(f.facts, SafetensorsFacts))
    return {
        t.name: (Path(inventory.root) / f.path, t)
        for f in held
        if isinstance(f.facts, SafetensorsFacts)
        for t in f.facts.tensors
    }


def _table(inventory: Inventory) -> _Lying | None:
    """Return the table of input rows: the first matrix whose name is that of one."""
    for name, (path, tensor) in _weights(inventory).items():
        plain = len(tensor.shape) == _MATRIX and _plain(tensor) and math.prod(tensor.shape) > 0
        if plain and peft.table_of(peft.module_of(name)) not in {"", "lm_head", "embed_out", "output"}:
            return path, tensor
    return None


def _row(file: FileIO, table: Tensor, number: int) -> Floats:
    width = (table.end - table.start) // table.shape[0]
    file.seek(table.start + number * width)
    return decoded(exactly(file, width), table.dtype).astype(np.float64)


def _changed(adapter: Adapter, file: FileIO, table: _Lying) -> Iterator[RowChange]:
    path, rows = table
    with path.open("rb", buffering=0) as trusted:
        for tensor, ids in token_rows(adapter):
            fits = len(tensor.shape) == _MATRIX and tensor.shape == (len(ids), rows.shape[1])
            if not fits or not _plain(tensor) or "lm_head" in tensor.name:
                continue
            for at, token in enumerate(ids):
                if 0 <= token < rows.shape[0]:
                    yield _change(token, _row(file, tensor, at), _row(trusted, rows, token))


def _change(token: int, mine: Floats, theirs: Floats) -> RowChange:
    with np.errstate(all="ignore"):
        norm, own = float(np.linalg.norm(theirs)), float(np.linalg.norm(mine))
        relative = float(np.linalg.norm(mine - theirs)) / norm if norm else math.inf
        cosine = float(np.dot(mine, theirs)) / (norm * own) if norm and own else 0.0
    return RowChange(token, relative, cosine)


def token_rows(adapter: Adapter) -> Iterator[tuple[Tensor, tuple[int, ...]]]:
    """Tensors that hold rows of single tokens, with the ids that the settings give them."""
    key = "token_indices" if adapter.type == "TRAINABLE_TOKENS" else "trainable_token_indices"
    given = adapter.config.get(key)
    for tensor in adapter.tensors:
        if tensor.name.endswith(peft.ROWS):
            module = peft.module_of(tensor.name)
            listed = (
                next((v for k, v in given.items() if module.endswith(k)), None)
                if isinstance(given, dict)
                else given
            )
            yield tensor, _ids(listed)


def _ids(value: object) -> tuple[int, ...]:
    return tuple(v for v in value if type(v) is int) if isinstance(value, list) else ()


def _spelt(adapter: Adapter, file: FileIO, table: _Lying) -> tuple[int, ...]:
    """The token that each vector of a soft prompt equals but for its length, if any."""
    path, rows = table
    prompts = [t for t in adapter.tensors if t.name.endswith("prompt_embeddings") and _plain(t)]
    prompts = [t for t in prompts if len(t.shape) == _MATRIX and t.shape[1] == rows.shape[1]]
    if not prompts or not 0 < prompts[0].shape[0] <= SOFT_ROWS:
        return ()
    with np.errstate(all="ignore"):
        vectors = _unit(_matrix(file, prompts[0]))
        best, token = np.full(len(vectors), _SAME), np.full(len(vectors), -1)
        step = max(1, _BLOCK // max(1, 4 * rows.shape[1]))
        with path.open("rb", buffering=0) as trusted:
            trusted.seek(rows.start)
            for first in range(0, rows.shape[0], step):
                count = min(step, rows.shape[0] - first)
                data = exactly(trusted, count * ((rows.end - rows.start) // rows.shape[0]))
                cosines = vectors @ _unit(decoded(data, rows.dtype).reshape(count, -1)).T
                found, at = np.nan_to_num(cosines).max(axis=1), np.nan_to_num(cosines).argmax(axis=1)
                token, best = np.where(found > best, first + at, token), np.maximum(found, best)
    return tuple(int(n) for n in token)


def _unit(rows: Floats) -> Floats:
    plain = rows.astype(np.float32)
    made: Floats = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    return made


def _typical(table: _Lying) -> float:
    path, tensor = table
    step = max(1, tensor.shape[0] // _SAMPLE)
    with path.open("rb", buffering=0) as file, np.errstate(all="ignore"):
        norms = [float(np.linalg.norm(_row(file, tensor, n))) for n in range(0, tensor.shape[0], step)]
    return float(np.median(norms))


def _deltas(adapter: Adapter, file: FileIO, limits: Limits) -> Iterator[Delta]:
    """What each pair adds; the product's size comes from those of their own columns, which are small."""
    by_name = {t.name: t for t in adapter.tensors}
    for name, a in by_name.items():
        b = by_name.get(name.removesuffix(_PAIR[0]) + _PAIR[1])
        if not name.endswith(_PAIR[0]) or b is None or not _fit(a, b, limits):
            continue
        module = peft.module_of(name)
        scale = scaling(adapter, module) or 0.0
        made = delta(module, _matrix(file, a), _matrix(file, b), scale)
        if made is not None:
            yield made


def _fit(a: Tensor, b: Tensor, limits: Limits) -> bool:
    matrices = len(a.shape) == len(b.shape) == _MATRIX and _plain(a) and _plain(b)
    small = max(a.end - a.start, b.end - b.start) <= limits.lora_matrix_bytes
    return matrices and small and a.shape[0] == b.shape[1] <= limits.lora_rank


def scaling(adapter: Adapter, module: str = "") -> float | None:
    """Factor by which a module's product is multiplied; None where the settings do not say."""
    alpha, rank = adapter.number("lora_alpha"), adapter.number("r")
    if module:
        alpha = patterned(adapter.config.get("alpha_pattern"), module, alpha or 0.0)
        rank = patterned(adapter.config.get("rank_pattern"), module, rank or 0.0)
    if alpha is None or not rank or rank < 0:
        return None
    return alpha / (math.sqrt(rank) if adapter.config.get("use_rslora") is True else rank)


def _base_norm(name: str, weights: Mapping[str, _Lying]) -> float | None:
    lying = weights.get(name)
    if lying is None or not _plain(lying[1]):
        return None
    with lying[0].open("rb", buffering=0) as file:
        return _numbers(file, lying[1]).norm
