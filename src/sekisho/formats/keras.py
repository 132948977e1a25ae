"""Keras settings, in a `.keras` archive or an HDF5 file: layers that are code, and classes from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sekisho.errors import ArtefactError
from sekisho.formats import json_config
from sekisho.formats.text import shown
from sekisho.limits import MIB, Limits

_CODE: Final = frozenset({"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer", "__lambda__"})
"""Layers that carry or load a program; `__lambda__` is a marshalled function."""
_OWN: Final = ("keras", "tf_keras", "tensorflow", "builtins", "numpy")
_IN_BYTES: Final = re.compile(
    rb'"class_name"\s*:\s*"(Lambda|TorchModuleWrapper|JaxLayer|FlaxLayer|TFSMLayer|__lambda__)"'
)
_OVERLAP: Final = 64
_NAMED: Final = 10

Notes = tuple[tuple[str, str], ...]


def of_settings(data: bytes, limits: Limits) -> Notes:
    """Return (reason, name) of what stands out in config.json of an archive; unreadable JSON is searched as bytes."""
    try:
        document = json_config.parse(data, limits).document
    except ArtefactError:
        return tuple(dict.fromkeys(("layer-is-code", m[1].decode()) for m in _IN_BYTES.finditer(data)))
    return tuple(dict.fromkeys(_walk(document)))[:_NAMED]


def of_hdf5(path: Path, limits: Limits) -> Notes:
    """Return the same for an HDF5 file, whose settings stand in it as plain text."""
    found: dict[tuple[str, str], None] = {}
    rest, left = b"", limits.scanned_bytes
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(4 * MIB, left))):
            left -= len(chunk)
            found |= {("layer-is-code", m[1].decode()): None for m in _IN_BYTES.finditer(rest + chunk)}
            rest = chunk[-_OVERLAP:]
    return tuple(found)


def _walk(document: Any) -> Iterator[tuple[str, str]]:
    """Yield what any object in the settings says of itself; recursion is bounded by the JSON reader."""
    if isinstance(document, list):
        for item in document:
            yield from _walk(item)
    if isinstance(document, dict):
        name, module = document.get("class_name"), document.get("module")
        if isinstance(name, str) and name in _CODE:
            yield "layer-is-code", name
        elif isinstance(name, str) and isinstance(module, str) and module.split(".")[0] not in _OWN:
            yield "class-from-elsewhere", shown(f"{module}.{name}")
        for value in document.values():
            yield from _walk(value)
