"""Two sets of safetensors compared, tensor by tensor and block by block, in bounded memory.

Equal bytes are told apart first; numbers are looked at only from the first block on that differs. Equal values in another
dtype count as the same, and so does the base rounded to the candidate's narrower dtype.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Final, final

import numpy as np

from sekisho.formats._numbers import Bytes, Sums, decoded, rounded
from sekisho.formats._reading import exactly
from sekisho.formats.safetensors import BITS, SafetensorsFacts, Tensor
from sekisho.limits import MIB
from sekisho.records import Comparison, Inventory, Role, TensorDelta

Progress = Callable[[int, int], None]
"""Called with (bytes of the candidate done, bytes in all)."""

_BLOCK: Final = 4 * MIB
"""Bytes of the wider of two tensors looked at together; small enough for a processor's cache."""
_PACKED: Final = 8
"""Stretches of elements are cut at multiples of this, so that types below a byte stay whole."""
_LISTED: Final = 8
_HEADS: Final = ("lm_head.weight", "output.weight", "embed_out.weight")
_EMBEDDINGS: Final = (
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "embed_in.weight",
    "tok_embeddings.weight",
)


@final
@dataclass(frozen=True)
class _Placed:
    """A tensor, the name it goes by here, and the file it lies in."""

    name: str
    path: str
    root: str
    tensor: Tensor

    @property
    def size(self) -> int:
        return self.tensor.end - self.tensor.start

    @property
    def rows(self) -> int:
        """Rows of a matrix; 0 for anything else."""
        return self.tensor.shape[0] if len(self.tensor.shape) == 2 else 0  # noqa: PLR2004 - a matrix


_Pair = tuple[_Placed | None, _Placed | None]


def compare(candidate: Inventory, base: Inventory, progress: Progress | None = None) -> Comparison:
    """Compare the weights of two models; `problem` says why where that cannot be done in full."""
    problem = _problem(candidate, "model") or _problem(base, "base")
    if problem:
        return Comparison((), problem)
    mine, twice = _placed(candidate)
    theirs, _ = _placed(base)
    if not mine or not theirs:
        return Comparison((), f"the {'base' if mine else 'model'} has no weights in safetensors")
    pairs = _paired(mine, theirs)
    total = sum(m.size for m, t in pairs if m and t)
    done = 0
    deltas: list[TensorDelta] = []
    for ours, other in pairs:
        try:
            deltas.append(_delta(ours, other))
        except OSError as error:
            name = ours.name if ours else ""
            return Comparison(tuple(deltas), f"tensor {name} could not be read: {error.strerror or error}")
        if progress and ours and other:
            done += ours.size
            progress(done, total)
    return Comparison(tuple(deltas), f"tensor {twice[0]} stands in more than one file" if twice else "")


def _problem(inventory: Inventory, whose: str) -> str:
    weights = [f for f in inventory.files if f.role is Role.WEIGHTS or f.format in {"safetensors", "gguf"}]
    broken = next((f for f in weights if f.format == "safetensors" and f.facts is None), None)
    if broken is not None:
        return f"{broken.path} of the {whose} could not be read: {broken.problem}"
    others = sorted({f.format for f in weights} - {"safetensors"})
    if others:
        return f"the {whose} has weights as {', '.join(others)}; only safetensors are compared"
    return ""


def _placed(inventory: Inventory) -> tuple[dict[str, _Placed], list[str]]:
    found: dict[str, _Placed] = {}
    twice: list[str] = []
    for file in inventory.files:
        if isinstance(file.facts, SafetensorsFacts) and file.role is Role.WEIGHTS:
            twice += [t.name for t in file.facts.tensors if t.name in found]
            found.update({t.name: _Placed(t.name, file.path, inventory.root, t) for t in file.facts.tensors})
    return found, twice


def _paired(mine: dict[str, _Placed], theirs: dict[str, _Placed]) -> list[_Pair]:
    """Pair by name; a head tied to the embedding is left out of some files and written out in others."""
    pairs: list[_Pair] = []
    for name in sorted(mine.keys() | theirs.keys()):
        ours, other = mine.get(name), theirs.get(name)
        if name.endswith(_HEADS) and ours and not other:
            other = _tied(theirs, ours)
        elif name.endswith(_HEADS) and other and not ours:
            ours = _tied(mine, other)
        pairs.append((ours, other))
    return pairs


