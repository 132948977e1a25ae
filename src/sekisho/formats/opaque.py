"""Containers recognised by their first bytes and deliberately not opened: their unpackers are not trusted with this."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, final

from sekisho.formats import keras, onnx, tar, tensorflow
from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import FileFact, FormatFacts

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
    (b"\x1f\x9d\x90", "compress"),
    (b"LZIP", "lzip"),
    (b"MSWIM\x00\x00\x00", "wim"),
    (b"hsqs", "squashfs"),
    (b"070701", "cpio"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"PK\x07\x08", "split zip"),
)
_LATER: Final = (
    (4, b"TFL3", "tflite"),
    (2, b"-lh", "lha"),
    (7, b"**ACE**", "ace"),
    (512, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (1024, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (2048, b"\x89HDF\r\n\x1a\n", "hdf5"),
)
"""Magic that does not stand first; an HDF5 file may begin with a block of the user's own."""
_NAMED: Final = (
    (".onnx", "onnx"),
    (".pb", "tensorflow"),
    (".mlmodel", "coreml"),
    (".engine", "tensorrt"),
    (".msgpack", "flax"),
    (".7z", "7z"),
    (".rar", "rar"),
    (".tar", "tar"),
    (".tgz", "gzip"),
    (".gz", "gzip"),
    (".bz2", "bzip2"),
    (".xz", "xz"),
    (".zst", "zstd"),
    (".lz4", "lz4"),
    (".h5", "hdf5"),
    (".hdf5", "hdf5"),
    (".tflite", "tflite"),
    (".plan", "tensorrt"),
    (".mlpackage", "coreml"),
)
_DEFLATE: Final = 8
_LONGEST_WINDOW: Final = 7
_USUAL: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_FIRST: Final = 64
"""Bytes that must come out of what may be a zlib stream of unusual settings, unless it ends before."""


@final
@dataclass(frozen=True)
class OpaqueFacts(FormatFacts):
    """A container whose content nobody has seen."""

    notes: tuple[tuple[str, str], ...] = ()
    """(reason, name) of what stands out all the same: tensors outside the folder, layers that are code, ..."""
    beside: tuple[str, ...] = ()
    """Names of the files beside it in which tensors of it lie."""


@lru_cache(maxsize=4)  # each format of FORMATS asks about the same file
def kind(head: bytes, filename: str) -> str:
    """Name the container, or return an empty string."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    for at, magic, name in _LATER:
        if head[at : at + len(magic)] == magic:
            return name
    if tar.is_header(head[: tar.BLOCK]) or head[257:262] == b"ustar":
        return "tar"
    if _inflates(head):
        return "zlib"
    if tensorflow.sniff(head, filename):
        return "tensorflow"
    if onnx.sniff(head):
        return "onnx"
    binary = b"\x00" in head or not head
    return next((name for suffix, name in _NAMED if binary and filename.lower().endswith(suffix)), "")


def _inflates(head: bytes) -> bool:
    """Recognise a zlib stream of any window by its two bytes and by what comes out."""
    start = int.from_bytes(head[:2], "big")
    window, method = head[:1].hex()[:1], start >> 8 & 15
    if len(head) < 2 or method != _DEFLATE or int(window, 16) > _LONGEST_WINDOW or start % 31:  # noqa: PLR2004 - the header
        return False
    inflater = zlib.decompressobj()
    try:
        made = len(inflater.decompress(head, _FIRST))
        return made == _FIRST or inflater.eof or (made > 0 and head[:2] in _USUAL)
    except zlib.error:
        return False


def _format(name: str) -> Format:
    return Format(name, lambda head, filename: kind(head, filename) == name, _READERS.get(name, _read))


def _read(path: Path, limits: Limits) -> OpaqueFacts:
    del path, limits
    return OpaqueFacts()


def _noting(
    notes: Callable[[Path, Limits], tuple[tuple[str, str], ...]],
) -> Callable[[Path, Limits], OpaqueFacts]:
    return lambda path, limits: OpaqueFacts(notes(path, limits))


_READERS: Final = {
    "onnx": lambda path, limits: OpaqueFacts(*onnx.notes(path, limits)),
    "tensorflow": _noting(tensorflow.notes),
    "hdf5": _noting(keras.of_hdf5),
}
"""Of containers whose structure is read, though not what they compute."""


DATA: Final = ("onnx", "tflite", "tensorflow", "coreml", "tensorrt", "parquet", "flax")
"""Kinds that hold weights or tables of other programs, and are held rather than refused."""
NAMES: Final = tuple(
    dict.fromkeys(
        [name for _, name in _MAGIC] + [n for _, _, n in _LATER] + ["tar", "zlib"] + [n for _, n in _NAMED]
    )
)
"""Every container known here."""


def held(files: Iterable[FileFact]) -> frozenset[str]:
    """Paths of containers of data, which unsafe-serialisation holds, and of the unknown files that they keep tensors in."""
    listed = tuple(files)
    unknown = {f.path for f in listed if f.format == "unknown"}
    found: set[str] = set()
    for file in listed:
        if file.format in DATA and isinstance(file.facts, OpaqueFacts):
            folder = file.path.rpartition("/")[0]
            named = {f"{folder}/{name}" if folder else name for name in file.facts.beside}
            found |= {file.path} | (named & unknown)
    return frozenset(found)


FORMATS: Final = tuple(_format(name) for name in NAMES)
