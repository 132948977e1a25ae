"""Zip containers (torch, npz, keras, any other): every entry looked into by content, one nested archive deep.

Central directory and local headers are both read, since loaders differ on which one they believe.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import ArtefactError, LimitError, MalformedError
from sekisho.formats import code, keras, npy, opaque, pickle
from sekisho.formats._paths import leaves
from sekisho.formats._zip_end import directory
from sekisho.formats.base import SNIFF_BYTES, Format
from sekisho.formats.npy import NpyFacts
from sekisho.formats.pickle import PickleFacts
from sekisho.formats.text import shown
from sekisho.limits import KIB, Limits
from sekisho.records import FormatFacts

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_EMPTY_MAGIC: Final = b"PK\x05\x06"
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_IN_DESCRIPTOR: Final = 0x8
_SLACK: Final = 24
"""Bytes of the longest data descriptor, the only thing that may lie between two entries."""
_SMALL: Final = 4 * KIB
"""Ratios of tiny entries say nothing."""
_UTF8: Final = 0x800
_ZIP64: Final = 0xFFFFFFFF
_READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@final
@dataclass(frozen=True)
class ZipEntry:
    """One file inside, as deep as was looked."""

    path: str
    """Name inside the archive; `outer.zip/inner` where nested."""
    size: int
    format: str
    facts: PickleFacts | NpyFacts | None = None
    problem: str = ""
    """Why its content is not known; empty when it is."""
    notes: tuple[tuple[str, str], ...] = ()
    """(reason, name) of what stands out in Keras settings."""


@final
@dataclass(frozen=True)
class ZipFacts(FormatFacts):
    """Every entry, and every disagreement of the archive with itself."""

    entries: tuple[ZipEntry, ...] = field(repr=False)
    oddities: tuple[str, ...] = ()


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a local header, or the end record of an empty archive."""
    del filename
    return head.startswith((_LOCAL_MAGIC, _EMPTY_MAGIC))


def read(path: Path, limits: Limits) -> ZipFacts:
    """List and look into every entry."""
    with path.open("rb") as file:
        return Archive(file, limits, nesting=limits.nesting - 1).read()


