"""Values of a template's static analysis: what a variable may hold, and what the caller provides."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Constant = str | int | float | bool | tuple["Constant", ...] | None
"""A value known exactly; tuples stand for constant lists."""

UNKNOWN: Final = object()
"""Marks a value that is not a known constant."""

CONTENT_FIELDS: Final = frozenset(
    {"content", "text", "value", "reasoning_content", "reasoning", "thinking", "thoughts", "thought", "body"}
)
TOOL_FIELDS: Final = frozenset(
    {
        "tool_calls",
        "function_call",
        "tool_call_id",
        "tools",
        "functions",
        "name",
        "tool_responses",
        "documents",
    }
)
TOOL_NAMES: Final = frozenset(
    {
        "tools", "functions", "custom_tools", "builtin_tools", "available_tools", "xml_tools", "python_tools",
        "documents", "code_interpreter", "response_format", "json_schema", "tool_choice", "plugins",
    }
)  # fmt: skip
DATE_NAMES: Final = frozenset({"date_string", "current_date", "today", "current_time", "now", "date"})
FLAGS: Final = frozenset(
    {"tools", "no-tools", "system", "no-system", "generation", "loop-first", "loop-last"}
)
"""Labels whose truth value says something about the conversation."""


@dataclass(frozen=True)
class Piece:
    """A constant text inside a value, with the conditions under which it was put there."""

    text: str
    guards: frozenset[str]
    line: int


@dataclass(frozen=True)
class Value:
    """What an expression may be: where it stems from, and the constant texts in it."""

    labels: frozenset[str] = frozenset()
    pieces: frozenset[Piece] = frozenset()
    constant: object = UNKNOWN
    """A Constant where the value is known exactly."""

    @property
    def falsy(self) -> bool:
        """Known to be false, empty or none."""
        return self.constant is not UNKNOWN and not self.constant

    @property
    def texts(self) -> tuple[str, ...]:
        """Every constant text it may contain, or its exact text or number."""
        if isinstance(self.constant, bool) or self.constant is None:
            return ()
        if isinstance(self.constant, str | int | float):
            return (str(self.constant),)
        return tuple(sorted({p.text for p in self.pieces}))

    def has(self, *labels: str) -> bool:
        """Whether any of the labels applies."""
        return not self.labels.isdisjoint(labels)

    def marked(self, *labels: str) -> "Value":
        """Return the value with labels added; no longer a known constant unless nothing was added."""
        return Value(self.labels | set(labels), self.pieces, self.constant)

    def options(self) -> frozenset[str]:
        """Labels of the form `option:name`."""
        return frozenset(label for label in self.labels if label.startswith("option:"))


NOTHING: Final = Value(constant=None)


def either(a: Value, b: Value) -> Value:
    """One or the other. A flag survives only where the other side is false or carries it too."""
    if a == b:
        return a
    labels = (a.labels | b.labels) - _flags(a) - _flags(b)
    labels |= _flags(a) & _flags(b)
    labels |= _flags(a) if b.falsy else frozenset()
    labels |= _flags(b) if a.falsy else frozenset()
    return Value(labels, a.pieces | b.pieces)


def mixed(values: Iterable[Value]) -> Value:
    """All of them together, as in a list or a concatenation."""
    given = list(values)
    labels = frozenset[str]().union(*(v.labels for v in given))
    return Value(labels, frozenset[Piece]().union(*(v.pieces for v in given)))


def _flags(value: Value) -> frozenset[str]:
    return (value.labels & FLAGS) | value.options()


def provided(name: str) -> Value:
    """Return what the caller passes in under a name the template never set."""
    if name == "messages":
        return Value(frozenset({"messages"}))
    if name in TOOL_NAMES:
        return Value(frozenset({"tools"}))
    if name == "add_generation_prompt":
        return Value(frozenset({"generation"}))
    if name in DATE_NAMES:
        return Value(frozenset({"date"}))
    if name.endswith("_token"):
        return Value()
    return Value(frozenset({f"option:{name}"}))


def field_of(base: Value, key: str, guards: frozenset[str]) -> Value:
    """Read the field `key` of a message, a content part, a tool, a loop."""
    if base.has("messages", "message"):
        return _message_field(base, key, guards)
    if base.has("loop"):
        return _loop_field(key)
    if base.has("content"):
        kept = base.labels - {"type"}
        return Value(frozenset({"type"})) if key == "type" else Value(kept, base.pieces)
    return Value(base.labels - FLAGS | (base.labels & {"tools"}), base.pieces)


def _message_field(base: Value, key: str, guards: frozenset[str]) -> Value:
    first = base.labels & {"first"}
    if key in {"role", "from"}:
        return Value(frozenset({"role"}) | first)
    if key in CONTENT_FIELDS:
        system = {"system"} if first or guards & {"role=system", "first-role=system"} else set()
        return Value(frozenset({"content"}) | system)
    if key in TOOL_FIELDS:
        return Value(frozenset({"tools"}))
    return Value(frozenset({"field"}))


def _loop_field(key: str) -> Value:
    known = {"first": "loop-first", "last": "loop-last", "previtem": "message", "nextitem": "message"}
    return Value(frozenset({known.get(key, "count")}))
