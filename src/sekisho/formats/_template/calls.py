"""Filters, functions, methods and macros of a template."""

from collections.abc import Callable
from typing import Final

from jinja2 import nodes

from sekisho.formats._template import fold
from sekisho.formats._template.guards import truth
from sekisho.formats._template.notes import Notes
from sekisho.formats._template.values import NOTHING, UNKNOWN, Value, either, field_of, mixed

_RECURSION: Final = 2
"""A macro is followed into itself this often; deeper calls count as text made of their arguments."""
_BY_ATTRIBUTE: Final = frozenset(
    {"selectattr", "rejectattr", "map", "groupby", "sort", "unique", "sum", "min", "max"}
)
_BY_TEST: Final = frozenset({"select", "reject", "selectattr", "rejectattr"})
_KEEPS_MESSAGES: Final = _BY_ATTRIBUTE | {
    "list",
    "reverse",
    "batch",
    "slice",
    "default",
    "d",
    "select",
    "reject",
}
_NO_PROBE: Final = frozenset({"join", "format", "tojson", "indent", "default", "d", "map", "batch", "slice"})
_CHANGES: Final = frozenset({"append", "extend", "insert", "update", "add", "setdefault"})

Evaluate = Callable[[nodes.Node], Value]
Capture = Callable[[list[nodes.Node]], Value]
"""Evaluates a block of statements to the text it would write."""