@final
class Budget:
    """What is left for one file and all that is nested in it: bytes unpacked, opcodes walked, archives opened."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.bytes, self.opcodes, self.entries = (
            limits.unpacked_bytes,
            limits.pickle_opcodes,
            limits.zip_entries,
        )

    def take(self, count: int) -> None:
        """Use up bytes. Raises LimitError where they are gone."""
        self.bytes -= count
        if self.bytes < 0:
            limit = self._limits.unpacked_bytes
            raise LimitError("unpacked bytes of one archive", limit - self.bytes, limit)

    def list(self, count: int) -> None:
        """Use up entries. Raises LimitError where they are gone."""
        self.entries -= count
        if self.entries < 0:
            limit = self._limits.zip_entries
            raise LimitError("entries of one archive and those inside it", limit - self.entries, limit)

    def walk(self, file: BinaryIO, size: int) -> PickleFacts:
        """Walk a pickle with the opcodes that are left. Raises MalformedError and LimitError."""
        left, self.opcodes = self.opcodes, 0
        try:
            facts = pickle.read_stream(file, size, replace(self._limits, pickle_opcodes=left))
        except MalformedError:
            self.opcodes = max(0, left - size)
            raise
        self.opcodes = left - facts.opcodes
        return facts


@final
class Archive:
    """One zip archive being read; collects what it disagrees with itself about."""

    def __init__(self, file: BinaryIO, limits: Limits, *, nesting: int, budget: Budget | None = None) -> None:
        self._file, self._limits, self._nesting = file, limits, nesting
        self._budget = budget or Budget(limits)
        self._oddities: list[str] = []

    def read(self) -> ZipFacts:
        """Look into every entry in the order of their bytes."""
        listed, start, odd = directory(self._file, self._limits)
        self._budget.list(len(listed))
        infos = sorted(listed, key=lambda i: i.header_offset)
        self._oddities += odd
        for name, times in Counter(info.filename for info in infos).items():
            if times > 1:
                self._oddities.append(f"{shown(name)} is listed twice")
        entries: list[ZipEntry] = []
        reached = 0
        for info in infos:
            if not 0 <= info.header_offset - reached <= _SLACK:
                self._oddities.append(f"unlisted or shared bytes lie before {shown(info.filename)}")
            at = self._local_header(info)
            reached = at + info.compress_size
            entries += self._look(info, at)
        if not 0 <= start - reached <= _SLACK:
            self._oddities.append("unlisted or shared bytes lie before the directory")
        return ZipFacts(tuple(entries), tuple(self._oddities))

    def _local_header(self, info: zipfile.ZipInfo) -> int:
        """Compare the entry's own header with the directory; return where its bytes start."""
        if info.header_offset < 0:
            raise MalformedError(f"zip entry {shown(info.filename)} lies before the file")
        self._file.seek(info.header_offset)
        raw = self._file.read(_LOCAL.size)
        if len(raw) < _LOCAL.size or not raw.startswith(_LOCAL_MAGIC):
            raise MalformedError(f"zip entry {shown(info.filename)} has no local header")
        _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(raw)
        name = self._file.read(name_bytes)
        listed = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437", "replace")
        differs = name != listed or method != info.compress_type or (flags ^ info.flag_bits) & _ENCRYPTED
        if not flags & _IN_DESCRIPTOR and _ZIP64 not in (packed, size):
            differs = differs or (crc, packed, size) != (info.CRC, info.compress_size, info.file_size)
        if differs:
            self._oddities.append(f"the two headers of {shown(info.filename)} disagree")
        return int(info.header_offset + _LOCAL.size + name_bytes + extra_bytes)

    def _look(self, info: zipfile.ZipInfo, at: int) -> list[ZipEntry]:
        name, kind = info.filename, "data"
        problem = self._sealed(info)
        if problem:
            return [ZipEntry(name, info.file_size, "unknown", problem=problem)]
        try:
            head = self._unpack(info, at, SNIFF_BYTES)
            kind = kind_of(head, name)
            return self._open(info, at, kind)
        except (ArtefactError, zlib.error) as error:
            return [ZipEntry(name, info.file_size, kind, problem=str(error))]

    def _sealed(self, info: zipfile.ZipInfo) -> str:
        """Say why an entry cannot be opened, if it cannot."""
        if leaves(info.filename) or leaves(info.orig_filename):
            return "its name leads out of the folder it would be unpacked into"
        if stat.S_ISLNK(info.external_attr >> 16):
            return "a symbolic link"
        if info.flag_bits & _ENCRYPTED:
            return "encrypted"
        if info.compress_type not in _READABLE:
            return f"packed with method {info.compress_type}"
        if info.file_size > self._limits.zip_ratio * max(info.compress_size, _SMALL):
            return f"unpacks to more than {self._limits.zip_ratio} times its size"
        return ""

    def _open(self, info: zipfile.ZipInfo, at: int, kind: str) -> list[ZipEntry]:
        name, size = info.filename, info.file_size
        if kind in opaque.NAMES:
            return [ZipEntry(name, size, kind, problem="an archive that is not opened")]
        if kind not in ("pickle", "npy", "zip"):
            return [ZipEntry(name, size, kind, notes=self._notes(info, at))]
        if kind == "npy":
            return [ZipEntry(name, size, kind, self._array(info, at))]
        data = self._whole(info, at)
        if kind == "zip":
            return self._nested(name, data)
        return [ZipEntry(name, size, kind, self._budget.walk(io.BytesIO(data), len(data)))]

    def _notes(self, info: zipfile.ZipInfo, at: int) -> tuple[tuple[str, str], ...]:
        """Look for layers that are code in what Keras takes for settings."""
        if info.filename.rpartition("/")[2] != "config.json":
            return ()
        data = self._unpack(info, at, self._limits.config_bytes)
        self._budget.take(len(data))
        return keras.of_settings(data, self._limits)

    def _array(self, info: zipfile.ZipInfo, at: int) -> NpyFacts:
        """Read an array's header; its numbers are unpacked only where they may be objects."""
        numbers = npy.plain(self._unpack(info, at, npy.HEAD))
        if numbers is not None:
            return numbers
        data = self._whole(info, at)
        facts = npy.read_bytes(data, replace(self._limits, pickle_opcodes=self._budget.opcodes))
        self._budget.opcodes -= facts.pickle.opcodes if facts.pickle else 0
        return facts

    def _nested(self, name: str, data: bytes) -> list[ZipEntry]:
        if not self._nesting:
            return [ZipEntry(name, len(data), "zip", problem="an archive nested too deep to be opened")]
        inner = Archive(io.BytesIO(data), self._limits, nesting=self._nesting - 1, budget=self._budget).read()
        self._oddities += [f"in {shown(name)}: {oddity}" for oddity in inner.oddities]
        return [replace(entry, path=f"{name}/{entry.path}") for entry in inner.entries]

    def _whole(self, info: zipfile.ZipInfo, at: int) -> bytes:
        limit = self._limits.zip_entry_bytes
        data = self._unpack(info, at, limit + 1)
        self._budget.take(len(data))
        if len(data) > limit:
            raise LimitError("zip entry in bytes", max(len(data), info.file_size), limit)
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            self._oddities.append(f"size or checksum of {shown(info.filename)} is wrong")
        return data

    def _unpack(self, info: zipfile.ZipInfo, at: int, wanted: int) -> bytes:
        """Unpack the beginning of an entry, in memory bounded by what is wanted."""
        self._file.seek(at)
        if info.compress_type == zipfile.ZIP_STORED:
            return self._file.read(min(wanted, info.compress_size))
        inflater, parts, left = zlib.decompressobj(-15), bytearray(), info.compress_size
        while left > 0 and len(parts) < wanted and not inflater.eof:
            chunk = self._file.read(min(left, 64 * KIB))
            if not chunk:
                break
            left -= len(chunk)
            parts += inflater.decompress(chunk, wanted - len(parts))
        return bytes(parts)


def kind_of(head: bytes, name: str) -> str:
    """Say what something inside an archive is, from its first SNIFF_BYTES and its name."""
    if sniff(head, name):
        return "zip"
    if pickle.sniff(head, name) or pickle.sniff_named(head, name):
        return "pickle"
    if npy.sniff(head, name):
        return "npy"
    return opaque.kind(head, name) or ("code" if code.kind(head, name) else "data")


FORMAT: Final = Format("zip", sniff, read)
