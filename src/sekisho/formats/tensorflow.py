"""TensorFlow SavedModel by structure: operators of its graphs that reach files or run Python."""

from pathlib import Path
from typing import Final

from sekisho.formats._protobuf import Schema, Walker
from sekisho.limits import Limits

_REACH_OUT: Final = frozenset(
    {"ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "WholeFileReader"}
    | {"WholeFileReaderV2", "TextLineReader", "FixedLengthRecordReader", "TFRecordReader", "IO>FileInit"}
)
_NODE: Final[Schema] = {2: "op"}
_GRAPH_DEF: Final[Schema] = {1: _NODE, 2: {1: {3: _NODE}}}
_SAVED_MODEL: Final[Schema] = {2: {2: _GRAPH_DEF}}
_FIRST: Final = b"\x08\x01\x12"


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a SavedModel by its version and first graph, under its usual ending."""
    return head.startswith(_FIRST) and filename.lower().endswith(".pb")


def notes(path: Path, limits: Limits) -> tuple[tuple[str, str], ...]:
    """Return (reason, operator) of what stands out. Raises MalformedError and LimitError."""
    with path.open("rb") as file:
        schema = _SAVED_MODEL if file.read(3) == _FIRST else _GRAPH_DEF
        texts = Walker(file, path.stat().st_size, limits).texts(schema)
        return tuple(dict.fromkeys(("operator-reaches-out", op) for _, op in texts if op in _REACH_OUT))
