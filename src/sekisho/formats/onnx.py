"""ONNX by structure: where its tensors are said to lie, and whose operators it needs; the model itself is not judged."""

import io
import posixpath
from pathlib import Path
from typing import Final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats._paths import leaves
from sekisho.formats._protobuf import Schema, Walker
from sekisho.formats.text import shown
from sekisho.limits import Limits

_NEWEST_IR: Final = 64
_VARINTS: Final = frozenset({1, 5})
_KNOWN: Final = _VARINTS | {2, 3, 4, 6, 7, 8, 14, 20, 25, 26}
_GRAPH, _OPSETS, _TEXTS = 7, 8, (2, 3, 4)
_STANDARD: Final = (
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview.training",
    "com.microsoft",
)
_NAMED: Final = 10
_BESIDE: Final = 200

_TENSOR: Final[Schema] = {13: {2: "external"}}
_GRAPH_SCHEMA: "Final[dict[int, Schema | str]]" = {5: _TENSOR, 15: {1: _TENSOR, 2: _TENSOR}}
_ATTRIBUTE: Final[Schema] = {5: _TENSOR, 6: _GRAPH_SCHEMA, 10: _TENSOR, 11: _GRAPH_SCHEMA}
_NODE: Final[Schema] = {7: "domain", 5: _ATTRIBUTE}
_GRAPH_SCHEMA[1] = _NODE
_MODEL: Final[Schema] = {7: _GRAPH_SCHEMA, 8: {1: "domain"}, 25: {7: _NODE, 10: "domain"}}


def sniff(head: bytes) -> bool:
    """Recognise a model by its first fields: a small version, texts, a graph or operator sets."""
    seen: dict[int, int] = {}
    walker = Walker(io.BytesIO(head), len(head), Limits())
    try:
        for number, wire, value, end in walker.fields(0, 2**40):
            expected = 0 if number in _VARINTS else 2
            if (
                number not in _KNOWN
                or wire != expected
                or (number in _TEXTS and not _is_text(head[value:end]))
            ):
                return False
            seen.setdefault(number, value)
            if end >= len(head):
                break
    except (MalformedError, LimitError):
        pass
    return 1 <= seen.get(1, 0) <= _NEWEST_IR and (_GRAPH in seen or _OPSETS in seen)


def notes(path: Path, limits: Limits) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return (reason, name) of what stands out, and the files beside it that hold tensors. Raises MalformedError and LimitError."""
    found: dict[tuple[str, str], None] = {}
    beside: dict[str, None] = {}
    with path.open("rb") as file:
        for label, text in Walker(file, path.stat().st_size, limits).texts(_MODEL):
            if label == "external" and leaves(text):
                found["external-outside", shown(text)] = None
            elif label == "external" and not text.isdigit() and not _is_there(path.parent / text):
                found["external-missing", shown(text)] = None
            elif label == "external" and not text.isdigit() and len(beside) < _BESIDE:
                beside[posixpath.normpath(text)] = None
            elif label == "domain" and text not in _STANDARD:
                found["custom-operators", shown(text)] = None
            if len(found) >= _NAMED:
                break
    return tuple(found), tuple(beside)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 for byte in data)  # noqa: PLR2004 - printable ASCII
