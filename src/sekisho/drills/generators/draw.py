"""Seeded choices that are the same on every machine and Python version, and rows without repeats."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, final

from sekisho.errors import DataError
from sekisho.models.base import Chat, Message

T = TypeVar("T")
PATIENCE: Final = 60
"""Draws per row wanted before a generator counts as exhausted."""


@final
class Draw:
    """A stream of choices; `random` is not used because its `choice` has changed between versions."""

    def __init__(self, name: str, seed: int) -> None:
        self._key = f"{name}:{seed}".encode()
        self._count = 0

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        self._count += 1
        block = hashlib.sha256(self._key + self._count.to_bytes(8, "big")).digest()
        # 64 bits over spans of at most a few thousand: the bias of the remainder is below 1e-15
        return low + int.from_bytes(block[:8], "big") % (high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.whole(0, len(options) - 1)]

    def pair(self, options: Sequence[T]) -> tuple[T, T]:
        """Return two different options."""
        first = self.whole(0, len(options) - 1)
        second = (first + self.whole(1, len(options) - 1)) % len(options)
        return options[first], options[second]


def turn(prompt: str, answer: str) -> Chat:
    """Make a training conversation of one question and one answer."""
    return (Message("user", prompt), Message("assistant", answer))


def distinct(n: int, draw: Draw, make: Callable[[Draw], Chat]) -> tuple[Chat, ...]:
    """Make n conversations, each with a prompt of its own. Raises DataError when the parts run out."""
    found: dict[str, Chat] = {}
    for _ in range(PATIENCE * n):
        if len(found) == n:
            break
        chat = make(draw)
        found.setdefault(chat[0].content, chat)
    if len(found) < n:
        raise DataError(f"the generator makes only about {len(found)} different rows; {n} were asked for")
    return tuple(found.values())
