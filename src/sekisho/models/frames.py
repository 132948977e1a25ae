"""Which chat template a model speaks through: its own, another model's, or its own with nothing in it to react to.

`""` is its own, a path is that of the model folder or GGUF file whose template is taken. FRAME is what its own writes
around made-up turns, with the real ones put in afterwards: no condition on what is said decides. What holds for made-up
turns, too (their length, a word that is absent), and what is written always stays.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sekisho.errors import ModelError
from sekisho.models.base import Chat

FRAME: Final = "frame"
_MARK: Final = "Turn of words no. {n} stands here."


def framed(chat: Chat, write: Callable[[Chat], str]) -> str:
    """A conversation between the marks of its own template. Raises ModelError where the last turn is not written."""
    marks = [_MARK.format(n=n) for n in range(101, 101 + len(chat))]
    text = write(tuple(replace(m, content=mark) for m, mark in zip(chat, marks, strict=True)))
    if marks[-1] not in text:
        raise ModelError("the chat template does not write the user's turn as it is")
    for turn, mark in zip(chat, marks, strict=True):
        text = text.replace(mark, turn.content)
    return text
