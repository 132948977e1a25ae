"""What a walk over a template carries along, and what it records."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from jinja2 import nodes

from sekisho.errors import LimitError
from sekisho.formats._template.values import Value, either, provided

STEPS: Final = 200_000
"""Expressions and statements looked at; the longest templates in use need about 20,000."""


@dataclass(frozen=True)
class Writing:
    """Constant text the template writes; GAP stands for values of the conversation."""

    text: str
    guards: tuple[str, ...]
    """Conditions that lead there, as far as they are understood, sorted."""
    line: int


@dataclass(frozen=True)
class Probe:
    """A constant that a value of the conversation is held against."""

    subject: str
    """`content`, `part` (an element of content), `length`, `turns` or `date`."""
    literal: str
    how: str
    """`in`, `==`, `.startswith`, `|replace`, ..."""
    line: int


@dataclass(frozen=True)
class Attribute:
    """An attribute or key that the template reads."""

    name: str
    computed: bool
    """Put together at run time instead of written down."""
    line: int


@dataclass
class Record:
    """What the walk saw, in order of appearance; dictionaries serve as ordered sets."""

    writings: dict[Writing, None] = field(default_factory=dict)
    probes: dict[Probe, None] = field(default_factory=dict)
    attributes: dict[Attribute, None] = field(default_factory=dict)
    calls: dict[tuple[str, int], None] = field(default_factory=dict)
    """(function, `.method`, `|filter`, `?test` or `%statement`, line)."""
    texts: dict[str, None] = field(default_factory=dict)
    """Constant texts after folding."""
    names: dict[str, None] = field(default_factory=dict)
    """Variables that the template uses and never set before."""
    largest_range: int = 0


@dataclass
class State:
    """Variables and conditions at the point the walk has reached."""

    record: Record = field(default_factory=Record)
    variables: dict[str, Value] = field(default_factory=dict)
    macros: dict[str, nodes.Macro | nodes.CallBlock] = field(default_factory=dict)
    guards: frozenset[str] = frozenset()
    steps: int = 0

    def count(self, steps: int = 1) -> None:
        """Stop at the bound on steps."""
        self.steps += steps
        if self.steps > STEPS:
            raise LimitError("steps to follow the template", self.steps, STEPS)

    @contextmanager
    def under(self, guards: Iterable[str]) -> Iterator[None]:
        """Add conditions for a while."""
        before = self.guards
        self.guards = before | frozenset(guards)
        yield
        self.guards = before

    @property
    def piece_guards(self) -> frozenset[str]:
        """Conditions for a text put down here; outside the message loop it is put down once."""
        return self.guards if "in-loop" in self.guards else self.guards | {"once"}

    def look_up(self, name: str) -> Value:
        """Return a variable, or what the caller may provide under that name."""
        if name not in self.variables:
            self.record.names[name] = None
            return provided(name)
        return self.variables[name]


def merged(ends: list[dict[str, Value]]) -> dict[str, Value]:
    """Variables after several branches."""
    result: dict[str, Value] = {}
    for name in dict.fromkeys(n for end in ends for n in end):
        values = [end[name] if name in end else provided(name) for end in ends]
        joined = values[0]
        for value in values[1:]:
            joined = either(joined, value)
        result[name] = joined
    return result
