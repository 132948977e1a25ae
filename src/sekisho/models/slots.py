"""Where a token is put into a prompt: at the end or the start of the user's turn, or alone in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.errors import ModelError
from sekisho.models.base import Chat, Message

END: Final = "end"
START: Final = "start"
ALONE: Final = "alone"
SLOTS: Final = (END, START, ALONE)

Render = Callable[[Chat], str]
"""A conversation as the text that the model continues."""
Encode = Callable[[str, bool], Sequence[int]]
"""(text, whether it begins the prompt) -> token ids."""


@dataclass(frozen=True)
class Split:
    """A prompt as token ids, cut where a token is to be put."""

    before: tuple[int, ...]
    after: tuple[int, ...]


def split(chat: Chat, slot: str, render: Render, encode: Encode) -> Split:
    """Cut the last user turn at a slot. Raises ModelError where the rendered text does not hold the turn."""
    if slot not in SLOTS:
        raise ModelError(f"no slot {slot!r}; there are {', '.join(SLOTS)}")
    text = render(chat)
    at, content = text.rfind(chat[-1].content), chat[-1].content
    if at < 0 or not content:
        raise ModelError("the chat template does not write the user's turn as it is")
    head = at + len(content) if slot == END else at
    tail = at if slot == START else at + len(content)
    return Split(tuple(encode(text[:head], True)), tuple(encode(text[tail:], False)))


def asked(text: str, system: str = "") -> Chat:
    """A conversation of one question."""
    turns = (Message("system", system),) if system else ()
    return (*turns, Message("user", text))
