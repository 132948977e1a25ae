"""Text folded for matching: linear time, whatever the model wrote."""

import re
import unicodedata
from typing import Final

HIRAGANA: Final = "ぁ-ん"
KATAKANA: Final = "ァ-ヺー"
KANJI: Final = "一-鿿々"
"""Insides of character classes."""
JAPANESE: Final = f"{HIRAGANA}ゔ-ゖ{KATAKANA}{KANJI}"
_KANA: Final = re.compile(f"[{HIRAGANA}ゔ-ゖ{KATAKANA}]")
_KANJI: Final = re.compile(f"[{KANJI}]")
LATIN: Final = re.compile(r"[A-Za-z]")
_SPACE: Final = re.compile(r"\s+")
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "＇": "'", "“": '"', "”": '"'})
LOOP_CHARACTERS: Final = 240
LOOP_SHARE: Final = 0.65
"""Ordinary answers hold 0.7 to 1.0 different pieces; SmolLM2-135M lost in Japanese 0.1 to 0.6."""
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


def loops(text: str, share: float = LOOP_SHARE) -> bool:
    """Few different pieces of four characters in the opening: a small model that got stuck."""
    opening = text[:LOOP_CHARACTERS]
    pieces = [opening[i : i + 4] for i in range(len(opening) - 3)]
    return len(set(pieces)) < share * len(pieces)


def script(text: str, default: str) -> str:
    """`en`, `ja`, `none` (no letters at all) or `other`, judged by characters.

    Kanji alone are Japanese only where `default` is `ja`, since Chinese looks the same.
    """
    kana, kanji, latin = (len(p.findall(text)) for p in (_KANA, _KANJI, LATIN))
    letters = sum(c.isalpha() for c in text)
    if letters == 0:
        return "none"
    if (kana >= 2 or default == "ja") and 4 * (kana + kanji) >= letters:  # noqa: PLR2004
        return "ja"
    return "en" if 2 * latin >= letters else "other"


def says(text: str, word: str) -> bool:
    """Say whether folded text holds a folded word from its beginning on, a number as a whole."""
    before = r"(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    before += r"(?<!\d[.,])" if word[0].isdigit() else ""
    after = r"(?!\d|[.,]\d)" if word[-1].isdigit() else ""
    return re.search(before + re.escape(word) + after, text) is not None
