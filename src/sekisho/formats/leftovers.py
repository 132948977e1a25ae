"""Records that training and quantising leave: TensorBoard's events and llama.cpp's older importance matrices, by their framing."""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_EVENT: Final = struct.Struct("<QI")
_CHECKSUM: Final = 4
_STARTS: Final = b"\x09"
"""Every event begins with its time, a double of field 1."""
_NAME_BYTES: Final = 512
_DOUBLES: Final = 9


@final
@dataclass(frozen=True)
class LeftoverFacts(FormatFacts):
    """Its parts follow one another to the file's end; what they say was not looked at."""

    parts: int


def _sniff_events(head: bytes, filename: str) -> bool:
    """By name, and by a first event with its time."""
    return "tfevents" in filename.lower() and head[_EVENT.size : _EVENT.size + 1] == _STARTS


def _read_events(path: Path, limits: Limits) -> LeftoverFacts:
    return _counted(path, limits, _event)


def _event(file: BinaryIO, left: int) -> int:
    """Pass over one event; return the bytes it takes."""
    head = file.read(_EVENT.size)
    if len(head) < _EVENT.size:
        raise MalformedError("an event file that ends within an event")
    length = int(_EVENT.unpack(head)[0])
    whole = _EVENT.size + length + _CHECKSUM
    if length < _DOUBLES or whole > left or file.read(1) != _STARTS:
        raise MalformedError("an event file with a part that is no event")
    file.seek(length - 1 + _CHECKSUM, os.SEEK_CUR)
    return whole


def _sniff_matrix(head: bytes, filename: str) -> bool:
    """By name, and by a first entry with a plausible name."""
    name = filename.lower()
    if "imatrix" not in name or not name.endswith((".dat", ".imatrix")) or len(head) < 2 * _CHECKSUM:
        return False
    count, length = struct.unpack("<ii", head[: 2 * _CHECKSUM])
    text = head[2 * _CHECKSUM :][: max(0, length)]
    return count > 0 and 0 < length <= _NAME_BYTES and text.isascii() and text.decode().isprintable()


def _read_matrix(path: Path, limits: Limits) -> LeftoverFacts:
    with path.open("rb") as file:
        count = _number(file)
        if not 0 < count <= limits.imatrix_entries:
            raise LimitError("entries of an importance matrix", count, limits.imatrix_entries)
        left = path.stat().st_size - _CHECKSUM
        for _ in range(count):
            left -= _entry(file, left)
        last = file.read(2 * _CHECKSUM + _NAME_BYTES + 1)
    if last and (len(last) < 2 * _CHECKSUM or struct.unpack("<i", last[4:8])[0] != len(last) - 2 * _CHECKSUM):
        raise MalformedError("an importance matrix with bytes after its end")
    return LeftoverFacts(count)


def _entry(file: BinaryIO, left: int) -> int:
    length = _number(file)
    name = file.read(max(0, min(length, _NAME_BYTES + 1)))
    calls, values = _number(file), _number(file)
    del calls
    whole = 3 * _CHECKSUM + length + _CHECKSUM * values
    if not 0 < length <= _NAME_BYTES or values < 0 or whole > left or not name.isascii():
        raise MalformedError("an importance matrix with an entry that is none")
    file.seek(_CHECKSUM * values, os.SEEK_CUR)
    return whole


def _number(file: BinaryIO) -> int:
    data = file.read(_CHECKSUM)
    if len(data) < _CHECKSUM:
        raise MalformedError("an importance matrix that ends within an entry")
    (number,) = struct.unpack("<i", data)
    return int(number)


def _counted(path: Path, limits: Limits, part: Callable[[BinaryIO, int], int]) -> LeftoverFacts:
    left, count = path.stat().st_size, 0
    with path.open("rb") as file:
        while left:
            left -= part(file, left)
            count += 1
            if count > limits.events:
                raise LimitError("events", count, limits.events)
    return LeftoverFacts(count)


FORMATS: Final = (
    Format("tfevents", _sniff_events, _read_events),
    Format("imatrix", _sniff_matrix, _read_matrix),
)
