"""safetensors: eight bytes of header length, a JSON header, then the tensors' bytes without gaps."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import json_config
from sekisho.formats._layout import refuse_bad_places
from sekisho.formats.base import Format
from sekisho.formats.text import shown
from sekisho.limits import Limits
from sekisho.records import Facts, FormatFacts

BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element."""

_ENTRY: Final = {"dtype", "shape", "data_offsets"}
_DIMENSIONS: Final = 64
_BYTES_PER_LIST: Final = 20
"""A tensor's entry is at least 49 bytes long and has two lists; a header denser than this only costs memory."""
_SHORTEST_HEADER: Final = 2  # {}
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
_ZIP_COMMENT: Final = 65_535


@final
@dataclass(frozen=True)
class Tensor:
    """One tensor and where its bytes are."""

    name: str
    dtype: str
    """One of BITS."""
    shape: tuple[int, ...]
    start: int
    end: int
    """Offsets in the file, not in the data section."""


@final
@dataclass(frozen=True)
class SafetensorsFacts(FormatFacts):
    """A checked header: tensors lie in order of `start`, cover the data section, and overlap nowhere."""

    tensors: tuple[Tensor, ...] = field(repr=False)
    metadata: Facts = ()


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a plausible header length before an opening brace."""
    del filename
    plausible = _SHORTEST_HEADER <= int.from_bytes(head[:8], "little") <= Limits().safetensors_header_bytes
    return plausible and head[8:9] == b"{"


def sniff_named(head: bytes, filename: str) -> bool:
    """Hold a file to its name, whatever it contains."""
    del head
    return filename.lower().endswith(".safetensors")


def read(path: Path, limits: Limits) -> SafetensorsFacts:
    """Read and check the header against the file's size; tensor bytes are not touched."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header, data_start = _header(file, size, limits)
        _refuse_hidden_zip(file, size)
    facts = json_config.parse(header, limits)
    if facts.duplicate_keys:
        raise MalformedError(f"the header gives {shown(facts.duplicate_keys[0])} twice")
    if not isinstance(facts.document, dict):
        raise MalformedError("the header is not a JSON object")
    metadata = _metadata(facts.document.pop("__metadata__", {}))
    tensors = tuple(sorted((_tensor(n, e, data_start) for n, e in facts.document.items()), key=_position))
    refuse_bad_places(tensors, data_start, size)
    return SafetensorsFacts(tensors, metadata)


def _header(file: BinaryIO, size: int, limits: Limits) -> tuple[bytes, int]:
    if size == 0:
        raise MalformedError("the file is empty (0 bytes)")
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length < _SHORTEST_HEADER:  # noqa: PLR2004 - the length itself takes 8
        raise MalformedError("there is no header")
    if length > size - 8:
        raise MalformedError(f"the header claims {length:,} bytes, the file has {size:,}")
    if length > limits.safetensors_header_bytes:
        raise LimitError("safetensors header in bytes", length, limits.safetensors_header_bytes)
    header = file.read(length)
    if not header.startswith(b"{"):
        raise MalformedError("the header does not start with a brace")
    if header.count(b"[") * _BYTES_PER_LIST > length:
        raise MalformedError("the header holds more lists than tensors could have")
    return header, 8 + length


def _metadata(value: Any) -> Facts:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise MalformedError("__metadata__ is not a table of texts")
    return tuple(value.items())


def _tensor(name: str, entry: Any, data_start: int) -> Tensor:
    label = shown(name)
    if not isinstance(entry, dict) or set(entry) != _ENTRY:
        raise MalformedError(f"tensor {label} must have dtype, shape and data_offsets, nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise MalformedError(f"tensor {label} has the unknown dtype {shown(json.dumps(dtype))}")
    if not _naturals(shape) or len(shape) > _DIMENSIONS:
        raise MalformedError(f"tensor {label} has an impossible shape")
    if not _naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:  # noqa: PLR2004 - start and end
        raise MalformedError(f"tensor {label} has impossible offsets")
    bits, (start, end) = math.prod(shape) * BITS[dtype], offsets
    if bits != (end - start) * 8:
        raise MalformedError(
            f"tensor {label}: shape and dtype need {bits // 8:,} bytes, it has {end - start:,}"
        )
    return Tensor(name, dtype, tuple(shape), data_start + start, data_start + end)


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _position(tensor: Tensor) -> tuple[int, int, str]:
    return tensor.start, tensor.end, tensor.name


def _refuse_hidden_zip(file: BinaryIO, size: int) -> None:
    """Refuse an archive inside the last tensor: zip readers start at the end of a file."""
    file.seek(max(0, size - _ZIP_COMMENT - _ZIP_END_BYTES))
    tail = file.read()
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _ZIP_END_BYTES + comment == len(tail):
            raise MalformedError("a zip archive is hidden in the last tensor")
        at = tail.rfind(_ZIP_END, 0, at)


FORMAT: Final = Format("safetensors", sniff, read)
NAMED: Final = Format("safetensors", sniff_named, read)
