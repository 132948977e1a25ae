"""Whether a text that a template says openly is worded as publishers word theirs, or advertises, hides, overrides or sends.

It reads words, not meaning: a quiet answer says that a person may read the text as a note, not that it is harmless.
"""

import re
from collections.abc import Iterable
from typing import Final

from sekisho.formats import prose
from sekisho.formats.rules import WORDING

_UNCOMMON: Final = 3
"""Words that `wording.toml` does not have, from which a text is its own."""
_SHARE: Final = 0.12
"""Such words among all, in longer texts."""
_ENDINGS: Final = ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s", "y")
_STEM: Final = 3
"""Letters that stay of a word at least."""
_HOME: Final = re.compile(r"https://huggingface\.co/[\w./-]*")
"""Where publishers say that their weights are."""
_SENTENCE: Final = re.compile(r"[.!?。！？\n]")


def _beginning(words: Iterable[str]) -> re.Pattern[str]:
    """Match any of the words: at the beginning of a word where a script has spaces."""
    parts = (rf"(?<![a-z]){re.escape(w)}" if w.isascii() else re.escape(w) for w in sorted(words))
    return re.compile("|".join(parts), re.IGNORECASE)


_CHARGED: Final = _beginning(WORDING["charged"])
_SENDING: Final = _beginning(WORDING["sending"])
_SENT: Final = _beginning(WORDING["sent"])


def charged(text: str) -> str:
    """The first word by which the text advertises, links, hides, overrides or sends elsewhere; empty where none does."""
    text = _HOME.sub(" ", text)
    if found := _CHARGED.search(text):
        return found[0].strip()
    for sentence in _SENTENCE.split(text):
        verb = _SENDING.search(sentence)
        if (
            verb
            and _SENT.search(sentence, verb.end())
            and re.search(r"\b[Tt]o\b|に|给", sentence[verb.end() :])
        ):
            return verb[0]
    return ""


def uncommon(text: str) -> tuple[str, ...]:
    """Words of its own that publishers' texts have no use for, names aside."""
    found = prose.unfamiliar(_HOME.sub(" ", text))
    return tuple(dict.fromkeys(w for w in found if w.islower() and not _is_common(w)))


def plain(text: str) -> bool:
    """Say whether publishers use every word of the text, and it neither advertises nor orders."""
    return not charged(text) and all(_is_common(w.lower()) for w in prose.unfamiliar(text))


def _is_common(word: str) -> bool:
    """Say whether publishers use a word, or another form of it; of what is joined by hyphens, every part."""
    parts = word.replace("’", "'").removesuffix("n't").removesuffix("'s").split("-")
    return all(p in prose.FAMILIAR or len(p) == 1 or _stem(p) in _COMMON for p in parts)


def _stem(word: str) -> str:
    """The word without the endings of plurals, times and adverbs; rough, and the same for all that is compared."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            word = word.removesuffix(ending)
            break
    word = word.removesuffix("e")
    return word[:-1] if len(word) > _STEM and word[-1] == word[-2:-1] else word


def remarkable(text: str) -> bool:
    """Say whether a text that is put into every conversation needs a person's eye."""
    own, all_words = len(uncommon(text)), len(set(prose.unfamiliar(text)))
    return bool(charged(text)) or own >= max(_UNCOMMON, _SHARE * all_words)


_COMMON: Final = frozenset(map(_stem, WORDING["common"] | WORDING["closed"] | {"do", "does", "wo", "ca"}))
"""Stems of the words that publishers use; `do` and the like stand before a contracted `not`."""
