"""NumPy arrays in .npy files: plain numbers, or objects that NumPy would unpickle."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import pickle
from sekisho.formats.base import Format
from sekisho.formats.pickle import PickleFacts
from sekisho.limits import KIB, Limits
from sekisho.records import FormatFacts

_MAGIC: Final = b"\x93NUMPY"
_HEADER: Final = 64 * KIB
_DESCR: Final = re.compile(r"'descr'\s*:\s*(?P<descr>'[^']*'|\[.*\]|.*?)\s*,\s*'fortran_order'", re.DOTALL)
_SHAPE: Final = re.compile(r"'shape'\s*:\s*\((?P<shape>[0-9, ]{0,256})\)")
_LONGEST: Final = 18
"""Digits of a dimension; none is longer than 2**63."""
_OBJECT: Final = re.compile(r"'[|<>=]?O\d*'")


@final
@dataclass(frozen=True)
class NpyFacts(FormatFacts):
    """An array's type, and what its objects would import."""

    dtype: str
    pickle: PickleFacts | None = None
    """Set where the elements are pickled objects."""
    shape: tuple[int, ...] = ()
    """As the header claims it; empty for a single number, or where it claims none."""


def sniff(head: bytes, filename: str) -> bool:
    """Recognise the magic number."""
    del filename
    return head.startswith(_MAGIC)


def read(path: Path, limits: Limits) -> NpyFacts:
    """Read the header, and walk the pickle that follows it if the dtype holds objects."""
    with path.open("rb") as file:
        return read_stream(file, path.stat().st_size, limits)


def read_stream(file: BinaryIO, size: int, limits: Limits) -> NpyFacts:
    """Do the same from a stream's beginning; `size` is where it ends."""
    version = file.read(8)[6:7]
    length = int.from_bytes(file.read(2 if version == b"\x01" else 4), "little")
    if length > _HEADER:
        raise LimitError("npy header in bytes", length, _HEADER)
    header = file.read(length)
    found = _DESCR.search(header.decode("latin-1"))
    if len(header) < length or found is None:
        raise MalformedError("the npy header does not describe an array")
    descr = found["descr"].strip("'")
    shape = _shape(header.decode("latin-1"))
    if not _OBJECT.search(found["descr"]):
        return NpyFacts(descr, shape=shape)
    return NpyFacts(descr, pickle.read_stream(file, size, limits), shape)


def _shape(header: str) -> tuple[int, ...]:
    found = _SHAPE.search(header)
    parts = [part.strip() for part in found["shape"].split(",")] if found else []
    return tuple(int(part) for part in parts if part.isdecimal() and len(part) <= _LONGEST)


def read_bytes(data: bytes, limits: Limits) -> NpyFacts:
    """Do the same for bytes from inside an archive."""
    return read_stream(io.BytesIO(data), len(data), limits)


FORMAT: Final = Format("npy", sniff, read)
