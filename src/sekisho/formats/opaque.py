"""Containers recognised by their first bytes and deliberately not opened: their unpackers are not trusted with this."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_MAGIC: Final = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x5d\x00\x00", "lzma"),
    (b"!<arch>\n", "ar"),
    (b"MSCF", "cabinet"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PAR1", "parquet"),
)
_TAR: Final = (257, b"ustar")
_TFLITE: Final = (4, b"TFL3")
_NAMED: Final = (
    (".onnx", "onnx"),
    (".pb", "tensorflow"),
    (".mlmodel", "coreml"),
    (".engine", "tensorrt"),
    (".msgpack", "flax"),
)
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@final
@dataclass(frozen=True)
class OpaqueFacts(FormatFacts):
    """A container whose content nobody has seen."""


def kind(head: bytes, filename: str) -> str:
    """Name the container, or return an empty string."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    for (at, magic), name in ((_TAR, "tar"), (_TFLITE, "tflite")):
        if head[at : at + len(magic)] == magic:
            return name
    if head.startswith(_ZLIB) and _inflates(head):
        return "zlib"
    binary = b"\x00" in head or not head
    return next((name for suffix, name in _NAMED if binary and filename.lower().endswith(suffix)), "")


def _inflates(head: bytes) -> bool:
    try:
        return len(zlib.decompressobj().decompress(head, 16)) > 0
    except zlib.error:
        return False


def _format(name: str) -> Format:
    return Format(name, lambda head, filename: kind(head, filename) == name, _read)


def _read(path: Path, limits: Limits) -> OpaqueFacts:
    del path, limits
    return OpaqueFacts()


NAMES: Final = tuple(
    dict.fromkeys([name for _, name in _MAGIC] + ["tar", "tflite", "zlib"] + [n for _, n in _NAMED])
)
"""Every container known here."""
FORMATS: Final = tuple(_format(name) for name in NAMES)