def _tied(weights: dict[str, _Placed], head: _Placed) -> _Placed | None:
    found = (p for n, p in weights.items() if n.endswith(_EMBEDDINGS) and p.tensor.shape == head.tensor.shape)
    return next((replace(p, name=head.name) for p in found), None)


def _delta(ours: _Placed | None, other: _Placed | None) -> TensorDelta:
    if ours is None:
        kind, present = "missing", other
    elif other is None:
        kind, present = "added", ours
    elif ours.tensor.shape != other.tensor.shape:
        return _reshaped(ours, other)
    else:
        sums = _measured(ours, other, ours.rows)
        return _described(ours, sums, "changed" if sums.differs else "same")
    if present is None:
        return TensorDelta("", kind)
    return TensorDelta(present.name, kind, rows=present.rows, file=present.path)


def _reshaped(ours: _Placed, other: _Placed) -> TensorDelta:
    """Compare what two matrices of different length share."""
    if not (ours.rows and other.rows and ours.tensor.shape[1] == other.tensor.shape[1]):
        return TensorDelta(ours.name, "reshaped", rows=ours.rows, file=ours.path)
    shared = min(ours.rows, other.rows)
    sums = _measured(_cut(ours, shared), _cut(other, shared), shared)
    return replace(_described(ours, sums, "reshaped"), rows_added=ours.rows - other.rows)


def _cut(placed: _Placed, rows: int) -> _Placed:
    tensor = placed.tensor
    end = tensor.start + placed.size // placed.rows * rows
    return replace(placed, tensor=replace(tensor, shape=(rows, tensor.shape[1]), end=end))


def _described(ours: _Placed, sums: Sums, kind: str) -> TensorDelta:
    if not sums.differs:
        return TensorDelta(ours.name, kind, rows=ours.rows, file=ours.path)
    changed = sums.changed_rows
    return TensorDelta(
        name=ours.name,
        kind=kind,
        relative=sums.relative,
        cosine=sums.cosine,
        rows_changed=len(changed),
        rows=ours.rows,
        first_rows=changed[:_LISTED],
        outlier_rows=sums.outliers()[:_LISTED],
        file=ours.path,
    )


def _measured(ours: _Placed, other: _Placed, rows: int) -> Sums:
    """Stream two tensors of one shape; blocks equal so far are read again only once something differs."""
    mine, theirs = ours.tensor.dtype, other.tensor.dtype
    whole_rows = rows if _whole_bytes(mine, theirs) else 0
    sums, equal = Sums(whole_rows), 0
    for first, count, a, b in _blocks(ours, other, whole_rows):
        if mine == theirs and not sums.differs and _equal(a, b):
            equal += 1
        else:
            x, y = decoded(a, mine), decoded(b, theirs)
            sums.different(first, count, x, y if mine == theirs else rounded(y, mine))
    if sums.differs:
        for _, _, a, _ in islice(_blocks(ours, other, whole_rows), equal):
            sums.same(decoded(a, mine))
    return sums


def _whole_bytes(*dtypes: str) -> bool:
    return all(BITS[dtype] % 8 == 0 for dtype in dtypes)


def _equal(a: Bytes, b: Bytes) -> bool:
    words = len(a) // 8 * 8
    return bool(
        np.array_equal(a[:words].view(np.uint64), b[:words].view(np.uint64))
        and np.array_equal(a[words:], b[words:])
    )


def _blocks(ours: _Placed, other: _Placed, rows: int) -> Iterator[tuple[int, int, Bytes, Bytes]]:
    """Yield (first row, rows, bytes, bytes) of whole rows, or of a stretch of elements where there are no rows."""
    units = rows or math.prod(ours.tensor.shape)
    sizes = (ours.size, other.size)
    if not units or not all(sizes):
        return
    step = max(1, units * _BLOCK // max(sizes))
    step = step if rows else -(-step // _PACKED) * _PACKED
    with _opened(ours) as mine, _opened(other) as theirs:
        for first in range(0, units, step):
            count = min(step, units - first)
            a, b = (exactly(f, size * count // units) for f, size in zip((mine, theirs), sizes, strict=True))
            yield first, count if rows else 1, a, b


def _opened(placed: _Placed) -> FileIO:
    file = (Path(placed.root) / placed.path).open("rb", buffering=0)
    file.seek(placed.tensor.start)
    return file
