"""The end of a zip archive: its directory, bounded before it is read, and what else lies around it."""

import io
import struct
import zipfile
from typing import BinaryIO, Final

from sekisho.errors import LimitError, MalformedError
from sekisho.limits import KIB, Limits

_END: Final = b"PK\x05\x06"
_WIDE_END: Final = b"PK\x06\x06"
_END_BYTES: Final = 22
_TAIL: Final = 66 * KIB
"""Where the end records are: a comment of at most 65,535 bytes follows them."""

Directory = tuple[list[zipfile.ZipInfo], int, tuple[str, ...]]
"""Entries, offset where their list starts, and what is odd about its end."""


def directory(file: BinaryIO, limits: Limits) -> Directory:
    """Read the central directory, refused beforehand where it is too large. Raises MalformedError and LimitError."""
    odd = _bound(file, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            infos, start = archive.infolist(), int(archive.start_dir)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError, OSError) as error:
        raise MalformedError(f"not a readable zip archive: {error}") from error
    if len(infos) > limits.zip_entries:
        raise LimitError("zip entries", len(infos), limits.zip_entries)
    return infos, start, odd


def _bound(file: BinaryIO, limits: Limits) -> tuple[str, ...]:
    """Refuse a directory that claims to be too large; return what is odd about the bytes after it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    at = tail.rfind(_END)
    length = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    wide = tail.rfind(_WIDE_END)
    if wide >= 0:
        length = int.from_bytes(tail[wide + 40 : wide + 48], "little")
    if length > limits.zip_entries * KIB:
        raise LimitError("zip directory in bytes", length, limits.zip_entries * KIB)
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    odd = ["bytes follow its end"] if at >= 0 and at + _END_BYTES + comment != len(tail) else []
    if _ends_again(tail, at):
        odd.append("it has two ends, and readers differ on which one counts")
    return tuple(odd)


def _ends_again(tail: bytes, last: int) -> bool:
    """Say whether an earlier end record, too, would reach the end of the file with its comment."""
    at = tail.rfind(_END, 0, max(0, last))
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _END_BYTES + comment == len(tail):
            return True
        at = tail.rfind(_END, 0, at)
    return False
