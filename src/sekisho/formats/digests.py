"""Tensors and rows by their bytes: sha256 of each, and which rows of two tables differ. Nothing is decoded."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np

from sekisho.errors import ArtefactError, MalformedError
from sekisho.formats._numbers import Bytes
from sekisho.formats._reading import exactly
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.rows import find
from sekisho.formats.rows.tables import Table
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.text import shown
from sekisho.limits import MIB
from sekisho.records import Inventory, Role

_BLOCK: Final = 4 * MIB
_READ: Final = frozenset({"safetensors", "gguf"})


@final
@dataclass(frozen=True)
class Stretch:
    """A tensor as a stretch of a file."""

    path: Path
    start: int
    end: int
    kind: str
    """dtype and shape."""


def tensors(files: Inventory) -> dict[str, Stretch]:
    """Every tensor of a model by name. Raises MalformedError where not all of its weights can be read."""
    found: dict[str, Stretch] = {}
    for file in files.files:
        if file.role is not Role.WEIGHTS and file.format not in _READ:
            continue
        if not isinstance(file.facts, SafetensorsFacts | GgufFacts):
            raise MalformedError(f"{file.path}: {file.problem or f'weights as {file.format} are not read'}")
        for t in file.facts.tensors:
            if t.name in found:
                raise MalformedError(f"tensor {shown(t.name)} stands more than once")
            kind = f"{t.dtype} {list(t.shape)}"
            found[t.name] = Stretch(Path(files.root) / file.path, t.start, t.end, kind)
    if not found:
        raise MalformedError("there are no weights in safetensors or GGUF")
    return found


def tables(files: Inventory) -> dict[str, Table]:
    """Every row table of a model by name. Raises MalformedError where not all of its weights can be read."""
    every = tensors(files)
    found = {t.name: t for t in find(files)}
    for name, table in found.items():
        if table.rows * table.row_bytes != every[name].end - every[name].start:
            raise MalformedError(f"tensor {shown(name)} has no rows of whole bytes")
    return found


def digest(tensor: Stretch) -> str:
    """sha256 of a tensor's dtype, shape and bytes. Raises ArtefactError."""
    made = hashlib.sha256(f"{tensor.kind}\n".encode())
    for block in _blocks(tensor.path, (tensor.start, tensor.end), _BLOCK):
        made.update(block.data)
    return made.hexdigest()


def row(table: Table, number: int) -> bytes:
    """The bytes of one row. Raises ArtefactError."""
    if not 0 <= number < table.rows:
        raise MalformedError(f"{shown(table.name)} has no row {number:,}")
    start = table.start + number * table.row_bytes
    return next(_blocks(_path(table), (start, start + table.row_bytes), table.row_bytes)).tobytes()


def different(mine: Table, other: Table) -> frozenset[int]:
    """Rows whose bytes differ, and those only one of two tables has. Raises ArtefactError."""
    width = mine.row_bytes
    if (mine.dtype, mine.width) != (other.dtype, other.width):
        raise MalformedError(f"{shown(mine.name)}: the tables have different widths or number formats")
    shared = min(mine.rows, other.rows)
    changed = set(range(shared, max(mine.rows, other.rows)))
    step = max(1, _BLOCK // width)
    for number, (x, y) in enumerate(zip(*(_rows(t, shared, step) for t in (mine, other)), strict=True)):
        unequal = (x != y).reshape(-1, width).any(axis=1)
        changed.update((number * step + np.flatnonzero(unequal)).tolist())
    return frozenset(changed)


def _rows(table: Table, count: int, step: int) -> Iterator[Bytes]:
    """The first rows of a table, `step` at a time."""
    end = table.start + count * table.row_bytes
    return _blocks(_path(table), (table.start, end), step * table.row_bytes)


def _path(table: Table) -> Path:
    return Path(table.root) / table.path


def _blocks(path: Path, span: tuple[int, int], size: int) -> Iterator[Bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(span[0])
            for start in range(*span, size):
                yield exactly(file, min(size, span[1] - start))
    except OSError as error:
        raise ArtefactError(f"{path.name}: {error.strerror or error}") from error
