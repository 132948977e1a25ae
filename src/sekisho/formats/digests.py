"""Tensors and rows of safetensors by their bytes: sha256 of each, and which rows of two tables differ."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from sekisho.errors import ArtefactError, MalformedError
from sekisho.formats.safetensors import BITS, SafetensorsFacts, Tensor
from sekisho.formats.text import shown
from sekisho.limits import MIB
from sekisho.records import Inventory, Role

TABLES: Final = (
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "tok_embeddings.weight",
)  # fmt: skip
"""How the names of token tables end."""
_BLOCK: Final = 4 * MIB

Place = tuple[Path, Tensor]
"""The file of a tensor and where it stands in it."""


def tensors(files: Inventory) -> dict[str, Place]:
    """Every tensor of a model by name. Raises MalformedError where its weights cannot be read as safetensors."""
    found: dict[str, Place] = {}
    for file in files.files:
        if file.role is not Role.WEIGHTS and file.format != "safetensors":
            continue
        if not isinstance(file.facts, SafetensorsFacts):
            raise MalformedError(
                f"{file.path}: {file.problem or f'weights as {file.format}, not safetensors'}"
            )
        for tensor in file.facts.tensors:
            if tensor.name in found:
                raise MalformedError(f"tensor {shown(tensor.name)} stands in more than one file")
            found[tensor.name] = (Path(files.root) / file.path, tensor)
    if not found:
        raise MalformedError("there are no weights in safetensors")
    return found


def tables(found: dict[str, Place]) -> tuple[str, ...]:
    """Names of the token tables, by the names they usually have."""
    matrices = (n for n, (_, t) in found.items() if len(t.shape) == 2)  # noqa: PLR2004 - a matrix
    return tuple(sorted(n for n in matrices if n.endswith(TABLES)))


def digest(place: Place) -> str:
    """sha256 of a tensor's dtype, shape and bytes. Raises ArtefactError."""
    tensor = place[1]
    made = hashlib.sha256(f"{tensor.dtype} {list(tensor.shape)}\n".encode())
    for block in _blocks(place, _BLOCK):
        made.update(block)
    return made.hexdigest()


def row(place: Place, number: int) -> bytes:
    """The bytes of one row of a matrix. Raises ArtefactError."""
    tensor = place[1]
    width = _width(tensor)
    if not 0 <= number < tensor.shape[0]:
        raise MalformedError(f"{shown(tensor.name)} has no row {number:,}")
    try:
        with place[0].open("rb", buffering=0) as file:
            return _read(file, tensor.start + number * width, width)
    except OSError as error:
        raise ArtefactError(f"{place[0].name}: {error.strerror or error}") from error


def different(mine: Place, other: Place) -> frozenset[int]:
    """Rows whose bytes differ, and those only one of two tables has. Raises ArtefactError."""
    a, b = mine[1], other[1]
    width = _width(a)
    if a.dtype != b.dtype or _width(b) != width:
        raise MalformedError(f"{shown(a.name)}: the tables have different widths or number formats")
    shared = min(a.shape[0], b.shape[0])
    changed = set(range(shared, max(a.shape[0], b.shape[0])))
    step = max(1, _BLOCK // width) * width
    first = 0
    for x, y in zip(_blocks(mine, step), _blocks(other, step), strict=False):
        if x != y:
            rows = range(min(len(x), len(y)) // width)
            changed |= {
                first + n for n in rows if x[n * width : (n + 1) * width] != y[n * width : (n + 1) * width]
            }
        first += step // width
    return frozenset(changed)


def _width(tensor: Tensor) -> int:
    """Bytes of a row. Raises MalformedError for anything but a matrix of whole-byte numbers."""
    if len(tensor.shape) != 2 or BITS[tensor.dtype] % 8 or 0 in tensor.shape:  # noqa: PLR2004 - a matrix
        raise MalformedError(f"{shown(tensor.name)} has no rows of whole bytes")
    return tensor.shape[1] * BITS[tensor.dtype] // 8


def _blocks(place: Place, size: int) -> Iterator[bytes]:
    path, tensor = place
    try:
        with path.open("rb", buffering=0) as file:
            for start in range(tensor.start, tensor.end, size):
                yield _read(file, start, min(size, tensor.end - start))
    except OSError as error:
        raise ArtefactError(f"{path.name}: {error.strerror or error}") from error


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    data = b""
    while len(data) < count:
        got = file.read(count - len(data))
        if not got:
            raise OSError("the file became shorter while it was read")
        data += got
    return data
