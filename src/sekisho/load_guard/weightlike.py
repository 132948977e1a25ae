"""Which files could hold a model: by their first bytes, whatever they are called; by name where bytes say nothing."""

import io
import re
from contextlib import suppress
from typing import BinaryIO, Final

from sekisho.load_guard.pickled import is_pickle

HEAD: Final = 4096
"""Bytes that are looked at."""
_MAGIC: Final = (
    (b"GGUF", 0, "gguf"),
    (b"lmgg", 0, "ggml"),
    (b"tjgg", 0, "ggml"),
    (b"fmgg", 0, "ggml"),
    (b"algg", 0, "ggml"),
    (b"\x93NUMPY", 0, "npy"),
    (b"\x89HDF\r\n\x1a\n", 0, "hdf5"),
    (b"TFL3", 4, "tflite"),
    (b"ET12", 4, "executorch"),
)
_ONNX: Final = re.compile(rb"\x08[\x01-\x20](?:\x12[\x00-\x40]|\x3a|\x42)")
_SHORTEST: Final = 2
"""Bytes of `{}`."""
_SAFETENSORS: Final = 100 * 2**20
"""Longest header the reference library reads."""
_SUFFIXES: Final = (
    *(".safetensors", ".gguf", ".ggml", ".bin", ".pt", ".pth", ".ckpt", ".ptl", ".pkl", ".pickle", ".joblib"),
    *(
        ".npy",
        ".npz",
        ".h5",
        ".hdf5",
        ".keras",
        ".onnx",
        ".onnx_data",
        ".tflite",
        ".pte",
        ".msgpack",
        ".mlmodel",
    ),
    *(".nemo", ".engine", ".llamafile", ".dill", ".orbax", ".ot", ".t7"),
)
_IN_ZIP: Final = re.compile(
    r"(?:^|/)data\.pkl$|\.(?:npy|pkl|pickle|safetensors|gguf|pt|pth|bin|onnx|h5|weights\.h5)$"
)


_ZLIB: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_STREAMS: Final = (*_ZLIB, b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00")


def by_name(name: str) -> bool:
    """A name that weights usually have."""
    return name.lower().endswith(_SUFFIXES)


def kind(file: BinaryIO, size: int, name: str) -> str:
    """What a file is, empty if it is no weights; reads the head, and of a zip its directory."""
    head = file.read(HEAD)
    found = _head(head, size) or ("pickle" if is_pickle(head, file, size) else "")
    if found == "zip":
        found = _zip(file)
    return found or ("weights" if by_name(name) else "")


def _head(head: bytes, size: int) -> str:
    for magic, at, name in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    if head[8:9] == b"{" and _SHORTEST <= int.from_bytes(head[:8], "little") <= min(size, _SAFETENSORS):
        return "safetensors"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if _ONNX.match(head) and b"onnx" in head.lower():
        return "onnx"
    return _compressed(head)


def _compressed(head: bytes) -> str:
    """What stands at the beginning of a compressed stream: joblib and gzip.open read through it."""
    if not head.startswith(_STREAMS):
        return ""
    import bz2  # late: most files are not compressed
    import lzma
    import zlib

    inner = b""
    with suppress(zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        if head.startswith(_ZLIB):
            inner = zlib.decompressobj(47).decompress(head, HEAD)
        elif head.startswith(b"BZh"):
            inner = bz2.BZ2Decompressor().decompress(head, HEAD)
        elif head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
            inner = lzma.LZMADecompressor(memlimit=2**28).decompress(head, HEAD)
    if not inner:
        return ""
    return _head(inner, 2**62) or ("pickle" if is_pickle(inner, io.BytesIO(inner), 2**62) else "")


def _zip(file: BinaryIO) -> str:
    """`zip` where an entry looks like weights or the directory cannot be read."""
    import zipfile  # late: most files are no archives

    try:
        file.seek(0, io.SEEK_SET)
        with zipfile.ZipFile(file) as archive:
            return "zip" if any(_IN_ZIP.search(n.lower()) for n in archive.namelist()) else ""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        return "zip"
