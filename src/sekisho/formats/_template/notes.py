"""Writes down what expressions do: constants, probes, attributes, calls."""

from typing import Final

from sekisho.formats._template.state import Attribute, Probe, State
from sekisho.formats._template.values import Piece, Value

_TRIVIAL_NUMBERS: Final = frozenset({"0", "1", "-1", "2"})
_SUBJECTS: Final = {
    "content": "content",
    "length": "length",
    "count": "turns",
    "counter": "turns",
    "date": "date",
}


class Notes:
    """Everything an expression may record, under the conditions in force."""

    def __init__(self, state: State) -> None:
        self.state = state

    def constant(self, constant: object, line: int, labels: frozenset[str] = frozenset()) -> Value:
        """Note a constant and make it a value."""
        pieces: frozenset[Piece] = frozenset()
        if isinstance(constant, str):
            self.state.record.texts[constant] = None
            pieces = frozenset({Piece(constant, self.state.piece_guards, line)}) if constant else pieces
        return Value(labels, pieces, constant)

    def guarded(self, value: Value) -> Value:
        """Return a variable's value as it is used here: its texts come under the conditions here, too."""
        self.state.count(len(value.pieces))
        pieces = frozenset(Piece(p.text, p.guards | self.state.guards, p.line) for p in value.pieces)
        return Value(value.labels, pieces, value.constant)

    def attribute(self, name: str, line: int, *, computed: bool) -> None:
        """Note an attribute or key."""
        self.state.record.attributes[Attribute(name, computed, line)] = None

    def call(self, name: str, line: int) -> None:
        """Note a function, `.method`, `|filter` or `?test`."""
        self.state.record.calls[(name, line)] = None

    def repeated(self, *values: Value) -> None:
        """Note how often something is repeated, where that is written down."""
        numbers = [abs(v.constant) for v in values if type(v.constant) is int]
        self.state.record.largest_range = max([self.state.record.largest_range, *numbers])

    def probe(self, subject: Value, constant: Value, how: str, line: int) -> None:
        """Note that a value of the conversation is held against constants."""
        kind = next((kind for label, kind in _SUBJECTS.items() if label in subject.labels), "")
        if not kind or subject.has("type", "role", "tools"):
            return
        if kind == "content" and subject.has("part") and how in {"in", "notin"}:
            kind = "part"
        texts = constant.texts or _flattened(constant.constant)
        if kind in {"length", "turns"}:
            texts = tuple(t for t in texts if t not in _TRIVIAL_NUMBERS)
        for text in texts:
            self.state.record.probes[Probe(kind, text, how, line)] = None


def _flattened(constant: object) -> tuple[str, ...]:
    if isinstance(constant, tuple):
        return tuple(t for part in constant for t in _flattened(part))
    known = isinstance(constant, str | int | float) and not isinstance(constant, bool)
    return (str(constant),) if known else ()
