"""NumPy arrays in .npy files: plain numbers, or objects that NumPy would unpickle."""

import io
import re
from dataclasses import dataclass, replace
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
_PLAIN: Final = re.compile(r"'[|<>=]?[?biufcmMSUVa]\d{0,9}(\[\d{0,6}\w{1,2}\])?'")
_OBJECT: Final = re.compile(r"['\"][|<>=]?O\d*['\"]|object|['\"]\s*['\"]")
"""Objects by either of their names; or two texts side by side, which Python reads as one."""
HEAD: Final = _HEADER + 16
"""Bytes in which every header ends."""


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
    facts, plain = _described(file)
    return facts if plain else replace(facts, pickle=pickle.read_stream(file, size, limits))


def plain(head: bytes) -> NpyFacts | None:
    """Facts of an array of plain numbers from its first HEAD bytes; None where the elements may be objects."""
    facts, is_plain = _described(io.BytesIO(head))
    return facts if is_plain else None


def _described(file: BinaryIO) -> tuple[NpyFacts, bool]:
    """Read the header; say whether it can only mean plain numbers."""
    version = file.read(8)[6:7]
    length = int.from_bytes(file.read(2 if version == b"\x01" else 4), "little")
    if length > _HEADER:
        raise LimitError("npy header in bytes", length, _HEADER)
    header = file.read(length)
    text = header.decode("latin-1")
    found = _DESCR.search(text)
    if len(header) < length or found is None:
        raise MalformedError("the npy header does not describe an array")
    descr = found["descr"]
    once = text.count("descr") == 1 and "\\" not in text  # a key given twice counts as NumPy's reader likes
    listed = descr.startswith("[") and not _OBJECT.search(descr)
    is_plain = once and (listed or _PLAIN.fullmatch(descr) is not None)
    return NpyFacts(descr.strip("'"), shape=_shape(text)), is_plain


def _shape(header: str) -> tuple[int, ...]:
    found = _SHAPE.search(header)
    parts = [part.strip() for part in found["shape"].split(",")] if found else []
    return tuple(int(part) for part in parts if part.isdecimal() and len(part) <= _LONGEST)


def read_bytes(data: bytes, limits: Limits) -> NpyFacts:
    """Do the same for bytes from inside an archive."""
    return read_stream(io.BytesIO(data), len(data), limits)


FORMAT: Final = Format("npy", sniff, read)
