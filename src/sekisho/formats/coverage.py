"""Which reader looked at how many bytes of each file: numbers, content, places only, the digest only, or nobody at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final

from sekisho.formats.gguf import GgufFacts
from sekisho.formats.leftovers import LeftoverFacts
from sekisho.formats.npy import NpyFacts
from sekisho.formats.numeric import NumericFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import FileFact

PARSED: Final = frozenset(
    {
        "json",
        "text",
        "tokenizer",
        "chat-template",
        "modelfile",
        "code",
        "pickle",
        "sentencepiece",
        "template",
        "tekken",
    }
)
"""Formats whose readers take in the whole file; one that is not named here counts as looked at by nobody."""
PICTURES: Final = "media"
FRAMED: Final = ("tfevents", "imatrix")
"""Records whose parts were counted, and what they say left alone."""


@final
@dataclass(frozen=True)
class Seen:
    """Bytes of one file; they add up to its size."""

    path: str
    size: int
    numbers: int = 0
    """Tensors whose numbers were looked at."""
    parsed: int = 0
    """Read and understood: headers, settings, text, code, opcodes."""
    located: int = 0
    """Named and bounded by a header, content not looked at: packed weights, tensors inside archives."""
    hashed: int = 0
    """Looked at by nobody, in the digest only."""
    unread: int = 0
    """Not even in a digest."""

    @property
    def nobody(self) -> int:
        """Bytes that no reader looked at."""
        return self.hashed + self.unread


def ledger(files: Iterable[FileFact]) -> tuple[Seen, ...]:
    """One line for each file."""
    return tuple(seen(file) for file in files)


def total(lines: Iterable[Seen]) -> Seen:
    """Sum of lines."""
    listed = tuple(lines)
    names = ("size", "numbers", "parsed", "located", "hashed", "unread")
    return Seen("", **{name: sum(getattr(line, name) for line in listed) for name in names})


def seen(file: FileFact) -> Seen:
    """Account for one file."""
    match file.facts:
        case SafetensorsFacts() | GgufFacts() as facts:
            data = sum(t.end - t.start for t in facts.tensors)
            numeric = file.numeric if isinstance(file.numeric, NumericFacts) else NumericFacts()
            return _line(file, numbers=numeric.looked, located=data - numeric.looked, parsed=file.size - data)
        case ZipFacts() as facts:
            inner = sum(e.size for e in facts.entries if e.facts is not None)
            closed = sum(e.size for e in facts.entries if e.problem)
            parsed = min(file.size, inner)
            closed = min(file.size - parsed, closed)
            return _line(file, parsed=parsed, located=file.size - parsed - closed)
        case NpyFacts():
            return _line(file, located=file.size)
        case LeftoverFacts():
            return _line(file, located=file.size)
        case None:
            return _line(file)
        case _:
            return _line(file, parsed=file.size if file.format in PARSED else 0)


def _line(file: FileFact, *, numbers: int = 0, parsed: int = 0, located: int = 0) -> Seen:
    """What is left is in the digest only, or in nothing where there is none."""
    if not file.sha256:
        located = 0
    rest = max(0, file.size - numbers - parsed - located)
    hashed, unread = (rest, 0) if file.sha256 else (0, rest)
    return Seen(file.path, file.size, numbers, parsed, located, hashed, unread)
