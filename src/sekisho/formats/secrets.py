"""Keys, tokens and addresses of private networks in text: formats and entropy as data, `data/rules/secrets.toml`."""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, final

_MOST: Final = 64
"""Matches of one kind looked at in one text."""
_PRIVATE: Final = re.compile(
    r"\bhttps?://(?:10\.\d{1,3}\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}"
    r"|[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){0,4}\.(?:internal|intranet|corp|lan|intra))(?![\w.-])",
    re.IGNORECASE,
)
_KEPT: Final = 4


@final
@dataclass(frozen=True)
class Secret:
    """One thing that should not have been published."""

    kind: str
    """What it is, as the rules call it; `private address` for an address."""
    line: int
    """Counted from 1."""
    shown: str
    """Its first few characters; of an address all of it."""


@final
@dataclass(frozen=True)
class _Kind:
    id: str
    pattern: re.Pattern[str]
    bits: float


@cache
def _rules() -> tuple[tuple[_Kind, ...], tuple[str, ...]]:
    table = tomllib.loads((files("sekisho.data") / "rules" / "secrets.toml").read_text(encoding="utf-8"))
    kinds = tuple(_Kind(k["id"], re.compile(k["pattern"]), float(k["bits"])) for k in table["kinds"])
    return kinds, tuple(table["examples"])


def find(text: str) -> tuple[Secret, ...]:
    """Everything in a text that has the format and the entropy of a secret, and is no example."""
    return tuple(_find(text))


def _find(text: str) -> Iterator[Secret]:
    kinds, examples = _rules()
    for kind in kinds:
        for at, match in enumerate(kind.pattern.finditer(text)):
            if at >= _MOST:
                break
            secret = match.groupdict().get("secret") or match[0]
            plain = secret.lower()
            if entropy(secret) >= kind.bits and not any(word in plain for word in examples):
                yield Secret(kind.id, _line(text, match.start()), f"{match[0][:_KEPT]}…")
    for at, match in enumerate(_PRIVATE.finditer(text)):
        if at < _MOST:
            yield Secret("private address", _line(text, match.start()), match[0][:80])


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
