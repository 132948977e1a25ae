"""The guide to a first decision, read as a program: what a reader presses, chooses and types, in the order it is told."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"ja": DOCS / "first-decision.ja.md", "en": DOCS / "first-decision.md"}
_STEP = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_PARTS = {
    "ja": re.compile(r"「([^」]+)」(?:(?:は|に) `([^`]+)`)?"),
    "en": re.compile(r"“([^”]+)”(?: is `([^`]+)`)?"),
}
_COMMAND = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Act:
    """One thing a reader does."""

    step: int
    label: str
    """As the screen shows it."""
    value: str = ""
    """What is typed or chosen there; empty where it is pressed."""


def commands(language):
    """What is typed at the terminal."""
    return _COMMAND.findall(FILES[language].read_text("utf-8"))


def acts(language):
    """Every act of every numbered step."""
    steps = _STEP.findall(FILES[language].read_text("utf-8"))
    return [Act(int(n), label, value) for n, told in steps for label, value in _PARTS[language].findall(told)]
