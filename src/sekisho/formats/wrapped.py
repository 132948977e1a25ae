"""Compressed streams and tar: unpacked in memory within bounds, only to say what they hold; refused whatever it is.

joblib and others hand such files to an unpickler, and torch once read tar; no weights need to come that way.
"""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import ArtefactError, LimitError
from sekisho.formats import npy, opaque, tar
from sekisho.formats._paths import leaves
from sekisho.formats.base import SNIFF_BYTES, Format
from sekisho.formats.text import shown
from sekisho.formats.zipfile_ import Archive, Budget, ZipEntry, kind_of
from sekisho.limits import KIB, MIB, Limits
from sekisho.records import FormatFacts

_CHUNK: Final = 64 * KIB
_SMALL: Final = 4 * KIB
"""Ratios of tiny streams say nothing."""
_MEMORY: Final = 128 * MIB
"""For the dictionary of an xz stream."""
_CORRUPT: Final = (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError)


@final
class _Inflater:
    """zlib and gzip with the interface of the two others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self._rest = b""

    def decompress(self, data: bytes, wanted: int) -> bytes:
        """Return up to `wanted` bytes."""
        made = self._inner.decompress(self._rest + data, wanted)
        self._rest = self._inner.unconsumed_tail
        return made

    @property
    def needs_input(self) -> bool:
        """Whether more can come out without more going in."""
        return not self._rest

    @property
    def eof(self) -> bool:
        """Whether this member of the stream has ended."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the end of this member."""
        return self._inner.unused_data


_Stream = _Inflater | bz2.BZ2Decompressor | lzma.LZMADecompressor
_STREAMS: Final[dict[str, Callable[[], _Stream]]] = {
    "gzip": lambda: _Inflater(31),
    "zlib": lambda: _Inflater(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY),
}


@final
@dataclass(frozen=True)
class WrappedFacts(FormatFacts):
    """What a stream or tar archive holds, as deep as was looked."""

    entries: tuple[ZipEntry, ...] = field(repr=False)
    oddities: tuple[str, ...] = ()


def read(path: Path, limits: Limits) -> WrappedFacts:
    """Unpack and name; what cannot be unpacked is an entry with a problem."""
    opener = _Opener(limits)
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
        kind = opaque.kind(head, path.name)
        entries = tuple(opener.look("", file, path.stat().st_size, kind=kind, depth=limits.nesting))
    return WrappedFacts(entries, tuple(opener.oddities))


@final
class _Opener:
    """Opens one file and what is inside it, within one budget."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._budget = limits, Budget(limits)
        self.oddities: list[str] = []

    def look(self, name: str, file: BinaryIO, size: int, *, kind: str, depth: int) -> Iterator[ZipEntry]:
        """Yield what a stream of bytes of a known kind holds."""
        try:
            if kind == "tar":
                yield from self._tar(name, file, size, depth)
            elif kind in _STREAMS:
                yield from self._stream(name, file, size, kind=kind, depth=depth)
            else:
                yield from self._plain(name, file, size, kind)
        except (ArtefactError, *_CORRUPT) as error:
            yield ZipEntry(name or kind, size, kind, problem=str(error) or "cut short")

    def _stream(self, name: str, file: BinaryIO, size: int, *, kind: str, depth: int) -> Iterator[ZipEntry]:
        label = f"{name}/{kind}".removeprefix("/")
        if not depth:
            yield ZipEntry(label, size, kind, problem="an archive nested too deep to be opened")
            return
        file.seek(0)
        data, problem = self._unpack(file, size, kind)
        self._budget.take(len(data))
        inside = kind_of(data[:SNIFF_BYTES], "")
        if problem:
            yield ZipEntry(label, len(data), inside, problem=problem)
        yield from self.look(label, io.BytesIO(data), len(data), kind=inside, depth=depth - 1)

    def _unpack(self, file: BinaryIO, size: int, kind: str) -> tuple[bytes, str]:
        """Return the unpacked bytes up to a limit, and why they are not all."""
        limit = min(self._limits.zip_entry_bytes, self._limits.zip_ratio * max(size, _SMALL))
        out, stream, chunk = bytearray(), _STREAMS[kind](), b""
        while len(out) <= limit:
            if stream.eof:
                chunk, stream = stream.unused_data or file.read(_CHUNK), _STREAMS[kind]()
                if not chunk.strip(b"\x00"):
                    return bytes(out), ""
            if not chunk and stream.needs_input:
                chunk = file.read(_CHUNK)
                if not chunk:
                    return bytes(out), "the stream is cut short"
            try:
                out += stream.decompress(chunk, limit + 1 - len(out))
            except _CORRUPT as error:
                return bytes(out), f"the stream is corrupt: {error}"
            chunk = b""
        return bytes(out[:limit]), f"unpacks to more than {limit:,} bytes"

    def _tar(self, name: str, file: BinaryIO, size: int, depth: int) -> Iterator[ZipEntry]:
        for member in tar.members(file, size, self._limits):
            self._budget.list(1)
            path = f"{name}/{shown(member.name)}".removeprefix("/")
            problem = _objection(member)
            if problem or member.kind != "file":
                yield ZipEntry(path, member.size, member.kind, problem=problem)
            else:
                yield from self._member(path, file, member, depth=depth)

    def _member(self, path: str, file: BinaryIO, member: tar.Member, *, depth: int) -> Iterator[ZipEntry]:
        file.seek(member.start)
        kind = kind_of(file.read(min(SNIFF_BYTES, member.size)), member.name)
        if kind in ("data", "code"):
            yield ZipEntry(path, member.size, kind)
            return
        if member.size > self._limits.zip_entry_bytes:
            problem = str(LimitError("tar member in bytes", member.size, self._limits.zip_entry_bytes))
            yield ZipEntry(path, member.size, kind, problem=problem)
            return
        file.seek(member.start)
        data = file.read(member.size)
        self._budget.take(len(data))
        yield from self.look(path, io.BytesIO(data), len(data), kind=kind, depth=depth - 1)

    def _plain(self, name: str, file: BinaryIO, size: int, kind: str) -> Iterator[ZipEntry]:
        file.seek(0)
        if kind == "pickle":
            yield ZipEntry(name, size, kind, self._budget.walk(file, size))
        elif kind == "npy":
            left = replace(self._limits, pickle_opcodes=self._budget.opcodes)
            yield ZipEntry(name, size, kind, npy.read_stream(file, size, left))
        elif kind == "zip":
            inner = Archive(file, self._limits, nesting=0, budget=self._budget).read()
            self.oddities += [f"in {shown(name)}: {oddity}" for oddity in inner.oddities]
            yield from (replace(entry, path=f"{name}/{entry.path}") for entry in inner.entries)
        elif kind in opaque.NAMES:
            yield ZipEntry(name, size, kind, problem="an archive that is not opened")
        else:
            yield ZipEntry(name, size, kind)


def _objection(member: tar.Member) -> str:
    """Say what is wrong with a member as such, if anything is."""
    if leaves(member.name):
        return "its name leads out of the folder it would be unpacked into"
    if member.link:
        return f"a {member.kind} to {shown(member.link)}"
    return f"a {member.kind}" if member.kind in ("device", "pipe") else ""


def _format(name: str) -> Format:
    return Format(name, lambda head, filename: opaque.kind(head, filename) == name, read)


FORMATS: Final = tuple(_format(name) for name in ("tar", *_STREAMS))
"""Those that are looked into; `opaque` names the others."""
