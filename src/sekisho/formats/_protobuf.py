"""Protocol buffers without their schema compiler: the fields of a file, found by their numbers, bytes passed over."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, TypeAlias, final

from sekisho.errors import LimitError, MalformedError
from sekisho.limits import Limits

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5
"""Wire types: how the bytes of a field say where it ends."""
_SIZES: Final = {FIXED64: 8, FIXED32: 4}
_LONGEST_NUMBER: Final = 10
"""Bytes of a number of 64 bits, seven in each."""
_LONGEST_TEXT: Final = 4096
_DEEPEST: Final = 32

Schema: TypeAlias = "Mapping[int, Schema | str]"
"""Field number -> the message in it, or the label under which its text is handed out."""
Field: TypeAlias = tuple[int, int, int, int]
"""(number, wire type, value or offset of the bytes, offset where they end)."""


@final
class Walker:
    """Walks one file within a budget of fields."""

    def __init__(self, file: BinaryIO, size: int, limits: Limits) -> None:
        self._file, self._size = file, size
        self._left = self._limit = limits.protobuf_fields

    def texts(
        self, schema: "Schema", start: int = 0, end: int = -1, depth: int = 0
    ) -> Iterator[tuple[str, str]]:
        """Yield (label, text) in the order of the bytes. Raises MalformedError and LimitError."""
        if depth > _DEEPEST:
            raise MalformedError("messages are nested too deeply")
        for number, wire, at, stop in self.fields(start, self._size if end < 0 else end):
            inner = schema.get(number)
            if wire != LEN or inner is None:
                continue
            if isinstance(inner, str):
                self._file.seek(at)
                yield inner, self._file.read(min(stop - at, _LONGEST_TEXT)).decode("utf-8", "replace")
            else:
                yield from self.texts(inner, at, stop, depth + 1)

    def fields(self, at: int, end: int) -> Iterator[Field]:
        """Yield the fields of one message."""
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise LimitError("protobuf fields", self._limit + 1, self._limit)
            key, at = self._varint(at, end)
            number, wire, start = key >> 3, key & 7, at
            if wire == VARINT:
                value, at = self._varint(at, end)
                yield number, wire, value, at
                continue
            length, start = self._varint(at, end) if wire == LEN else (_size(wire, at), at)
            at = _stop(number, start, length, end)
            yield number, wire, start, at

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        self._file.seek(at)
        value, used = _number(self._file.read(min(_LONGEST_NUMBER, end - at)), 0, at)
        return value, at + used


def message(data: bytes) -> Iterator[tuple[int, int, "bytes | int"]]:
    """Yield (number, wire type, number or bytes) of one message in memory, in order. Raises MalformedError."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _number(data, at)
            yield number, wire, value
            continue
        length, start = _number(data, at) if wire == LEN else (_size(wire, at), at)
        at = _stop(number, start, length, len(data))
        yield number, wire, data[start:at]


def _number(data: bytes, at: int, place: int = 0) -> tuple[int, int]:
    """Return a number and where it ends; `place` is where the data stand in the file."""
    value = 0
    for n, byte in enumerate(data[at : at + _LONGEST_NUMBER]):
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:  # noqa: PLR2004 - the bit that says there is more
            return value, at + n + 1
    raise MalformedError(f"a number at byte {place + at:,} does not end")


def _size(wire: int, at: int) -> int:
    if wire not in _SIZES:
        raise MalformedError(f"wire type {wire} at byte {at:,} is unknown")
    return _SIZES[wire]


def _stop(number: int, start: int, length: int, end: int) -> int:
    """Where a field ends. Raises MalformedError where that is beyond its message, or the field has no number."""
    if start + length > end or not number:
        raise MalformedError(f"a field at byte {start:,} reaches beyond its message")
    return start + length
