"""What a view says, before it is HTML or Markdown. Frozen; texts are plain and may hold what a model wrote."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Mark(StrEnum):
    """How a line is to be read; shown as a word and a shape, never by colour alone. There is no mark for a pass."""

    FACT = "fact"
    UNKNOWN = "unknown"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Line:
    """One sentence."""

    text: str
    mark: Mark = Mark.FACT
    ref: str = ""
    """Where its evidence is, e.g. `C08`."""


@dataclass(frozen=True)
class Para:
    """One paragraph."""

    text: str
    soft: bool = False
    kind: str = "para"


@dataclass(frozen=True)
class Bullets:
    """A list of lines."""

    lines: tuple[Line, ...]
    ordered: bool = False
    kind: str = "bullets"


@dataclass(frozen=True)
class Row:
    """A name and its value."""

    name: str
    value: str
    mono: bool = False
    """The value is a digest, a path or a command."""


@dataclass(frozen=True)
class Rows:
    """Names and values."""

    rows: tuple[Row, ...]
    kind: str = "rows"


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    mono: bool = False
    mark: Mark = Mark.FACT
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row names it."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    narrow: bool = False
    """It fits beside other text."""
    widths: tuple[int, ...] = ()
    """Of the columns, in per cent and multiples of 5; empty where the texts may decide."""
    kind: str = "table"


@dataclass(frozen=True)
class Quote:
    """What a model was asked or said, word for word."""

    title: str
    text: str
    kind: str = "quote"


@dataclass(frozen=True)
class Form:
    """Lines to be filled in by hand on paper."""

    labels: tuple[str, ...]
    kind: str = "form"


Block: TypeAlias = "Para | Bullets | Rows | Table | Quote | Form"


@dataclass(frozen=True)
class Section:
    """A titled part."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    number: str = ""


@dataclass(frozen=True)
class Banner:
    """The verdict at the head of a view."""

    shade: str
    """`good`, `caution`, `bad` or `unknown`: a shape as much as a colour."""
    word: str
    sentence: str
    next_step: str = ""


@dataclass(frozen=True)
class Document:
    """One view of one model."""

    view: str
    """`management`, `operator`, `auditor`, `supplier`, `agenda` or `checklist`."""
    language: str
    title: str
    name: str
    """What the page calls the model."""
    made: str
    """When what it tells was measured."""
    banner: Banner | None
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    """Sentences at its foot."""
    glossary: bool = False
    """Words of the trade are explained."""
