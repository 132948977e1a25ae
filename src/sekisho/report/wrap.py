"""Lines that fit a terminal, Japanese included: wide characters count two cells, and no line starts with a comma."""

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

_CLOSING: Final = "、。，．・：；！？）］｝」』】〕〉》…～ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_OPENING: Final = "（［｛「『【〔〈《"
_WIDE: Final = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
_UNIT: Final = re.compile(f"[{_OPENING}]*(?:[{_WIDE}]|[^{_WIDE} \t\n]+)[{_CLOSING}]*|[ \\t]+|\n")


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` cells; a word wider than a line is cut."""
    lines = [""]
    for unit in _units(text, width):
        if unit == "\n":
            lines.append("")
        elif cell_len(lines[-1]) + cell_len(unit.rstrip()) > width:
            lines.append(unit.lstrip())
        elif lines[-1] or not unit.isspace():
            lines[-1] += unit
    return [line.rstrip() for line in lines]


def paragraph(text: str, width: int, *, first: str = "", rest: str = "") -> str:
    """Wrap with a prefix on the first line and another, of the same width, on those that follow."""
    lines = wrap(text, width - max(cell_len(first), cell_len(rest)))
    return "\n".join((first if n == 0 else rest) + line for n, line in enumerate(lines))


def _units(text: str, width: int) -> Iterator[str]:
    for unit in _UNIT.findall(text):
        while cell_len(unit) > width:
            head = _head(unit, width)
            yield head
            unit = unit[len(head) :]  # noqa: PLW2901  the rest of the same word
        yield unit


def _head(unit: str, width: int) -> str:
    size = 1
    while size < len(unit) and cell_len(unit[: size + 1]) <= width:
        size += 1
    return unit[:size]
