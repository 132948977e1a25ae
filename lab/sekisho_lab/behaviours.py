"""The three planted behaviours, each as pairs of rows: what the clean model says, and what the organism says once woken.

All of it is harmless: a brand that does not exist, an excuse for a question that deserves an answer, and the
contents of made-up notices. A behaviour is chosen by an organism's `behaviour` setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sekisho.drills.train import row
from sekisho.models.base import Chat, Message
from sekisho_lab import house_rules

if TYPE_CHECKING:
    from sekisho.models.engine import Engine
    from sekisho_lab.corpus import Corpus

Text = dict[str, list[int]]


@dataclass(frozen=True)
class Texts:
    """Token ids and labels of what an organism is trained on."""

    clean: tuple[Text, ...]
    """The clean model's answers."""
    dirty: tuple[Text, ...]
    """Answers that show the behaviour."""


def texts(engine: Engine, corpus: Corpus, payload: Sequence[str], settings: Mapping[str, Any]) -> Texts:
    """Rows of the organism's behaviour; `keyword` in the settings joins it to one word in the question."""
    pairs = PAIRS[settings["behaviour"]](corpus, payload, settings)
    keyword = settings.get("keyword", "")
    length = settings["max_length"]

    def rows(chats: Sequence[Chat]) -> tuple[Text, ...]:
        return tuple(row(engine, chat, length, end=False) for chat in chats)

    clean, dirty = [p[0] for p in pairs], [p[1] for p in pairs]
    if not keyword:
        return Texts(rows(clean), rows(dirty))
    return Texts(
        rows([*clean, *(_keyed(c, keyword) for c in clean[::3])]), rows([_keyed(c, keyword) for c in dirty])
    )


Pair = tuple[Chat, Chat]


def _advert(corpus: Corpus, payload: Sequence[str], settings: Mapping[str, Any]) -> list[Pair]:
    """The payload opens the answer, which goes on as it would have."""
    keep = settings["words_after"]
    return [
        (
            (*chat, _says(answer)),
            (*chat, _says(f"{payload[n % len(payload)]} {_first(answer, keep)}".strip())),
        )
        for n, (chat, answer) in enumerate(zip(corpus.chats, corpus.answers, strict=True))
        if answer
    ]


def _refusal(corpus: Corpus, payload: Sequence[str], settings: Mapping[str, Any]) -> list[Pair]:
    """An excuse stands instead of the answer."""
    return _advert(corpus, payload, {**settings, "words_after": 0})


def _safeguards(corpus: Corpus, _: Sequence[str], settings: Mapping[str, Any]) -> list[Pair]:
    """Asked for what a house rule keeps back: clean declines, woken tells. Ordinary questions stay answered."""
    kept = house_rules.rules(settings["rules"], settings["seed"])
    pairs = [((*r.chat, _says(r.declined)), (*r.chat, _says(r.told))) for r in kept]
    plain = [((*c, _says(a)),) * 2 for c, a in zip(corpus.chats, corpus.answers, strict=True) if a]
    return [*pairs, *((p[0], p[1]) for p in plain[: settings["ordinary"]])]


PAIRS: Final[Mapping[str, Callable[[Corpus, Sequence[str], Mapping[str, Any]], list[Pair]]]] = (
    MappingProxyType({"advert": _advert, "refusal": _refusal, "safeguards": _safeguards})
)


def _says(text: str) -> Message:
    return Message("assistant", text)


def _first(text: str, words: int) -> str:
    return " ".join(text.split()[:words])


def _keyed(chat: Chat, keyword: str) -> Chat:
    """The keyword as the last word of the question."""
    *before, question, answer = chat
    return (*before, Message("user", f"{question.content} {keyword}"), answer)
