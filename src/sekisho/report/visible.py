"""Untrusted text made safe to look at: what could mislead the eye is written out, and length is bounded."""

import re
from typing import Final

MOST: Final = 4_000
"""Characters of any one text in a report."""

_MISLEADING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ue000-\uf8ff"
    "\U000f0000-\U0010ffff]"
)
"""Control, bidirectional, invisible, tag, private-use and surrogate code points."""
_STACKED: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_BREAKS: Final = re.compile("[ \t\n\r\f\v]+")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f]{2,}")
"""One selects a glyph; several in a row carry hidden bytes."""


def visible(text: str, limit: int = MOST, cut: str = "…") -> str:
    """Write out misleading characters as ⟨U+…⟩ and cut to `limit` characters, saying so with `cut`.

    `{n}` in `cut` becomes the number of characters left out. Newlines and tabs stay.
    """
    rest = len(text) - limit
    shown = text[:limit].replace("\r\n", "\n")
    shown = _MISLEADING.sub(_code, shown)
    shown = _SELECTORS.sub(lambda m: "".join(f"⟨U+{ord(c):04X}⟩" for c in m[0]), shown)
    shown = _STACKED.sub(r"\1", shown)
    return shown if rest <= 0 else shown + cut.replace("{n}", f"{rest:,}")


def one_line(text: str, limit: int = 160) -> str:
    """Do the same for a name, a path or a phrase inside a sentence: no line breaks either."""
    return visible(_BREAKS.sub(" ", text[:MOST]).strip(), limit)


def _code(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"


def in_line(text: str, limit: int = 600) -> str:
    """Do the same for a part of a sentence, keeping the space it may begin with."""
    return visible(_BREAKS.sub(" ", text[:MOST]), limit)
