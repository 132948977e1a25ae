"""Pictures, sounds, films and PDF, known by their first bytes; of a PDF it is said what it does when it is opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sekisho.formats import pdf
from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_PDF: Final = b"%PDF-"
_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"\x00\x00\x01\x00",
    _PDF,
    b"OggS\x00\x02",
    b"fLaC\x00\x00",
    b"\x1aE\xdf\xa3",
    b"II*\x00",
    b"MM\x00*",
    b"wOF2",
)
_RIFF_KINDS: Final = (b"WEBP", b"WAVE")
_FILMS: Final = (b"isom", b"iso2", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"qt  ", b"M4A ", b"M4V ", b"avif", b"heic", b"mif1")  # fmt: skip
_BY_NAME: Final = ((b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"), (b"\xff\xf3", ".mp3"), (b"\xff\xf2", ".mp3"))
"""Beginnings that are too short to tell without the name."""


@final
@dataclass(frozen=True)
class MediaFacts(FormatFacts):
    """A picture, sound, film or PDF; only what acts when it is opened was looked for."""

    notes: tuple[tuple[str, str], ...] = ()
    """(reason, name) of what a PDF does by itself."""


def sniff(head: bytes, filename: str) -> bool:
    """Recognise pictures, sounds, films and PDF by magic number."""
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] in _RIFF_KINDS):
        return True
    if head[4:8] == b"ftyp" and head[8:12] in _FILMS:
        return True
    name = filename.lower()
    return any(head.startswith(magic) and name.endswith(suffix) for magic, suffix in _BY_NAME)


def read(path: Path, limits: Limits) -> MediaFacts:
    """Nothing inside matters to a model; a person may open it all the same."""
    with path.open("rb") as file:
        head = file.read(len(_PDF))
    return MediaFacts(pdf.notes(path, limits) if head == _PDF else ())


FORMAT: Final = Format("media", sniff, read)
