"""What another tool is, and what it said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sekisho.records import FileFact

CHECK: Final = "second-opinion"
"""Id under which findings stand; no check of our own has it."""


@dataclass(frozen=True)
class Remark:
    """One thing a tool objects to."""

    file: str
    """Relative to the model's folder; empty where the tool names none."""
    text: str
    """Its rule and words, untrusted."""


@dataclass(frozen=True)
class Answer:
    """What one call of a tool printed, understood."""

    alarms: tuple[Remark, ...] = ()
    unseen: tuple[str, ...] = ()
    """Files it says it could not look at."""


@dataclass(frozen=True)
class Call:
    """One run of a tool."""

    arguments: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True)
class Tool:
    """One scanner."""

    name: str
    script: str
    """Program to look for; empty where it is run by this Python, from the file `module` beside this one."""
    tested: str
    """Version that its answers were tested with."""
    calls: Callable[[str, Sequence[FileFact]], tuple[Call, ...]]
    """(absolute folder, files of the model) -> runs; none where it reads nothing of what is there."""
    parse: Callable[[str, int], Answer]
    """(standard output, exit status) -> answer. Raises ValueError or KeyError for what it cannot have meant."""
    module: str = ""
    package: str = ""
    """Distribution that `module` needs, whose version counts."""
    environment: tuple[tuple[str, str], ...] = ()
    """Switches telemetry off."""


@dataclass(frozen=True)
class Opinion:
    """What a tool said of a model, or why it said nothing."""

    tool: str
    version: str = ""
    """Empty where it is not there."""
    tested: str = ""
    alarms: tuple[Remark, ...] = ()
    unseen: tuple[str, ...] = ()
    problem: str = ""
    """Reason of not having looked: `absent`, `nothing-to-read`, `failed`."""
    detail: str = ""
    """Words to the problem."""
