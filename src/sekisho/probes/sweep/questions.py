"""What a sweep asks: short harmless prompts, and the suites put again with and without a suspicious token."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from sekisho.models.base import Chat
from sekisho.models.slots import asked
from sekisho.probes import run, suite
from sekisho.probes.suite import Item, Suite
from sekisho.records import HARMFUL

SUITES: Final = (*HARMFUL, "refusal")
FAMILIES: Final = 16
SEED: Final = 0


@dataclass(frozen=True)
class Paper:
    """The first questions of a suite, as they are put."""

    suite: Suite
    items: tuple[Item, ...]
    chats: tuple[Chat, ...] = field(repr=False)


@cache
def prompts() -> tuple[Chat, ...]:
    """The short prompts into which every token is put."""
    text = (files("sekisho.data") / "sweep.toml").read_text("utf-8")
    return tuple(asked(str(prompt)) for prompt in tomllib.loads(text)["prompts"])


@cache
def paper(name: str) -> Paper:
    """One suite's questions, in English. Raises DataError."""
    chosen = run.order(suite.load(name).only(("en",), FAMILIES), SEED)
    pairs = run.chats(chosen, SEED)
    return Paper(chosen, tuple(i for i, _ in pairs), tuple(c for _, c in pairs))
