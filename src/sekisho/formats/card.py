"""What a model card's head and a licence's text say; plain keys and lists of YAML only, nothing else of it is read."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_KEY: Final = re.compile(r"([A-Za-z_][\w-]{0,60}):(?:[ \t]+(.*))?$")
_ITEM: Final = re.compile(r"[ \t]*-[ \t]+(.*)$")
_LINES: Final = 2_000
_ITEMS: Final = 200
_LICENCE_CHARS: Final = 200_000
_SPACES: Final = re.compile(r"[\s#*_>`]+")

Front = tuple[tuple[str, tuple[str, ...]], ...]
"""Top-level keys of a card's head, each with its values."""


def front(text: str) -> Front:
    """Read the head between two lines of dashes; empty where there is none."""
    lines = text.lstrip("\ufeff").split("\n", _LINES)
    if lines[0].strip() != "---":
        return ()
    found: dict[str, list[str]] = {}
    key = ""
    for line in lines[1:_LINES]:
        if line.strip() == "---":
            return tuple((k, tuple(v[:_ITEMS])) for k, v in found.items())
        if match := _KEY.match(line):
            key = match[1]
            found[key] = _values(match[2] or "")
        elif key and (match := _ITEM.match(line)):
            found[key] += [_plain(match[1])]
    return ()


def _values(text: str) -> list[str]:
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        return [_plain(part) for part in inner[1:-1].split(",") if part.strip()]
    return [_plain(inner)] if _plain(inner) else []


def _plain(text: str) -> str:
    return text.partition(" #")[0].strip().strip("'\"")


@cache
def _phrases() -> Mapping[str, tuple[str, ...]]:
    table = tomllib.loads((files("sekisho.data") / "rules" / "licences.toml").read_text(encoding="utf-8"))
    return {name: tuple(phrases) for name, phrases in table["phrases"].items()}


def licence(text: str) -> str:
    """SPDX id of a licence's text, LicenseRef-... for those without one, empty where it is unknown."""
    folded = _SPACES.sub(" ", text[:_LICENCE_CHARS].lower())
    return next((name for name, phrases in _phrases().items() if all(p in folded for p in phrases)), "")


def spdx(name: str) -> str:
    """SPDX id of what a card calls a licence, empty where it is unknown."""
    plain = name.strip().lower()
    known = {n.lower().removeprefix("licenseref-"): n for n in _phrases()}
    return known.get(plain, "")
