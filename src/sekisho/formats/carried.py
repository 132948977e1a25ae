"""Files that a tensor carries: what begins as a program, an archive, a pickle or a text where numbers belong."""

import io
import re
from typing import Final

from sekisho.errors import ArtefactError
from sekisho.formats import pickle
from sekisho.limits import Limits

HEAD: Final = 65_536
"""Bytes of a tensor's beginning that are looked at."""
_MAGIC: Final = (
    (b"\x7fELF", "ELF program"),
    (b"PK\x03\x04", "zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!\x1a\x07", "rar archive"),
    (b"\xfd7zXZ\x00", "xz stream"),
    (b"\xfe\xed\xfa\xcf", "Mach-O program"),
    (b"\xcf\xfa\xed\xfe", "Mach-O program"),
    (b"\xca\xfe\xba\xbe", "Java class"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (b"SQLite format 3\x00", "SQLite file"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\x93NUMPY", "NumPy file"),
    (b"%PDF-", "PDF"),
    (b"GGUF\x03\x00", "GGUF file"),
    (b"dex\n03", "Android program"),
)
"""Of any tensor: four bytes and more do not come about by chance."""
_OF_BYTES: Final = (
    (b"\x1f\x8b\x08", "gzip stream"),
    (b"BZh91AY", "bzip2 stream"),
    (b"#!/", "script"),
    (b"\x00asm\x01\x00", "WebAssembly"),
    (b"\x28\xb5\x2f\xfd", "zstd stream"),
)
_BYTES: Final = frozenset({"U8", "I8", "BOOL"})
_PE_AT: Final = 0x3C
_TEXT: Final = 64
_PRINTABLE: Final = frozenset({9, 10, 13, *range(32, 127)})
_SHARE: Final = 0.97
_SETTINGS: Final = re.compile(r"\.quant_state\.bitsandbytes__\w{1,20}$")
"""A table of settings that bitsandbytes stores as the bytes of a JSON text."""
TEXT: Final = "text"


def kind(name: str, dtype: str, head: bytes) -> str:
    """Name what a tensor begins as, or return an empty string. `head`: its first HEAD bytes or all of it."""
    found = next((what for magic, what in _MAGIC if head.startswith(magic)), "")
    if found or dtype not in _BYTES:
        return found
    found = next((what for magic, what in _OF_BYTES if head.startswith(magic)), "")
    if not found and head[:2] == b"MZ":
        at = int.from_bytes(head[_PE_AT : _PE_AT + 4], "little")
        found = "Windows program" if head[at : at + 4] == b"PE\x00\x00" else ""
    if not found and _is_pickle(head):
        found = "pickle"
    return found or (TEXT if _is_text(head) and not (_SETTINGS.search(name) and head[:1] == b"{") else "")


def _is_pickle(head: bytes) -> bool:
    try:
        facts = pickle.read_stream(io.BytesIO(head), len(head), Limits())
    except ArtefactError:
        return False
    return bool(facts.globals)


def _is_text(head: bytes) -> bool:
    if len(head) < _TEXT or len(set(head[:_TEXT])) <= 2:  # noqa: PLR2004 - a filled table is none
        return False
    part = head[:4096]
    return sum(byte in _PRINTABLE for byte in part) >= _SHARE * len(part)
