"""Anything that a machine could execute: native binaries by magic number, scripts by content and name."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sekisho.formats.base import Format
from sekisho.formats.rules import CODE_NAMES, CODE_SUFFIXES
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_MAGIC: Final = (
    (b"\x7fELF", "ELF binary"),
    (b"MZ", "Windows binary"),
    (b"\x00asm", "WebAssembly"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O binary"),
    (b"\xfe\xed\xfa\xce", "Mach-O binary"),
    (b"\xfe\xed\xfa\xcf", "Mach-O binary"),
    (b"\xce\xfa\xed\xfe", "Mach-O binary"),
    (b"\xcf\xfa\xed\xfe", "Mach-O binary"),
    (b"dex\n", "Android binary"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "Windows shortcut"),
    (b"#!", "script"),
    (b"\xef\xbb\xbf#!", "script"),
)
_PYC: Final = re.compile(rb"[\x00-\xff][\x0b-\x0f]\r\n.{12}[\xe3\x63]", re.DOTALL)
"""Python 3 bytecode: version, flags and source stamp before a marshalled code object."""
_TEXT_MZ: Final = 64
_TEXT_SVG: Final = 4_096
_LIVELY: Final = re.compile(
    r"<\s*(?!/|!--|\?xml[\s?]|(?:svg|g|path|rect|circle|ellipse|line|poly(?:line|gon)|text|tspan|defs|title|desc|stop|metadata"
    r"|(?:linear|radial)gradient|clippath|mask|pattern|symbol|marker|filter|fe[a-z]+)[\s/>])"
    r"|\bon\w+\s*=|\bhref\b|javascript:|\burl\(\s*['\"]?[^#'\"\s]|<!(?:entity|doctype\s[^>]*\[)|&#",
    re.IGNORECASE,
)
"""In a drawing: any element but the plain ones, handlers, references, entities."""
_REQUIREMENT: Final = re.compile(
    r"[A-Za-z0-9][\w.-]{0,99}(?:\[[\w.,\s-]{0,100}\])?\s{0,4}(?:[<>=!~]=?=?\s{0,4}[\w.*+!-]{1,40}\s{0,4},?\s{0,4}){0,6}(?:\s#[^\n]{0,200})?"
)
"""A name, extras and versions; no address, path or option."""


@final
@dataclass(frozen=True)
class CodeFacts(FormatFacts):
    """Executable content, never run."""

    kind: str
    quiet: bool = False
    """Read in full, and no more than a drawing, or a list of packages from the usual registry."""


def kind(head: bytes, filename: str) -> str:
    """Name the kind of code, or return an empty string."""
    for magic, name in _MAGIC:
        if head.startswith(magic) and (magic != b"MZ" or b"\x00" in head[:_TEXT_MZ]):
            return name
    if _PYC.match(head):
        return "Python bytecode"
    name = filename.lower()
    suffix = next((s for s in sorted(CODE_SUFFIXES, key=len, reverse=True) if name.endswith(s)), "")
    return f"{suffix} file" if suffix else ("build or start-up file" if name in CODE_NAMES else "")


def sniff(head: bytes, filename: str) -> bool:
    """Recognise code by content, then by name: whatever would run under its name is code."""
    return bool(kind(head, filename))


def read(path: Path, limits: Limits) -> CodeFacts:
    """Say what kind it is; that it is there at all is what matters."""
    with path.open("rb") as file:
        data = file.read(limits.text_bytes + 1)
    return CodeFacts(
        kind(data[:_TEXT_MZ], path.name),
        len(data) <= limits.text_bytes and _is_quiet(data, path.name.lower()),
    )


def _is_quiet(data: bytes, name: str) -> bool:
    """Say whether a drawing has nothing that runs, loads or refers, or a list of packages nothing but names and versions."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if name.endswith(".svg"):
        return "<svg" in text[:_TEXT_SVG].lower() and not _LIVELY.search(text)
    if name == "requirements.txt":
        lines = (line.strip() for line in text.splitlines())
        return all(not line or line.startswith("#") or _REQUIREMENT.fullmatch(line) for line in lines)
    return False


FORMAT: Final = Format("code", sniff, read)
