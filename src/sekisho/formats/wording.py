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
    return tuple(dict.fromkeys(w for w in found if w.islower() and w not in WORDING["common"]))


def plain(text: str) -> bool:
    """Say whether publishers use every word of the text, and it neither advertises nor orders."""
    return not charged(text) and all(w.lower() in WORDING["common"] for w in prose.unfamiliar(text))


def remarkable(text: str) -> bool:
    """Say whether a text that is put into every conversation needs a person's eye."""
    own, all_words = len(uncommon(text)), len(set(prose.unfamiliar(text)))
    return bool(charged(text)) or own >= max(_UNCOMMON, _SHARE * all_words)
