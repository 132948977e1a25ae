"""Tables with one row for each token: which tensors of a model they are, and their rows read block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from sekisho.errors import LimitError, MalformedError
from sekisho.formats._numbers import Floats
from sekisho.formats._reading import exactly
from sekisho.formats.gguf import GgufFacts, GgufTensor
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.rows.quants import READABLE, numbers
from sekisho.formats.safetensors import SafetensorsFacts, Tensor
from sekisho.limits import DEFAULT, MIB, Limits
from sekisho.records import Inventory, Role

_BLOCK: Final = 16 * MIB
"""Bytes of rows as float32 that are looked at together."""
_MATRIX: Final = 2
_KNOWN: Final = {
    "per-layer": ("embed_tokens_per_layer.weight", "per_layer_token_embd.weight"),
    "embedding": (
        "embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "tok_embeddings.weight",
        "token_embd.weight", "shared.weight",
    ),
    "head": ("lm_head.weight", "embed_out.weight", "output.weight"),
}  # fmt: skip
"""Kind -> how the names of such tensors end."""


@final
@dataclass(frozen=True)
class Table:
    """One tensor with a row for each token."""

    name: str
    kind: str
    """`embedding`, `head`, `per-layer`, or the tensor's own name where only its shape gives it away."""
    path: str
    root: str
    dtype: str
    rows: int
    width: int
    start: int
    """Offset of its bytes in the file."""
    row_bytes: int

    @property
    def where(self) -> str:
        """File and tensor, as a finding names them."""
        return f"{self.path}:{self.name}"


def find(inventory: Inventory) -> tuple[Table, ...]:
    """Every row table of a model, in the order of its files."""
    size = _vocabulary_size(inventory)
    found: list[Table] = []
    for file in inventory.files:
        if file.role is not Role.WEIGHTS or not isinstance(file.facts, SafetensorsFacts | GgufFacts):
            continue
        for tensor in file.facts.tensors:
            table = _table(tensor, (file.path, inventory.root), size)
            if table is not None:
                found.append(table)
    return tuple(found)


def _vocabulary_size(inventory: Inventory) -> int:
    """vocab_size of the config nearest to the root; 0 where none says it."""
    for file in sorted(inventory.files, key=lambda f: f.path.count("/")):
        if file.path.rpartition("/")[2] == "config.json" and isinstance(file.facts, JsonFacts):
            document: Any = file.facts.document
            inner = document.get("text_config") if isinstance(document, dict) else None
            for part in (document, inner):
                if isinstance(part, dict) and type(part.get("vocab_size")) is int:
                    return max(0, int(part["vocab_size"]))
    return 0


def _table(tensor: Tensor | GgufTensor, place: tuple[str, str], size: int) -> Table | None:
    if len(tensor.shape) != _MATRIX or not all(tensor.shape):
        return None
    shape = tensor.shape if isinstance(tensor, Tensor) else tensor.shape[::-1]
    kind = next((k for k, ends in _KNOWN.items() if f".{tensor.name}".endswith(_dotted(ends))), "")
    if not kind and shape[0] != size:
        return None
    row_bytes = (tensor.end - tensor.start) // shape[0]
    return Table(tensor.name, kind or tensor.name, *place, tensor.dtype, *shape, tensor.start, row_bytes)


def _dotted(ends: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f".{end}" for end in ends)


def refuse(table: Table, limits: Limits = DEFAULT) -> None:
    """Raise ArtefactError where a table cannot be read within bounds."""
    if table.dtype not in READABLE:
        raise MalformedError(f"its type {table.dtype} is not one whose numbers are read")
    for what, actual, bound in (
        ("rows of a table", table.rows, limits.table_rows),
        ("width of a table", table.width, limits.table_width),
        ("table in bytes", table.rows * table.row_bytes, limits.table_bytes),
    ):
        if actual > bound:
            raise LimitError(what, actual, bound)


def blocks(table: Table, rows: int = 0) -> Iterator[tuple[int, Floats]]:
    """Yield (first row, rows as floats) over the whole table, or its first `rows` rows. Raises MalformedError."""
    total, step = min(rows or table.rows, table.rows), max(1, _BLOCK // (4 * table.width))
    try:
        with (Path(table.root) / table.path).open("rb", buffering=0) as file:
            file.seek(table.start)
            for first in range(0, total, step):
                count = min(step, total - first)
                yield first, numbers(exactly(file, count * table.row_bytes), table.dtype, count)
    except OSError as error:
        raise MalformedError(f"it could not be read: {error.strerror or error}") from error


def gather(table: Table, ids: Sequence[int]) -> Floats:
    """Return single rows, in the order asked for. Raises MalformedError."""
    data = np.empty((len(ids), table.row_bytes), dtype=np.uint8)
    try:
        with (Path(table.root) / table.path).open("rb", buffering=0) as file:
            for n, row in enumerate(ids):
                file.seek(table.start + int(row) * table.row_bytes)
                data[n] = exactly(file, table.row_bytes)
    except OSError as error:
        raise MalformedError(f"it could not be read: {error.strerror or error}") from error
    return numbers(data.reshape(-1), table.dtype, len(ids)) if ids else np.zeros((0, table.width))
