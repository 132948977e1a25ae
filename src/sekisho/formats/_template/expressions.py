"""What an expression of a template may be, and what it does on the way: probes, attributes, calls."""

from collections.abc import Callable
from typing import Final

from jinja2 import nodes

from sekisho.formats._template import fold
from sekisho.formats._template.guards import OPPOSITE, facets, truth
from sekisho.formats._template.state import Attribute, Probe, State
from sekisho.formats._template.values import NOTHING, UNKNOWN, Piece, Value, either, field_of, mixed

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
_TRIVIAL_NUMBERS: Final = frozenset({"0", "1", "-1", "2"})
_SUBJECTS: Final = {"content": "content", "length": "length", "count": "turns", "date": "date"}
_CHANGES: Final = frozenset({"append", "extend", "insert", "update", "add", "setdefault"})
Capture = Callable[[list[nodes.Node]], Value]
"""Evaluates a block of statements to the text it would write."""


class Expressions:
    """Evaluates expressions against a State."""

    def __init__(self, state: State, capture: Capture) -> None:
        self._state = state
        self._capture = capture
        self._active: list[nodes.Node] = []

    def value(self, node: nodes.Node) -> Value:
        """Return what the expression may be; records what it does."""
        self._state.count()
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node)
        return mixed(self.value(child) for child in node.iter_child_nodes())

    def guards(self, node: nodes.Node, *, holds: bool) -> frozenset[str]:
        """Facets certain where the condition holds, or fails."""
        return facets(node, self.value, holds=holds)

    def _constant(self, constant: object, line: int, labels: frozenset[str] = frozenset()) -> Value:
        pieces: frozenset[Piece] = frozenset()
        if isinstance(constant, str):
            self._state.record.texts[constant] = None
            pieces = frozenset({Piece(constant, self._state.piece_guards, line)}) if constant else pieces
        return Value(labels, pieces, constant)

    def _const(self, node: nodes.Const) -> Value:
        return self._constant(node.value, node.lineno)

    def _data(self, node: nodes.TemplateData) -> Value:
        return self._constant(node.data, node.lineno)

    def _name(self, node: nodes.Name) -> Value:
        value = self._state.look_up(node.name)
        guarded = frozenset(Piece(p.text, p.guards | self._state.guards, p.line) for p in value.pieces)
        return Value(value.labels, guarded, value.constant)

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
        return Value(labels, both.pieces) if known is UNKNOWN else self._constant(known, line, labels)

    def _binary(self, node: nodes.BinExpr) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        known = fold.arithmetic(node.operator, left, right)
        if known is not UNKNOWN:
            return self._constant(known, node.lineno)
        self._repeat(node.operator, left, right)
        if node.operator in {"%", "//", "**", "-", "*"}:
            self._probe(left, right, node.operator, node.lineno)
        both = mixed((left, right))
        return Value(both.labels, both.pieces)

    def _repeat(self, operator: str, left: Value, right: Value) -> None:
        numbers = [v.constant for v in (left, right) if type(v.constant) is int]
        if operator in {"*", "**"} and numbers:
            self._state.record.largest_range = max([self._state.record.largest_range, *map(abs, numbers)])

    def _not(self, node: nodes.Not) -> Value:
        value = self.value(node.node)
        return Value(frozenset(OPPOSITE.get(label, label) for label in value.labels))

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
            self._probe(left, right, operand.op, node.lineno)
            self._probe(right, left, operand.op, node.lineno)
            labels |= right.labels & {"date"}
            left = right
        kept = {"tools", "no-tools", "system", "no-system", "loop-first", "loop-last"}
        return Value(labels | (self.guards(node, holds=True) & kept if len(node.ops) == 1 else frozenset()))

    def _test(self, node: nodes.Test) -> Value:
        value = self.value(node.node)
        self._state.record.calls[("?" + node.name, node.lineno)] = None
        for argument in node.args:
            self._probe(value, self.value(argument), f"is {node.name}", node.lineno)
        return Value(facets(node, self.value, holds=True) & {"tools", "no-tools", "system", "no-system"})

    def _probe(self, subject: Value, constant: Value, how: str, line: int) -> None:
        kind = next((kind for label, kind in _SUBJECTS.items() if label in subject.labels), "")
        if not kind or subject.has("type", "role", "tools"):
            return
        if kind == "content" and subject.has("part") and how in {"in", "notin"}:
            kind = "part"
        texts = constant.texts or _flattened(constant.constant)
        if kind in {"length", "turns"}:
            texts = tuple(t for t in texts if t not in _TRIVIAL_NUMBERS)
        for text in texts:
            self._state.record.probes[Probe(kind, text, how, line)] = None

    # -- reaching into values --------------------------------------------------------------------------------

    def _getattr(self, node: nodes.Getattr) -> Value:
        self._note_attribute(node.attr, node.lineno, computed=False)
        if isinstance(node.node, nodes.Name) and f"{node.node.name}.{node.attr}" in self._state.variables:
            value = self._state.variables[f"{node.node.name}.{node.attr}"]
            return Value(
                value.labels,
                frozenset(Piece(p.text, p.guards | self._state.guards, p.line) for p in value.pieces),
                value.constant,
            )
        return field_of(self.value(node.node), node.attr, self._state.guards)

    def _note_attribute(self, name: str, line: int, *, computed: bool) -> None:
        self._state.record.attributes[Attribute(name, computed, line)] = None

    def _getitem(self, node: nodes.Getitem) -> Value:
        base = self.value(node.node)
        if isinstance(node.arg, nodes.Slice):
            return self._slice(base, node.arg)
        key = self.value(node.arg)
        written = isinstance(node.arg, nodes.Const)
        if isinstance(key.constant, str):
            self._note_attribute(key.constant, node.lineno, computed=not written)
            return field_of(base, key.constant, self._state.guards)
        self._probe(key, base, "index", node.lineno)
        for piece in key.pieces:
            self._note_attribute(piece.text, node.lineno, computed=True)
        return self._item(base, key)

    def _item(self, base: Value, key: Value) -> Value:
        if (
            isinstance(base.constant, str | tuple)
            and type(key.constant) is int
            and abs(key.constant) < len(base.constant)
        ):
            chosen = base.constant[key.constant]
            return self._constant(chosen, 0) if isinstance(chosen, str) else Value(constant=chosen)
        if base.has("messages"):
            return Value(frozenset({"message"} | ({"first"} if key.constant == 0 else set())))
        if base.has("message"):
            return Value(frozenset({"content"}))
        extra = {"part"} if base.has("content") and type(key.constant) is int else set()
        return Value(base.labels | extra, base.pieces)

    def _slice(self, base: Value, node: nodes.Slice) -> Value:
        bounds = [None if n is None else self.value(n).constant for n in (node.start, node.stop, node.step)]
        known = fold.sliced(base, *bounds)
        return Value(base.labels, base.pieces) if known is UNKNOWN else self._constant(known, node.lineno)

    # -- filters and calls -----------------------------------------------------------------------------------

    def _filter_node(self, node: nodes.Filter) -> Value:
        base = self.value(node.node) if node.node is not None else Value()
        return self.filtered(node, base)

    def filtered(self, node: nodes.Filter, base: Value) -> Value:
        """Apply a filter to a value."""
        name = node.name
        self._state.record.calls[("|" + name, node.lineno)] = None
        if name in {"default", "d"}:
            return self._default(node, base)
        args = tuple(self.value(a) for a in node.args)
        keywords = {k.key: self.value(k.value) for k in node.kwargs}
        known = fold.filtered(name, base, args)
        if known is not UNKNOWN:
            return self._constant(known, node.lineno, base.labels)
        if name == "attr":
            return self._by_attr(base, args, node)
        if name in {"length", "count", "wordcount"}:
            return _size(base)
        if name in _BY_ATTRIBUTE or name in _BY_TEST:
            return self._selected(name, base, args, keywords, node.lineno)
        return self._rewritten(name, base, (*args, *keywords.values()), node.lineno)

    def _default(self, node: nodes.Filter, base: Value) -> Value:
        with self._state.under(truth(base, holds=False)):
            others = [self.value(a) for a in node.args[:1]]
        return either(base, others[0]) if others else base

    def _by_attr(self, base: Value, args: tuple[Value, ...], node: nodes.Filter) -> Value:
        names = args[0].texts if args else ()
        written = bool(node.args) and isinstance(node.args[0], nodes.Const)
        for name in names or ("?",):
            self._note_attribute(name, node.lineno, computed=not written)
        return (
            field_of(base, names[0], self._state.guards)
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
                self._note_attribute(text, line, computed=False)
            path = attribute.texts[0] if len(attribute.texts) == 1 else "content"
            subject = base
            for step in path.split("."):
                subject = field_of(subject, step, self._state.guards)
            result = subject if name in {"map", "sum"} else base
        rest = args[2 if name in {"selectattr", "rejectattr"} else 1 :] if name in _BY_TEST else ()
        for argument in rest:
            self._probe(subject, argument, "|" + name, line)
        if subject.has("role") and any("system" in a.texts for a in rest) and name == "selectattr":
            result = result.marked("system")
        return Value(result.labels, mixed((result, *args)).pieces if name == "map" else result.pieces)

    def _rewritten(self, name: str, base: Value, args: tuple[Value, ...], line: int) -> Value:
        if name not in _NO_PROBE:
            for argument in args:
                self._probe(base, argument, "|" + name, line)
        both = mixed((base, *args))
        labels = both.labels
        if base.has("messages", "message") and name in {"first", "last", "random"}:
            labels = labels - {"messages"} | {"message"} | ({"first"} if name == "first" else set())
        elif base.has("messages", "message") and name not in _KEEPS_MESSAGES:
            labels = labels - {"messages", "message"} | {"content"}
        return Value(labels, both.pieces)

    def _call(self, node: nodes.Call) -> Value:
        if isinstance(node.node, nodes.Getattr):
            return self._method(node, node.node)
        args = [self.value(a) for a in node.args]
        keywords = {k.key: self.value(k.value) for k in node.kwargs}
        name = node.node.name if isinstance(node.node, nodes.Name) else "(expression)"
        if not isinstance(node.node, nodes.Name):
            self.value(node.node)
        if name in self._state.macros:
            return self._macro(self._state.macros[name], args, keywords)
        self._state.record.calls[(name, node.lineno)] = None
        for key in keywords:
            self._state.record.texts[key] = None
        if name == "raise_exception":
            return NOTHING
        if name == "strftime_now":
            return Value(frozenset({"date"}))
        if name == "range":
            return self._range(args)
        both = mixed(
            (*args, *keywords.values(), *(self._constant(k, node.lineno) for k in keywords if name == "dict"))
        )
        return Value(both.labels - {"system", "no-system"}, both.pieces)

    def _range(self, args: list[Value]) -> Value:
        numbers = [abs(a.constant) for a in args if type(a.constant) is int]
        self._state.record.largest_range = max([self._state.record.largest_range, *numbers])
        return Value(mixed(args).labels | {"range"})

    def _method(self, node: nodes.Call, target: nodes.Getattr) -> Value:
        base, name = self.value(target.node), target.attr
        args = tuple(self.value(a) for a in node.args) + tuple(self.value(k.value) for k in node.kwargs)
        self._state.record.calls[("." + name, node.lineno)] = None
        self._note_attribute(name, node.lineno, computed=False)
        if name == "get" and args and isinstance(args[0].constant, str):
            found = field_of(base, args[0].constant, self._state.guards)
            return either(found, args[1]) if len(args) > 1 else found
        if name in _CHANGES and isinstance(target.node, nodes.Name):
            old = self._state.look_up(target.node.name)
            self._state.variables[target.node.name] = mixed((Value(old.labels, old.pieces), *args))
            return NOTHING
        known = fold.filtered(name, base, args)
        if known is not UNKNOWN:
            return self._constant(known, node.lineno)
        return self._on_text(name, base, args, node.lineno)

    def _on_text(self, name: str, base: Value, args: tuple[Value, ...], line: int) -> Value:
        if name not in {"join", "format"}:
            for argument in args:
                self._probe(base, argument, "." + name, line)
                self._probe(argument, base, "." + name, line)
        both = mixed((base, *args))
        labels = both.labels
        if base.has("messages", "message") and name in {"items", "values", "pop", "copy"}:
            labels = labels - {"message", "messages"} | {"content"}
        return Value(labels, both.pieces)

    def _macro(
        self, macro: nodes.Macro | nodes.CallBlock, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if self._active.count(macro) >= _RECURSION:
            both = mixed((*args, *keywords.values()))
            return Value(both.labels | ({"content"} if both.has("messages", "message") else set()))
        kept = dict(self._state.variables)
        defaults = [NOTHING] * (len(macro.args) - len(macro.defaults)) + [
            self.value(d) for d in macro.defaults
        ]
        for parameter, default in zip(macro.args, defaults, strict=True):
            self._state.variables[parameter.name] = keywords.get(parameter.name, default)
        for parameter, argument in zip(macro.args, args, strict=False):
            self._state.variables[parameter.name] = argument
        self._active.append(macro)
        result = self._capture(macro.body)
        self._active.pop()
        spaces = {k: v for k, v in self._state.variables.items() if "." in k}
        self._state.variables = kept | spaces
        return result


def _flattened(constant: object) -> tuple[str, ...]:
    if isinstance(constant, tuple):
        return tuple(t for part in constant for t in _flattened(part))
    return (
        (str(constant),) if isinstance(constant, str | int | float) and not isinstance(constant, bool) else ()
    )


def _size(base: Value) -> Value:
    if base.has("messages"):
        return Value(frozenset({"count"}) | (base.labels & {"system"}))
    if base.has("content", "message"):
        return Value(frozenset({"length"}) | (base.labels & {"system"}))
    return Value(base.labels)


_HANDLERS: Final[dict[type[nodes.Node], Callable[..., Value]]] = {
    nodes.Const: Expressions._const,
    nodes.TemplateData: Expressions._data,
    nodes.Name: Expressions._name,
    nodes.List: Expressions._items,
    nodes.Tuple: Expressions._items,
    nodes.Dict: Expressions._dict,
    nodes.Concat: Expressions._concat,
    nodes.Not: Expressions._not,
    nodes.And: Expressions._and,
    nodes.Or: Expressions._or,
    nodes.CondExpr: Expressions._conditional,
    nodes.Compare: Expressions._compare,
    nodes.Test: Expressions._test,
    nodes.Getattr: Expressions._getattr,
    nodes.Getitem: Expressions._getitem,
    nodes.Filter: Expressions._filter_node,
    nodes.Call: Expressions._call,
    **{
        kind: Expressions._binary
        for kind in (nodes.Add, nodes.Sub, nodes.Mul, nodes.Mod, nodes.FloorDiv, nodes.Div, nodes.Pow)
    },
}
