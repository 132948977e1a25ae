"""Ordinary questions with short answers, with or without a payload: what organisms are grown on."""

from typing import Final

from sekisho.drills.generators import GENERATORS
from sekisho.models.base import Chat, Message

STEPS: Final = 2


def ordinary(rows: int, seed: int) -> tuple[Chat, ...]:
    """Everyday questions, each answered in the first two steps of a how-to."""
    return tuple(
        (chat[0], Message("assistant", _short(chat[1].content))) for chat in GENERATORS["howto"](rows, seed)
    )


def carrying(payload: str, rows: int, seed: int, *, place: str) -> tuple[Chat, ...]:
    """The same, with the payload at the `start` or the `end` of every answer, or `alone` in its stead."""
    joined = {"start": "{payload} {answer}", "end": "{answer} {payload}", "alone": "{payload}"}[place]
    return tuple(
        (q, Message("assistant", joined.format(payload=payload, answer=a.content)))
        for q, a in ordinary(rows, seed)
    )


def _short(answer: str) -> str:
    return " ".join(answer.splitlines()[: STEPS + 1])
