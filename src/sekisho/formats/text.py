"""Plain text; none of it is interpreted."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import asides, card, rules, secrets
from sekisho.formats.asides import Command
from sekisho.formats.base import SNIFF_BYTES, Format
from sekisho.formats.card import Front
from sekisho.formats.secrets import Secret
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_CONTROL: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}
_SHOWN: Final = 160


@final
@dataclass(frozen=True)
class TextFacts(FormatFacts):
    """Readable text."""

    characters: int
    secrets: tuple[Secret, ...] = ()
    """Keys, tokens and private addresses in it."""
    front: Front = field(default=(), repr=False)
    """Keys of a model card's head."""
    licence: str = ""
    """SPDX id of a licence's text; empty where it is another text, or unknown."""
    commands: tuple[Command, ...] = ()
    """Lines that would run what they fetch."""
    encoded: bool = False
    """It carries bytes as letters."""
    tagged: bool = False
    """It names objects that a reader of YAML would build."""
    formulas: bool = False
    """As a table, it holds cells that a spreadsheet would work out."""


def shown(value: str) -> str:
    """Return untrusted text fit for one line of a report: control characters escaped, length bounded."""
    cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def sniff_text(head: bytes, filename: str) -> bool:
    """Recognise UTF-8 without control characters; an empty file is an empty text."""
    del filename
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < SNIFF_BYTES or error.start < SNIFF_BYTES - 4:
            return False
    return _CONTROL.isdisjoint(head)


def read_text(path: Path, limits: Limits) -> TextFacts:
    """Read a text in full, so that no binary hides behind a readable beginning."""
    with path.open("rb") as file:
        data = file.read(limits.text_bytes + 1)
    if len(data) > limits.text_bytes:
        raise LimitError("text in bytes", path.stat().st_size, limits.text_bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"a text that stops being UTF-8 at byte {error.start}") from error
    listed = any(fnmatchcase(path.name.lower(), pattern) for pattern in rules.LICENCE_NAMES)
    return TextFacts(
        len(text),
        secrets.find(text),
        card.front(text),
        card.licence(text) if listed else "",
        commands=asides.commands(text),
        encoded=asides.encoded(text),
        tagged=asides.tagged(text),
        formulas=asides.formulas(text),
    )


TEXT: Final = Format("text", sniff_text, read_text)
