"""What an expression of a template may be, and what it does on the way."""

from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes

from sekisho.formats._template import fold
from sekisho.formats._template.calls import Calls, Capture
from sekisho.formats._template.guards import OPPOSITE, facets, truth
from sekisho.formats._template.notes import Notes
from sekisho.formats._template.state import State
from sekisho.formats._template.values import NOTHING, UNKNOWN, Value, either, field_of, mixed

_PIECES_PER_STEP: Final = 8
"""Texts a value may gather for the price of one step."""


class Expressions:
    """Evaluates expressions against a State."""

    def __init__(self, state: State, capture: Capture) -> None:
        self._state = state
        self._notes = Notes(state)
        self._calls = Calls(self._notes, self.value, capture)
        self.filtered = self._calls.filtered
        add = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Mod, nodes.FloorDiv, nodes.Div, nodes.Pow)
        self._handlers: dict[type[nodes.Node], Callable[[Any], Value]] = {
            nodes.Const: self._const,
            nodes.TemplateData: self._data,
            nodes.Name: self._name,
            nodes.List: self._items,
            nodes.Tuple: self._items,
            nodes.Dict: self._dict,
            nodes.Concat: self._concat,
            nodes.Not: self._not,
            nodes.Neg: self._negative,
            nodes.And: self._and,
            nodes.Or: self._or,
            nodes.CondExpr: self._conditional,
            nodes.Compare: self._compare,
            nodes.Test: self._test,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._calls.filter,
            nodes.Call: self._calls.call,
            **dict.fromkeys(add, self._binary),
        }

    def value(self, node: nodes.Node) -> Value:
        """Return what the expression may be; records what it does."""
        self._state.count()
        handler = self._handlers.get(type(node))
        if handler is None:
            return mixed(self.value(child) for child in node.iter_child_nodes())
        value = handler(node)
        self._state.count(len(value.pieces) // _PIECES_PER_STEP)
        return value

    def guards(self, node: nodes.Node, *, holds: bool) -> frozenset[str]:
        """Facets certain where the condition holds, or fails."""
        return facets(node, self.value, holds=holds)

    def _const(self, node: nodes.Const) -> Value:
        return self._notes.constant(node.value, node.lineno)

    def _data(self, node: nodes.TemplateData) -> Value:
        return self._notes.constant(node.data, node.lineno)

    def _name(self, node: nodes.Name) -> Value:
        return self._notes.guarded(self._state.look_up(node.name))

    def _items(self, node: nodes.List | nodes.Tuple) -> Value:
        values = [self.value(item) for item in node.items]
        both = mixed(values)
        if values and any(v.constant is UNKNOWN for v in values):
            return both
        return Value(both.labels, both.pieces, tuple(v.constant for v in values))

    def _dict(self, node: nodes.Dict) -> Value:
        return mixed(self.value(part) for pair in node.items for part in (pair.key, pair.value))

    def _concat(self, node: nodes.Concat) -> Value:
        return self._joined(tuple(self.value(n) for n in node.nodes), node.lineno)

    def _joined(self, parts: tuple[Value, ...], line: int) -> Value:
        known = fold.concatenated(parts)
        both = mixed(parts)
        labels = both.labels | ({"content"} if both.has("messages", "message") else set())
        return Value(labels, both.pieces) if known is UNKNOWN else self._notes.constant(known, line, labels)

    def _binary(self, node: nodes.BinExpr) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        known = fold.arithmetic(node.operator, left, right)
        if known is not UNKNOWN:
            return self._notes.constant(known, node.lineno)
        if node.operator in {"*", "**"}:
            self._notes.repeated(left, right)
        if node.operator in {"%", "//", "**", "-", "*"}:
            self._notes.probe(left, right, node.operator, node.lineno)
        both = mixed((left, right))
        return Value(both.labels, both.pieces)

    def _not(self, node: nodes.Not) -> Value:
        value = self.value(node.node)
        return Value(frozenset(OPPOSITE.get(label, label) for label in value.labels))

    def _negative(self, node: nodes.Neg) -> Value:
        value = self.value(node.node)
        known = -value.constant if type(value.constant) is int else UNKNOWN
        return Value(value.labels, value.pieces, known)

    def _and(self, node: nodes.And) -> Value:
        left = self.value(node.left)
        with self._state.under(truth(left, holds=True)):
            right = self.value(node.right)
        return mixed((Value(left.labels), right))

    def _or(self, node: nodes.Or) -> Value:
        left = self.value(node.left)
        with self._state.under(truth(left, holds=False)):
            right = self.value(node.right)
        return either(left, right)

    def _conditional(self, node: nodes.CondExpr) -> Value:
        self.value(node.test)
        with self._state.under(self.guards(node.test, holds=True)):
            yes = self.value(node.expr1)
        with self._state.under(self.guards(node.test, holds=False)):
            no = self.value(node.expr2) if node.expr2 is not None else NOTHING
        return either(yes, no)

    def _compare(self, node: nodes.Compare) -> Value:
        left = self.value(node.expr)
        labels: frozenset[str] = left.labels & {"date"}
        for operand in node.ops:
            right = self.value(operand.expr)
            self._notes.probe(left, right, operand.op, node.lineno)
            self._notes.probe(right, left, operand.op, node.lineno)
            labels |= right.labels & {"date"}
            left = right
        kept = {"tools", "no-tools", "system", "no-system", "loop-first", "loop-last"}
        return Value(labels | (self.guards(node, holds=True) & kept if len(node.ops) == 1 else frozenset()))

    def _test(self, node: nodes.Test) -> Value:
        value = self.value(node.node)
        self._notes.call("?" + node.name, node.lineno)
        for argument in node.args:
            self._notes.probe(value, self.value(argument), f"is {node.name}", node.lineno)
        return Value(facets(node, self.value, holds=True) & {"tools", "no-tools", "system", "no-system"})

    def _getattr(self, node: nodes.Getattr) -> Value:
        self._notes.attribute(node.attr, node.lineno, computed=False)
        if isinstance(node.node, nodes.Name) and f"{node.node.name}.{node.attr}" in self._state.variables:
            return self._notes.guarded(self._state.variables[f"{node.node.name}.{node.attr}"])
        return field_of(self.value(node.node), node.attr, self._state.guards)

    def _getitem(self, node: nodes.Getitem) -> Value:
        base = self.value(node.node)
        if isinstance(node.arg, nodes.Slice):
            return self._slice(base, node.arg)
        key = self.value(node.arg)
        written = isinstance(node.arg, nodes.Const)
        if isinstance(key.constant, str):
            self._notes.attribute(key.constant, node.lineno, computed=not written)
            return field_of(base, key.constant, self._state.guards)
        self._notes.probe(key, base, "index", node.lineno)
        for piece in key.pieces:
            self._notes.attribute(piece.text, node.lineno, computed=True)
        return self._item(base, key)

    def _item(self, base: Value, key: Value) -> Value:
        if (
            isinstance(base.constant, str | tuple)
            and type(key.constant) is int
            and abs(key.constant) < len(base.constant)
        ):
            chosen = base.constant[key.constant]
            return self._notes.constant(chosen, 0) if isinstance(chosen, str) else Value(constant=chosen)
        if base.has("messages"):
            return Value(frozenset({"message"} | ({"first"} if key.constant == 0 else set())))
        if base.has("message"):
            return Value(frozenset({"content"}))
        extra = {"part"} if base.has("content") and type(key.constant) is int else set()
        return Value(base.labels | extra, base.pieces)

    def _slice(self, base: Value, node: nodes.Slice) -> Value:
        bounds = [None if n is None else self.value(n).constant for n in (node.start, node.stop, node.step)]
        known = fold.sliced(base, *bounds)
        return (
            Value(base.labels, base.pieces) if known is UNKNOWN else self._notes.constant(known, node.lineno)
        )
