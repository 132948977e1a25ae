"""GGUF, versions 2 and 3: key-values, a tensor directory, then aligned tensor bytes."""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats._layout import aligned, refuse_bad_places
from sekisho.formats.base import Format
from sekisho.formats.text import shown
from sekisho.limits import KIB, Limits
from sekisho.records import FormatFacts

MAGIC: Final = b"GGUF"
GgufValue = int | float | bool | str | tuple["GgufValue", ...]
"""A metadata value; arrays are tuples."""

_VERSIONS: Final = (2, 3)
_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING: Final = 8
_ARRAY: Final = 9
_NESTING: Final = 4
_KEY: Final = 64 * KIB
_DIMENSIONS: Final = 4
_ALIGNMENT: Final = 32
_SHORTEST_ENTRY: Final = 13
"""Bytes of the shortest key-value: a length, a type and a byte."""

TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip
"""Tensor type number -> (name, elements per block, bytes per block)."""


@final
@dataclass(frozen=True)
class GgufTensor:
    """One tensor and where its bytes are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    """Fastest dimension first, as the file has it."""
    start: int
    end: int
    """Offsets in the file."""


@final
@dataclass(frozen=True)
class GgufFacts(FormatFacts):
    """A checked header: no key or tensor twice, tensors aligned, in the file, and apart from one another."""

    version: int
    metadata: tuple[tuple[str, GgufValue], ...] = field(repr=False)
    tensors: tuple[GgufTensor, ...] = field(repr=False)

    def get(self, key: str) -> GgufValue | None:
        """Return the value of a metadata key, None where it is absent."""
        return next((value for name, value in self.metadata if name == key), None)


def sniff(head: bytes, filename: str) -> bool:
    """Recognise the magic number."""
    del filename
    return head.startswith(MAGIC)


def sniff_named(head: bytes, filename: str) -> bool:
    """Hold a file to its name, whatever it contains."""
    del head
    return filename.lower().endswith(".gguf")


def read(path: Path, limits: Limits) -> GgufFacts:
    """Read header and directory and check them against the file's size; tensor bytes are not touched."""
    size = path.stat().st_size
    with path.open("rb") as file:
        reader = _Reader(file, min(size, limits.gguf_header_bytes), limits)
        if reader.take(min(size, 4)) != MAGIC:
            raise MalformedError(
                "the file does not start with GGUF" if size else "the file is empty (0 bytes)"
            )
        version = reader.number("I")
        if version not in _VERSIONS:
            raise MalformedError(f"GGUF version {version} is not 2 or 3")
        tensor_count, key_count = reader.count(), reader.count()
        metadata = tuple(_key_value(reader) for _ in range(key_count))
        _refuse_twins((key for key, _ in metadata), "key")
        directory = tuple(_directory_entry(reader) for _ in range(tensor_count))
    _refuse_twins((entry[0] for entry in directory), "tensor")
    alignment = _alignment(dict(metadata).get("general.alignment", _ALIGNMENT))
    data_start = aligned(reader.at, alignment)
    tensors = sorted((_placed(e, data_start, alignment) for e in directory), key=lambda t: (t.start, t.end))
    refuse_bad_places(tensors, data_start, size, alignment)
    return GgufFacts(version, metadata, tuple(tensors))


@final
class _Reader:
    """Reads little-endian values and never beyond the header's bound."""

    def __init__(self, file: BinaryIO, end: int, limits: Limits) -> None:
        self.file, self.end, self.limits = file, end, limits
        self.at = 0

    def take(self, count: int) -> bytes:
        """Read exactly so many bytes."""
        if count > self.end - self.at:
            if self.end == self.limits.gguf_header_bytes:
                raise LimitError("GGUF header in bytes", self.at + count, self.end)
            raise MalformedError(f"the header is cut short at byte {self.end:,}")
        self.at += count
        return self.file.read(count)

    def number(self, code: str) -> int:
        """Read one integer of a struct type."""
        return int(struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0])

    def count(self) -> int:
        """Read a count of items, each of which takes bytes that the file must have."""
        count = self.number("Q")
        if count * _SHORTEST_ENTRY > self.end:
            raise MalformedError(f"the header claims {count:,} entries, more than it has room for")
        return count

    def text(self, longest: int) -> str:
        """Read a counted UTF-8 string."""
        length = self.number("Q")
        if length > longest:
            raise LimitError("GGUF string in bytes", length, longest)
        try:
            return self.take(length).decode("utf-8", "backslashreplace" if longest > _KEY else "strict")
        except UnicodeDecodeError as error:
            raise MalformedError("a GGUF name is not UTF-8") from error


def _key_value(reader: _Reader) -> tuple[str, GgufValue]:
    key = reader.text(_KEY)
    return key, _value(reader, reader.number("I"), 0)


def _value(reader: _Reader, kind: int, depth: int) -> GgufValue:
    if kind == _STRING:
        return reader.text(reader.limits.gguf_header_bytes)
    if kind == _ARRAY:
        return _array(reader, depth + 1)
    if kind not in _SCALARS:
        raise MalformedError(f"GGUF value type {kind} does not exist")
    (value,) = struct.unpack(f"<{_SCALARS[kind]}", reader.take(struct.calcsize(_SCALARS[kind])))
    return value  # type: ignore[no-any-return]


def _array(reader: _Reader, depth: int) -> tuple[GgufValue, ...]:
    kind, length = reader.number("I"), reader.number("Q")
    if depth > _NESTING:
        raise LimitError("GGUF array nesting", depth, _NESTING)
    if length > reader.limits.gguf_items:
        raise LimitError("GGUF array items", length, reader.limits.gguf_items)
    if kind in _SCALARS:
        code = f"<{length}{_SCALARS[kind]}"
        return struct.unpack(code, reader.take(struct.calcsize(code)))
    return tuple(_value(reader, kind, depth) for _ in range(length))


def _directory_entry(reader: _Reader) -> tuple[str, tuple[int, ...], int, int]:
    name = reader.text(_KEY)
    dimensions = reader.number("I")
    if dimensions > _DIMENSIONS:
        raise MalformedError(f"tensor {shown(name)} has {dimensions:,} dimensions")
    shape = tuple(reader.number("Q") for _ in range(dimensions))
    return name, shape, reader.number("I"), reader.number("Q")


def _refuse_twins(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedError(f"{what} {shown(name)} is there twice")
        seen.add(name)


def _alignment(value: GgufValue) -> int:
    if type(value) is not int or not 1 <= value <= 64 * KIB or value & (value - 1):
        raise MalformedError("general.alignment is not a power of two up to 65,536")
    return value


def _placed(entry: tuple[str, tuple[int, ...], int, int], data_start: int, alignment: int) -> GgufTensor:
    name, shape, kind, offset = entry
    if kind not in TYPES:
        raise MalformedError(f"tensor {shown(name)} has the unknown type {kind}")
    dtype, block, block_bytes = TYPES[kind]
    if offset % alignment or (shape[0] if shape else 1) % block:
        raise MalformedError(f"tensor {shown(name)} is not aligned")
    start = data_start + offset
    return GgufTensor(name, dtype, shape, start, start + math.prod(shape) // block * block_bytes)


FORMAT: Final = Format("gguf", sniff, read)
NAMED: Final = Format("gguf", sniff_named, read)
