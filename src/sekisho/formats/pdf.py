"""What a PDF would do by itself when somebody opens it: scripts, programs, enclosed files. It is not rendered."""

import re
import zlib
from pathlib import Path
from typing import Final

from sekisho.limits import Limits

_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM: Final = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_HOLDER: Final = b"/ObjStm"
_FILTER: Final = re.compile(rb"/Filter\s*\[?\s*((?:/\w+\s*)+)")
_NAMES: Final = (
    ("pdf-script", re.compile(rb"/JavaScript(?![A-Za-z0-9])")),
    ("pdf-launch", re.compile(rb"/Launch(?![A-Za-z0-9])")),
    ("pdf-file", re.compile(rb"/(?:EmbeddedFiles?|RichMedia|GoToE)(?![A-Za-z0-9])")),
    ("pdf-form", re.compile(rb"/(?:XFA|SubmitForm|ImportData)(?![A-Za-z0-9])")),
)
"""Long enough that no picture holds them by chance; a script's action always spells its kind out."""
_STREAMS: Final = 20_000


def notes(path: Path, limits: Limits) -> tuple[tuple[str, str], ...]:
    """Return (reason, name of the entry) of what acts, or `pdf-unsearched` with why. Raises OSError."""
    with path.open("rb") as file:
        data = file.read(limits.pdf_bytes + 1)
    found: dict[tuple[str, str], None] = {}
    _search(data, found)
    left = limits.pdf_bytes
    why = "too large" if len(data) > left else ""
    listed = _objects(data)
    if _plain(data).count(_HOLDER) > len(listed):
        why = "objects packed where they cannot be told"
    for number, (described, packed) in enumerate(listed):
        if number >= _STREAMS or left < 0:
            why = "too many objects"
            break
        made = _unpacked(described, packed, left)
        if made is None or b"/Encrypt" in data:
            why = "encrypted or packed in a way that is not read here"
            continue
        left -= len(made)
        _search(made, found)
        why = "too many objects" if left < 0 else why
    if why:
        found["pdf-unsearched", why] = None
    return tuple(found)


def _objects(data: bytes) -> list[tuple[bytes, bytes]]:
    """(what is said of it, its bytes) of every stream that holds objects, where names could be packed away."""
    listed = []
    for match in _STREAM.finditer(data):
        start = data.rfind(b"obj", 0, match.start())
        described = _plain(data[start : match.start()])
        if _HOLDER in described:
            end = data.find(b"endstream", match.end())
            listed.append((described, data[match.end() : end if end >= 0 else len(data)]))
    return listed


def _unpacked(described: bytes, packed: bytes, most: int) -> bytes | None:
    """The objects of one stream; None where it cannot be unpacked."""
    named = _FILTER.search(described)
    if named is None:
        return None if b"/Filter" in described else packed
    if b"/Predictor" in described or b"/DecodeParms" in described:
        return None
    if named[1].split() not in ([b"/FlateDecode"], [b"/Fl"]):
        return None
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error:
        return None


def _plain(data: bytes) -> bytes:
    """With the names' hexadecimal escapes written out."""
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), data) if b"#" in data else data


def _search(data: bytes, found: dict[tuple[str, str], None]) -> None:
    text = _plain(data)
    for reason, pattern in _NAMES:
        if match := pattern.search(text):
            found[reason, match[0].decode("latin-1")] = None
