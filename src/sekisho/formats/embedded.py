"""Text that settings and headers of weights carry along: where it stands, and what in it no header needs."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.records import FileFact

_DEPTH: Final = 12
_STRINGS: Final = 20_000
_CHARS: Final = 100_000
"""Of one text looked at at once."""
_OVERLAP: Final = 1_000
"""More than any pattern here reaches over."""
_SCRIPT: Final = re.compile(
    r"<\s{0,4}(?:script|iframe|object|embed|svg|img|link|meta|form)\b[^>]{0,400}(?:>|$)|javascript:|\bon(?:error|load|click)\s{0,4}=",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    r"__import__|\b(?:eval|exec|compile)\s{0,2}\(|\bos\.(?:system|popen|exec\w{0,3})\b|\bsubprocess\b|\bimport\s+(?:os|sys|socket|ctypes)\b"
    r"|\b(?:curl|wget)\s[^\n]{0,200}\|\s{0,4}(?:ba)?sh\b|\bpowershell\b|\$\(|#!/|\bpickle\.loads\b|\bbase64\.b64decode\b",
    re.IGNORECASE,
)
_PACKED: Final = re.compile(r"[A-Za-z0-9+/]{400,}={0,2}")
_UNSEEN: Final = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f\x00-\x08\x0e-\x1f]"
)
_KINDS: Final = (("script", _SCRIPT), ("code", _CODE), ("packed-data", _PACKED), ("invisible", _UNSEEN))
_TEMPLATES: Final = "tokenizer."
"""GGUF keys whose texts other checks read."""
_LONG: Final = (".index.json", "vocab.json", "tokenizer.json")


def header(file: FileFact) -> Iterator[tuple[str, str]]:
    """(key, text) of everything that a header of weights says in words."""
    if isinstance(file.facts, SafetensorsFacts):
        for key, text in file.facts.metadata:
            yield from ((key, part) for part in _parts(text))
            if key[_CHARS:] or _odd(key):
                yield from ((key[:80], part) for part in _parts(key))
    elif isinstance(file.facts, GgufFacts):
        for key, value in file.facts.metadata:
            texts = value if isinstance(value, tuple) else (value,)
            if not key.startswith(_TEMPLATES):
                yield from ((key, part) for text in texts if isinstance(text, str) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """All of a text, in pieces that overlap by what a pattern may reach over."""
    step = _CHARS - _OVERLAP
    yield from (text[at : at + _CHARS] for at in range(0, max(1, len(text) - _OVERLAP), step))


def _odd(text: str) -> bool:
    return any(pattern.search(text) for _, pattern in _KINDS)


def oddities(text: str) -> Iterator[tuple[str, str]]:
    """(kind, passage) of what no header needs: markup that runs, code, packed data, characters that are not seen."""
    for kind, pattern in _KINDS:
        if match := pattern.search(text):
            yield kind, match[0][:60]


def settings(file: FileFact) -> str:
    """Keys and texts of a settings file as lines `"key": "text"`, for what looks through text."""
    if not isinstance(file.facts, JsonFacts) or file.path.lower().endswith(_LONG):
        return ""
    lines: list[str] = []
    _walk("", file.facts.document, 0, lines)
    return "\n".join(lines)


def _walk(key: str, value: Any, depth: int, lines: list[str]) -> None:
    if depth > _DEPTH or len(lines) >= _STRINGS:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            _walk(str(name)[:200], inner, depth + 1, lines)
    elif isinstance(value, list):
        for inner in value:
            _walk(key, inner, depth + 1, lines)
    elif isinstance(value, str):
        lines.append(f'"{key}": "{value[:_CHARS]}"')