class Calls:
    """Evaluates filters and calls."""

    def __init__(self, notes: Notes, evaluate: Evaluate, capture: Capture) -> None:
        self._notes = notes
        self._evaluate = evaluate
        self._capture = capture
        self._active: list[int] = []

    def filter(self, node: nodes.Filter) -> Value:
        """Apply a filter to the expression before it."""
        base = self._evaluate(node.node) if node.node is not None else Value()
        return self.filtered(node, base)

    def filtered(self, node: nodes.Filter, base: Value) -> Value:
        """Apply a filter to a value."""
        name = node.name
        self._notes.call("|" + name, node.lineno)
        if name in {"default", "d"}:
            return self._default(node, base)
        args = tuple(self._evaluate(a) for a in node.args)
        keywords = {str(k.key): self._evaluate(k.value) for k in node.kwargs}
        known = fold.filtered(name, base, args)
        if known is not UNKNOWN:
            return self._notes.constant(known, node.lineno, base.labels)
        if name == "attr":
            return self._by_attr(base, args, node)
        if name in {"length", "count", "wordcount"}:
            return _size(base)
        if name in _BY_ATTRIBUTE or name in _BY_TEST:
            return self._selected(name, base, args, keywords, node.lineno)
        return self._rewritten(name, base, (*args, *keywords.values()), node.lineno)

    def _default(self, node: nodes.Filter, base: Value) -> Value:
        with self._notes.state.under(truth(base, holds=False)):
            others = [self._evaluate(a) for a in node.args[:1]]
        return either(base, others[0]) if others else base

    def _by_attr(self, base: Value, args: tuple[Value, ...], node: nodes.Filter) -> Value:
        names = args[0].texts if args else ()
        written = bool(node.args) and isinstance(node.args[0], nodes.Const)
        known = bool(args) and isinstance(args[0].constant, str)
        for name in names if known else (*names, "?"):
            self._notes.attribute(name, node.lineno, computed=not written)
        return (
            field_of(base, names[0], self._notes.state.guards)
            if len(names) == 1
            else Value(base.labels | {"content"})
        )

    def _selected(
        self, name: str, base: Value, args: tuple[Value, ...], keywords: dict[str, Value], line: int
    ) -> Value:
        attribute = keywords.get("attribute") or (
            args[0] if args and name in {"selectattr", "rejectattr", "groupby"} else None
        )
        result, subject = base, base
        if attribute is not None:
            for text in attribute.texts:
                self._notes.attribute(text, line, computed=False)
            path = attribute.texts[0] if len(attribute.texts) == 1 else "content"
            subject = base
            for step in path.split("."):
                subject = field_of(subject, step, self._notes.state.guards)
            result = subject if name in {"map", "sum"} else base
        rest = args[2 if name in {"selectattr", "rejectattr"} else 1 :] if name in _BY_TEST else ()
        for argument in rest:
            self._notes.probe(subject, argument, "|" + name, line)
        if subject.has("role") and any("system" in a.texts for a in rest) and name == "selectattr":
            result = result.marked("system")
        return Value(result.labels, mixed((result, *args)).pieces if name == "map" else result.pieces)

    def _rewritten(self, name: str, base: Value, args: tuple[Value, ...], line: int) -> Value:
        if name not in _NO_PROBE:
            for argument in args:
                self._notes.probe(base, argument, "|" + name, line)
        both = mixed((base, *args))
        labels = both.labels
        if base.has("messages", "message") and name in {"first", "last", "random"}:
            labels = labels - {"messages"} | {"message"} | ({"first"} if name == "first" else set())
        elif base.has("messages", "message") and name not in _KEEPS_MESSAGES:
            labels = labels - {"messages", "message"} | {"content"}
        return Value(labels, both.pieces)

    def call(self, node: nodes.Call) -> Value:
        """Call a function, a method or a macro."""
        if isinstance(node.node, nodes.Getattr):
            return self._method(node, node.node)
        args = [self._evaluate(a) for a in node.args]
        keywords = {str(k.key): self._evaluate(k.value) for k in node.kwargs}
        name = node.node.name if isinstance(node.node, nodes.Name) else "(expression)"
        if not isinstance(node.node, nodes.Name):
            self._evaluate(node.node)
        if name in self._notes.state.macros:
            return self._macro(self._notes.state.macros[name], args, keywords)
        self._notes.call(name, node.lineno)
        for key in keywords:
            self._notes.state.record.texts[key] = None
        if name == "raise_exception":
            return NOTHING
        if name == "strftime_now":
            return Value(frozenset({"date"}))
        if name == "range":
            return self._range(args)
        both = mixed(
            (
                *args,
                *keywords.values(),
                *(self._notes.constant(k, node.lineno) for k in keywords if name == "dict"),
            )
        )
        return Value(both.labels - {"system", "no-system"}, both.pieces)

    def _range(self, args: list[Value]) -> Value:
        self._notes.repeated(*args)
        return Value(mixed(args).labels | {"range"})

    def _method(self, node: nodes.Call, target: nodes.Getattr) -> Value:
        base, name = self._evaluate(target.node), target.attr
        args = tuple(self._evaluate(a) for a in node.args) + tuple(
            self._evaluate(k.value) for k in node.kwargs
        )
        self._notes.call("." + name, node.lineno)
        self._notes.attribute(name, node.lineno, computed=False)
        if name == "get" and args and isinstance(args[0].constant, str):
            found = field_of(base, args[0].constant, self._notes.state.guards)
            return either(found, args[1]) if len(args) > 1 else found
        if name == "get" and args:
            self._notes.probe(args[0], base, "index", node.lineno)
        if name in _CHANGES and isinstance(target.node, nodes.Name):
            old = self._notes.state.look_up(target.node.name)
            self._notes.state.variables[target.node.name] = mixed((Value(old.labels, old.pieces), *args))
            return NOTHING
        known = fold.filtered(name, base, args)
        if known is not UNKNOWN:
            return self._notes.constant(known, node.lineno)
        return self._on_text(name, base, args, node.lineno)

    def _on_text(self, name: str, base: Value, args: tuple[Value, ...], line: int) -> Value:
        if name not in {"join", "format"}:
            for argument in args:
                self._notes.probe(base, argument, "." + name, line)
                self._notes.probe(argument, base, "." + name, line)
        both = mixed((base, *args))
        labels = both.labels
        if base.has("messages", "message") and name in {"items", "values", "pop", "copy"}:
            labels = labels - {"message", "messages"} | {"content"}
        return Value(labels, both.pieces)

    def _macro(
        self, macro: nodes.Macro | nodes.CallBlock, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if self._active.count(id(macro)) >= _RECURSION:
            both = mixed((*args, *keywords.values()))
            return Value(both.labels | ({"content"} if both.has("messages", "message") else set()))
        kept = dict(self._notes.state.variables)
        defaults = [NOTHING] * (len(macro.args) - len(macro.defaults)) + [
            self._evaluate(d) for d in macro.defaults
        ]
        for parameter, default in zip(macro.args, defaults, strict=True):
            self._notes.state.variables[parameter.name] = keywords.get(parameter.name, default)
        for parameter, argument in zip(macro.args, args, strict=False):
            self._notes.state.variables[parameter.name] = argument
        self._active.append(id(macro))
        result = self._capture(macro.body)
        self._active.pop()
        spaces = {k: v for k, v in self._notes.state.variables.items() if "." in k}
        self._notes.state.variables = kept | spaces
        return result


def _size(base: Value) -> Value:
    if base.has("messages"):
        return Value(frozenset({"count"}) | (base.labels & {"system"}))
    if base.has("content", "message"):
        return Value(frozenset({"length"}) | (base.labels & {"system"}))
    return Value(base.labels)
