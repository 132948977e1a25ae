"""What a file is besides what it was read as: an archive at its end, a pickle somewhere inside."""

import io
import re
from pathlib import Path
from typing import BinaryIO, Final

from sekisho.errors import ArtefactError
from sekisho.formats import pickle, tar
from sekisho.formats.base import SNIFF_BYTES
from sekisho.formats.pickle_machine import Machine
from sekisho.limits import KIB, MIB, Limits

_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
_TAIL: Final = 66 * KIB
_STREAMS: Final = frozenset(
    {"tar", "gzip", "bzip2", "xz", "lzma", "zlib", "zip", "pickle", "npy", "media", "code"}
)
_START: Final = re.compile(rb"\x80[\x02-\x05][^\x00]|c[a-z_][\w.]{1,60}\n[A-Za-z_]\w{0,60}\n")
"""Where a pickle may begin: a protocol, or an import as the oldest one writes it."""
_BLIND: Final = ("unknown", "media")
"""What nobody reads to its end."""
_TRIED: Final = 2_000
"""Beginnings tried in one step."""
_WALKED: Final = 4 * KIB
_STEP: Final = 4 * MIB


def look(path: Path, head: bytes, kind: str, limits: Limits) -> tuple[str, ...]:
    """Return codes of what else the bytes are: `zip-at-end`, `tar-header`, `pickle-inside`, `not-searched`. Raises OSError."""
    size = path.stat().st_size
    found = []
    with path.open("rb") as file:
        if kind != "zip" and size > _ZIP_END_BYTES:
            file.seek(max(0, size - _TAIL))
            if _ends_as_zip(file.read(_TAIL), size):
                found.append("zip-at-end")
        if kind not in _STREAMS and tar.is_header(head[: tar.BLOCK]):
            found.append("tar-header")
        if kind not in _STREAMS and _goes_on_as_pickle(head):
            file.seek(0)
            if _calls(file, size, limits):
                found.append("pickle-inside")
        elif kind in _BLIND and (code := _searched(file, size, limits)):
            found.append(code)
    return tuple(found)


def _ends_as_zip(tail: bytes, size: int) -> bool:
    """Say whether an end record of an archive that is not empty reaches the end, give or take junk readers skip."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        record = tail[at : at + _ZIP_END_BYTES]
        if len(record) == _ZIP_END_BYTES:
            length, count = int.from_bytes(record[12:16], "little"), int.from_bytes(record[10:12], "little")
            place = size - len(tail) + at
            names = tail[at - length : at] if length <= at else b""
            if count and 0 < length <= place and (not names or names.startswith(b"PK\x01\x02")):
                return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False


def _goes_on_as_pickle(head: bytes) -> bool:
    """Say whether the whole beginning reads as opcodes, however long the first text in it is."""
    machine = Machine(Limits())
    try:
        machine.run(io.BytesIO(head))
    except EOFError:
        return len(head) == SNIFF_BYTES
    except ArtefactError:
        return False
    return False


def _calls(file: BinaryIO, size: int, limits: Limits) -> bool:
    """Say whether a stream is a pickle that imports and calls something before it breaks."""
    try:
        facts = pickle.read_stream(file, size, limits)
    except ArtefactError:
        return False
    return bool(facts.globals and facts.calls) and all(_plausible(name) for name in facts.globals)


def _searched(file: BinaryIO, size: int, limits: Limits) -> str:
    """Search for a pickle that imports something, in steps that overlap by what one try looks at; a code, or nothing."""
    end = min(size, limits.scanned_bytes)
    cut = end < size
    for start in range(0, end, _STEP):
        file.seek(start)
        data = file.read(min(_STEP + _WALKED, end - start))
        for tried, match in enumerate(_START.finditer(data)):
            if tried >= _TRIED:
                cut = True
                break
            part = data[match.start() : match.start() + _WALKED]
            if _calls(io.BytesIO(part), len(part), limits):
                return "pickle-inside"
    return "not-searched" if cut else ""


def _plausible(name: str) -> bool:
    return all(part.isidentifier() or part == "?" for part in name.split("."))
