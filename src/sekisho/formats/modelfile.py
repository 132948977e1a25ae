"""Ollama Modelfiles: the instructions beside a GGUF file, its template in Go among them. Nothing is expanded.

Of a repository on a hub Ollama reads three files in place of a Modelfile: `template`, `system` and `params`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import json_config
from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import Facts, FormatFacts

INSTRUCTIONS: Final = ("FROM", "PARAMETER", "TEMPLATE", "SYSTEM", "ADAPTER", "LICENSE", "MESSAGE", "REQUIRES")
_PARTS: Final = ("template", "system", "params")
_START: Final = re.compile(rf"(?P<name>{'|'.join(INSTRUCTIONS)})(?:[ \t]+(?P<value>.*))?", re.IGNORECASE)
_QUOTES: Final = '"""'


@final
@dataclass(frozen=True)
class ModelfileFacts(FormatFacts):
    """Its instructions in order."""

    instructions: Facts = field(repr=False)
    """(instruction in upper case, value without its quotes)."""
    odd: tuple[str, ...] = ()
    """Lines that are none."""


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a Modelfile, or what Ollama reads in place of one, by its name alone."""
    name = filename.lower()
    return name == "modelfile" or name.endswith(".modelfile") or (name in _PARTS and b"\0" not in head)


def read(path: Path, limits: Limits) -> ModelfileFacts:
    """Read all instructions. Raises MalformedError or LimitError."""
    with path.open("rb") as file:
        data = file.read(limits.text_bytes + 1)
    if len(data) > limits.text_bytes:
        raise LimitError("Modelfile in bytes", path.stat().st_size, limits.text_bytes)
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise MalformedError(f"the Modelfile is not UTF-8 at byte {error.start}") from error
    if path.name.lower() in _PARTS:
        return _part(path.name.lower(), data, limits)
    return _parsed(lines)


def _part(name: str, data: bytes, limits: Limits) -> ModelfileFacts:
    """One of the files that stand for a Modelfile. Raises MalformedError where `params` is no table."""
    if name != "params":
        return ModelfileFacts(((name.upper(), data.decode("utf-8")),))
    document = json_config.parse(data, limits).document
    if not isinstance(document, dict):
        raise MalformedError("params of Ollama that are no table")
    listed = [
        (key, v) for key, value in document.items() for v in (value if isinstance(value, list) else [value])
    ]
    return ModelfileFacts(tuple(("PARAMETER", f"{key} {value}") for key, value in listed))


def _parsed(lines: list[str]) -> ModelfileFacts:
    found: list[tuple[str, str]] = []
    odd: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        match = _START.fullmatch(line)
        if match is None:
            odd.append(line)
            continue
        value = match["value"] or ""
        opened = value.find(_QUOTES)
        if opened >= 0 and _QUOTES not in value[opened + 3 :]:
            rest = [value[opened + 3 :]]
            while at < len(lines) and _QUOTES not in lines[at]:
                rest.append(lines[at])
                at += 1
            if at >= len(lines):
                raise MalformedError("a text of the Modelfile has no end")
            rest.append(lines[at].partition(_QUOTES)[0])
            value, at = value[:opened] + "\n".join(rest), at + 1
        found.append((match["name"].upper(), value.strip().strip('"')))
    return ModelfileFacts(tuple(found), tuple(odd))


FORMAT: Final = Format("modelfile", sniff, read)
