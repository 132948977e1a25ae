"""The YAML at the head of a model card, bounded before a parser sees it: nesting costs PyYAML quadratic time."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from sekisho.limits import Limits

_FENCE: Final = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_ANCHOR: Final = re.compile(r"(?:^|[\s\[{,:?-])&", re.MULTILINE)
_DEEP: Final = re.compile(r"(?:[-?][ \t]+){8}")
"""Lists in lists in one line."""
_DEPTH: Final = 16
"""Nested brackets, and levels of indentation; evaluation results in cards have about seven."""


def read(path: Path, limits: Limits) -> dict[str, Any]:
    """Return the front matter; empty where there is none, or none that can be read within bounds."""
    try:
        with path.open("rb") as file:
            match = _FENCE.match(file.read(limits.card_head_bytes).decode("utf-8", "replace"))
        if match is None or not _shallow(match[1]):
            return {}
        loaded = yaml.safe_load(match[1])
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _shallow(text: str) -> bool:
    """No anchors (they unfold to gigabytes), and no nesting that no card has."""
    if _ANCHOR.search(text) or _DEEP.search(text):
        return False
    depth = most = 0
    for mark in re.findall(r"[\[{\]}]", text):
        depth = depth + 1 if mark in "[{" else max(0, depth - 1)
        most = max(most, depth)
    indents = {len(line) - len(line.lstrip(" ")) for line in text.splitlines()}
    return most <= _DEPTH and len(indents) <= _DEPTH
