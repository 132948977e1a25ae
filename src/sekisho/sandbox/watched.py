"""Texts that write down what a template holds them against, however the template came by it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, final

_ASKS: Final = (
    "__contains__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "find", "rfind", "index", "rindex", "count",
    "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "replace", "removeprefix", "removesuffix",
)  # fmt: skip
_YIELDS: Final = (
    "__getitem__", "__add__", "__mul__", "lower", "upper", "casefold", "title", "capitalize", "swapcase", "strip", "lstrip",
    "rstrip", "replace", "removeprefix", "removesuffix", "split", "rsplit", "splitlines", "partition", "rpartition",
)  # fmt: skip
"""Methods whose results are watched, too."""


@final
@dataclass
class Notes:
    """What was asked, in order of first asking."""

    limit: int
    texts: dict[str, None] = field(default_factory=dict)

    def add(self, value: object) -> None:
        """Write a text down, or each of a tuple of them."""
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and len(self.texts) < self.limit:
                self.texts[str.__str__(text)] = None


@final
class Watched(str):  # noqa: SLOT000 - it has notes
    """A text like any other, except that its notes are taken."""

    notes: Notes

    def __hash__(self) -> int:
        """As of the plain text."""
        return str.__hash__(self)

    def __iter__(self) -> Any:
        """Characters, watched."""
        return (watched(c, self.notes) for c in str.__iter__(self))

    def __radd__(self, other: str) -> "Watched":
        """Return another text with this one behind it, watched."""
        return watched(str.__add__(other, self), self.notes)


def watched(text: str, notes: Notes) -> Watched:
    """Return a text whose comparisons go to `notes`."""
    made = str.__new__(Watched, text)
    made.notes = notes
    return made


def _wrapped(value: Any, notes: Notes) -> Any:
    if isinstance(value, str):
        return watched(value, notes)
    if isinstance(value, list | tuple):
        return type(value)(_wrapped(v, notes) for v in value)
    return value


def _method(name: str) -> Callable[..., Any]:
    plain = getattr(str, name)
    asks, yields = name in _ASKS, name in _YIELDS

    def method(self: Watched, *args: Any, **named: Any) -> Any:
        if asks and args:
            self.notes.add(args[0])
        value = plain(self, *args, **named)
        return _wrapped(value, self.notes) if yields else value

    return method


for _name in dict.fromkeys((*_ASKS, *_YIELDS)):
    setattr(Watched, _name, _method(_name))
