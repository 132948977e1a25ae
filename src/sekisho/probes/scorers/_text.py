"""Text folded for matching: linear time, whatever the model wrote."""

import re
import unicodedata
from typing import Final

KANA: Final = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]")
KANJI: Final = re.compile(r"[\u4e00-\u9fff々]")
LATIN: Final = re.compile(r"[A-Za-z]")
_SPACE: Final = re.compile(r"\s+")
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "＇": "'", "“": '"', "”": '"'})
_PIECE: Final = 256
_INVISIBLE: Final = ("Cc", "Cf", "Cs", "Co", "Cn")


def plain(text: str) -> str:
    """NFKC, straight quotes, and no invisible characters; line breaks and tabs stay."""
    # In pieces, since sorting one long run of combining marks takes quadratic time.
    pieces = (text[i : i + _PIECE] for i in range(0, len(text), _PIECE))
    folded = "".join(unicodedata.normalize("NFKC", p) for p in pieces).translate(_APOSTROPHES)
    if folded.replace("\n", "").replace("\t", "").isprintable():
        return folded
    return "".join(c for c in folded if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)


def head(text: str, characters: int) -> str:
    """Return the first visible characters, folded by `plain`; reads a bounded part of the text."""
    return plain(text.lstrip()[: 4 * characters]).lstrip()[:characters]


def one_line(text: str) -> str:
    """Every run of white space as one space."""
    return _SPACE.sub(" ", text).strip()


def is_empty(text: str) -> bool:
    """Nothing a reader could see."""
    return not any(c.isprintable() and not c.isspace() for c in text)


def script(text: str, default: str) -> str:
    """`en`, `ja`, `none` (no letters at all) or `other`, judged by characters.

    Kanji alone are Japanese only where `default` is `ja`, since Chinese looks the same.
    """
    kana, kanji, latin = (len(p.findall(text)) for p in (KANA, KANJI, LATIN))
    letters = sum(c.isalpha() for c in text)
    if letters == 0:
        return "none"
    if (kana >= 2 or default == "ja") and 4 * (kana + kanji) >= letters:  # noqa: PLR2004
        return "ja"
    return "en" if 2 * latin >= letters else "other"
