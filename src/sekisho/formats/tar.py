"""Tar archives: listed header by header, never unpacked; members are looked into only to name what they are.

torch read tar files before it wrote zip, and so may anything that takes a pickle: such a file is refused whatever it holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.limits import KIB, Limits

BLOCK: Final = 512
_LINKS: Final = {b"1": "hard link", b"2": "symbolic link"}
_DEVICES: Final = {b"3": "device", b"4": "device", b"6": "pipe"}
_LONG: Final = {b"L": "name", b"K": "link"}
_RECORD: Final = re.compile(rb"\d+ (?P<key>path|linkpath)=(?P<value>[^\n]*)\n")
_LONGEST: Final = 64 * KIB
"""Of one extended header."""
_DIGITS: Final = re.compile(rb"[ \x00]*([0-7]*)[ \x00]*")


@final
@dataclass(frozen=True)
class Member:
    """One entry of a tar archive, as its header has it."""

    name: str
    kind: str
    """`file`, `folder`, `hard link`, `symbolic link`, `device`, `pipe` or `other`."""
    link: str
    """Where a link points; empty for all else."""
    start: int
    """Offset of its bytes in the archive."""
    size: int


def is_header(block: bytes) -> bool:
    """Recognise a header by its own checksum, so that archives from before `ustar` are told as well."""
    if len(block) < BLOCK or not block[0]:
        return False
    claimed = _DIGITS.fullmatch(block[148:156])
    if claimed is None or not claimed[1]:
        return False
    total = sum(block[:148]) + 8 * 32 + sum(block[156:BLOCK])
    return int(claimed[1], 8) == total


def members(file: BinaryIO, size: int, limits: Limits) -> Iterator[Member]:
    """Yield members in order, from the stream's position 0 on. Raises MalformedError and LimitError."""
    at, count = 0, 0
    long: dict[str, str] = {}
    while at + BLOCK <= size:
        file.seek(at)
        block = file.read(BLOCK)
        if not any(block):
            return
        if not is_header(block):
            raise MalformedError(f"the tar header at byte {at:,} has a wrong checksum")
        count += 1
        if count > limits.zip_entries:
            raise LimitError("tar members", count, limits.zip_entries)
        length, flag, start = _number(block[124:136]), block[156:157], at + BLOCK
        at = start + -(-length // BLOCK) * BLOCK
        if flag in _LONG or flag in (b"x", b"g"):
            long |= _extended(flag, file.read(min(length, _LONGEST)))
            continue
        yield _member(block, long, start, length)
        long = {}


def _member(block: bytes, long: dict[str, str], start: int, length: int) -> Member:
    flag = block[156:157]
    prefix = _text(block[345:500]) if block[257:262] == b"ustar" else ""
    name = long.get("name") or (f"{prefix}/" if prefix else "") + _text(block[:100])
    kind = _LINKS.get(flag) or _DEVICES.get(flag) or ("folder" if flag == b"5" else "file")
    link = (long.get("link") or _text(block[157:257])) if flag in _LINKS else ""
    return Member(name, kind, link, start, 0 if flag in _LINKS else length)


def _extended(flag: bytes, data: bytes) -> dict[str, str]:
    """Read a long name, or the names in a pax header."""
    if flag in _LONG:
        return {_LONG[flag]: _text(data)}
    keys = {b"path": "name", b"linkpath": "link"}
    return {keys[m["key"]]: m["value"].decode("utf-8", "replace") for m in _RECORD.finditer(data)}


def _number(field: bytes) -> int:
    """Read an octal number, or a binary one where its top bit is set. Raises MalformedError."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    found = _DIGITS.fullmatch(field)
    if found is None:
        raise MalformedError("a size in a tar header is no number")
    return int(found[1] or b"0", 8)


def _text(field: bytes) -> str:
    return field.split(b"\x00", 1)[0].decode("utf-8", "replace")
