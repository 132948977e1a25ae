"""The walk over a template's statements: branches, loops, assignments, and what each block writes."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import nodes

from sekisho.formats._template.expressions import Expressions
from sekisho.formats._template.guards import truth
from sekisho.formats._template.state import Record, State, Writing, merged
from sekisho.formats._template.values import Piece, Value

GAP: Final = "\ufffc"
"""Stands in a written text for a value of the conversation."""


@dataclass
class _Sink:
    """Collects what one block writes."""

    text: str = ""
    line: int = 0
    pieces: set[Piece] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)


def walk(body: list[nodes.Node]) -> Record:
    """Follow the statements of a whole template. Raises LimitError."""
    flow = _Flow()
    flow.block(body)
    return flow.state.record


class _Flow:
    def __init__(self) -> None:
        self.state = State()
        self._expressions = Expressions(self.state, self._captured)
        self._sinks: list[_Sink] = [_Sink()]
        self._captures = 0
        self._handlers: dict[type[nodes.Node], Callable[[Any], None]] = {
            nodes.Output: self._output,
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Assign: self._assign,
            nodes.AssignBlock: self._assign_block,
            nodes.Macro: self._macro,
            nodes.CallBlock: self._call_block,
            nodes.FilterBlock: self._filter_block,
            nodes.With: self._with,
            nodes.Include: self._other_file,
            nodes.Import: self._other_file,
            nodes.FromImport: self._other_file,
            nodes.Extends: self._other_file,
        }

    def block(self, body: list[nodes.Node], guards: frozenset[str] = frozenset()) -> None:
        """Walk a block; what it writes goes to the record, or to the value that captures it."""
        before, mine, outer = self.state.guards, _Sink(), self._sinks[-1]
        self.state.guards = before | guards
        self._sinks.append(mine)
        for node in body:
            self._statement(node)
        self._sinks.pop()
        self._end_run(mine)
        outer.labels |= mine.labels
        self.state.guards = before
        self.state.count(len(mine.pieces))
        if self._captures:
            outer.pieces |= mine.pieces
        else:
            ordered = sorted(mine.pieces, key=lambda p: (p.line, p.text, sorted(p.guards)))
            self.state.record.writings.update(
                (Writing(p.text, tuple(sorted(p.guards)), p.line), None) for p in ordered
            )

    def _end_run(self, sink: _Sink) -> None:
        if sink.text.strip(GAP):
            sink.pieces.add(Piece(sink.text, self.state.piece_guards, sink.line))
        sink.text, sink.line = "", 0

    def _statement(self, node: nodes.Node) -> None:
        self.state.count()
        handler = self._handlers.get(type(node))
        if handler is not None:
            handler(node)
            return
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Stmt):
                self._statement(child)
            else:
                self._expressions.value(child)

    def _output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            self._emit(part)

    def _emit(self, node: nodes.Node) -> None:
        self.state.count()
        if isinstance(node, nodes.Concat):
            for part in node.nodes:
                self._emit(part)
        elif isinstance(node, nodes.Add):
            self._emit(node.left)
            self._emit(node.right)
        else:
            self._emit_value(self._expressions.value(node), node.lineno)

    def _emit_value(self, value: Value, line: int) -> None:
        sink = self._sinks[-1]
        sink.line = sink.line or line
        sink.labels |= value.labels
        if isinstance(value.constant, str | int | float) and not isinstance(value.constant, bool):
            sink.text += str(value.constant)
        elif value.constant is not None:
            sink.text += GAP
            self.state.count(len(value.pieces))
            sink.pieces |= {Piece(p.text, p.guards | self.state.guards, p.line) for p in value.pieces}

    def _if(self, node: nodes.If) -> None:
        before = dict(self.state.variables)
        self.state.count(len(before))
        passed: frozenset[str] = frozenset()
        ends: list[dict[str, Value]] = []
        for test, body in [(node.test, node.body), *((b.test, b.body) for b in node.elif_)]:
            with self.state.under(passed):
                self._expressions.value(test)
                guards = passed | self._expressions.guards(test, holds=True)
                passed |= self._expressions.guards(test, holds=False)
            ends.append(self._branch(before, body, guards))
        ends.append(self._branch(before, node.else_, passed))
        self.state.variables = merged(ends)

    def _branch(
        self, before: dict[str, Value], body: list[nodes.Node], guards: frozenset[str]
    ) -> dict[str, Value]:
        self.state.variables = dict(before)
        self.block(body, guards)
        return self.state.variables

    def _for(self, node: nodes.For) -> None:
        source = self._expressions.value(node.iter)
        in_loop = "in-loop" in self.state.guards
        if not in_loop and source.has("messages", "count"):
            kept, self.state.record = self.state.record, _copied(self.state.record)
            self._loop_body(
                node, source
            )  # first round: only to learn what later rounds find in the variables
            self.state.record = kept
        labels = set(self._sinks[-1].labels)
        self._sinks[-1].labels.discard("content")
        self._loop_body(node, source)
        wrote = "content" in self._sinks[-1].labels
        self._sinks[-1].labels |= labels
        self.block(node.else_)
        if wrote and not in_loop and source.has("messages", "count") and not self._captures:
            self._end_run(self._sinks[-1])
            self.state.guards |= {"tail"}

    def _loop_body(self, node: nodes.For, source: Value) -> None:
        before = dict(self.state.variables)
        self.state.count(len(before))
        guards = truth(Value(source.labels & {"tools"}), holds=True)
        guards |= {"in-loop"} if source.has("messages", "count") else frozenset()
        self._bind(node.target, _element(source))
        self.state.variables["loop"] = Value(frozenset({"loop"}))
        if node.test is not None:
            self._expressions.value(node.test)
            guards |= self._expressions.guards(node.test, holds=True)
        self.block(node.body, guards)
        self.state.variables = merged([before, self.state.variables])

    def _assign(self, node: nodes.Assign) -> None:
        call = node.node
        if (
            isinstance(call, nodes.Call)
            and isinstance(call.node, nodes.Name)
            and call.node.name == "namespace"
        ):
            for keyword in call.kwargs:
                self._set(
                    f"{getattr(node.target, 'name', '')}.{keyword.key}",
                    self._expressions.value(keyword.value),
                )
        value = self._expressions.value(call)
        counts = "in-loop" in self.state.guards and _steps(node.target, call)
        self._bind(node.target, value.marked("counter") if counts else value)

    def _assign_block(self, node: nodes.AssignBlock) -> None:
        value = self._captured(node.body)
        if node.filter is not None:
            value = self._expressions.filtered(node.filter, value)
        self._bind(node.target, value)

    def _captured(self, body: list[nodes.Node]) -> Value:
        sink = _Sink()
        self._sinks.append(sink)
        self._captures += 1
        self.block(body)
        self._captures -= 1
        self._sinks.pop()
        return Value(frozenset(sink.labels), frozenset(sink.pieces))

    def _bind(self, target: nodes.Node, value: Value) -> None:
        if isinstance(target, nodes.Name):
            self._set(target.name, value)
        elif isinstance(target, nodes.NSRef):
            self._set(f"{target.name}.{target.attr}", value)
        elif isinstance(target, nodes.Tuple | nodes.List):
            for part in target.items:
                self._bind(part, Value(value.labels, value.pieces))

    def _set(self, name: str, value: Value) -> None:
        """Set a variable; one set only where a system message was seen tells later whether there was one."""
        seen = self.state.guards & {"role=system", "first-role=system"}
        self.state.variables[name] = value.marked("system") if seen and not value.falsy else value

    def _macro(self, node: nodes.Macro) -> None:
        self.state.macros[node.name] = node

    def _call_block(self, node: nodes.CallBlock) -> None:
        self.state.macros["caller"] = node
        self._emit_value(self._expressions.value(node.call), node.lineno)

    def _filter_block(self, node: nodes.FilterBlock) -> None:
        self._emit_value(self._expressions.filtered(node.filter, self._captured(node.body)), node.lineno)

    def _with(self, node: nodes.With) -> None:
        for target, value in zip(node.targets, node.values, strict=True):
            self._bind(target, self._expressions.value(value))
        self.block(node.body)

    def _other_file(self, node: nodes.Node) -> None:
        self.state.record.calls[("%" + type(node).__name__.lower(), node.lineno)] = None


def _copied(record: Record) -> Record:
    return Record(*(copy(getattr(record, name)) for name in record.__dataclass_fields__))


def _steps(target: nodes.Node, value: nodes.Node) -> bool:
    """Say whether an assignment moves a namespace's number on: what it then equals is the number of a message."""
    if not isinstance(target, nodes.NSRef) or not isinstance(value, nodes.Add | nodes.Sub):
        return False
    sides = (value.left, value.right)
    numbers = (s for s in sides if isinstance(s, nodes.Const) and isinstance(s.value, int))
    own = (s for s in sides if isinstance(s, nodes.Getattr) and s.attr == target.attr)
    return any(True for _ in numbers) and any(
        isinstance(s.node, nodes.Name) and s.node.name == target.name for s in own
    )


def _element(source: Value) -> Value:
    if source.has("messages"):
        return Value(frozenset({"message"}))
    if source.has("message"):
        return Value(frozenset({"content"}))
    if source.has("content"):
        return Value(source.labels | {"part"}, source.pieces)
    return Value(source.labels, source.pieces)
