"""What a condition says about the conversation: facets that hold whenever the condition does."""

from typing import Final, Protocol

from jinja2 import nodes

from sekisho.formats._template.values import Value

OPPOSITE: Final = {"tools": "no-tools", "no-tools": "tools", "system": "no-system", "no-system": "system"}
_NONE: Final[frozenset[str]] = frozenset()
_EQUAL: Final = {"eq", "in"}
_UNEQUAL: Final = {"ne", "notin"}
TOOL_ROLES: Final = frozenset(
    {
        "tool",
        "ipython",
        "function",
        "observation",
        "tool_response",
        "tools",
        "environment",
        "code",
        "tool_result",
    }
)


class Evaluate(Protocol):
    """Evaluates an expression to a Value."""

    def __call__(self, node: nodes.Node) -> Value:
        """Return what the expression may be."""
        ...


def facets(node: nodes.Node, evaluate: Evaluate, *, holds: bool) -> frozenset[str]:
    """Facets that are certain when the condition holds (or fails); never more than is certain."""
    if isinstance(node, nodes.Not):
        return facets(node.node, evaluate, holds=not holds)
    if isinstance(node, nodes.And | nodes.Or):
        left = facets(node.left, evaluate, holds=holds)
        right = facets(node.right, evaluate, holds=holds)
        return left | right if isinstance(node, nodes.And) == holds else left & right
    if isinstance(node, nodes.Compare) and len(node.ops) == 1:
        return _compared(node, evaluate, holds=holds)
    if isinstance(node, nodes.Test):
        return _tested(node, evaluate, holds=holds)
    return truth(evaluate(node), holds=holds)


def truth(value: Value, *, holds: bool) -> frozenset[str]:
    """Facets of a value being true (or false)."""
    found = value.labels & {"tools", "no-tools", "system", "no-system"}
    if not holds:
        found = frozenset(OPPOSITE[f] for f in found)
    prefix = "" if holds else "no-"
    found |= {prefix + label for label in value.labels & {"generation", "loop-first", "loop-last"}}
    return found | {prefix + label for label in value.options()}


def _compared(node: nodes.Compare, evaluate: Evaluate, *, holds: bool) -> frozenset[str]:
    left, right, op = evaluate(node.expr), evaluate(node.ops[0].expr), node.ops[0].op
    if op in _UNEQUAL or op in _EQUAL:
        return _equal(left, right, holds=(op in _EQUAL) == holds)
    if op in {"gt", "lt"}:
        base, bound = (left, right) if op == "gt" else (right, left)
        return truth(base, holds=holds) if bound.constant == 0 and base.has("tools") else _NONE
    return _NONE


def _equal(left: Value, right: Value, *, holds: bool) -> frozenset[str]:
    if right.has("role") or not left.labels:
        left, right = right, left
    if left.has("role"):
        return _role(left, right, holds=holds)
    if left.has("count") and right.constant in (0, 1) and holds:
        return frozenset({"loop-first"})
    if not right.labels and not right.constant and not right.pieces:
        return truth(left, holds=not holds)
    if right.constant is True:
        return truth(left, holds=holds)
    return frozenset({f"{'' if holds else 'no-'}{option}" for option in left.options()})


def _role(left: Value, right: Value, *, holds: bool) -> frozenset[str]:
    roles = set(right.texts) or (
        {str(r) for r in right.constant} if isinstance(right.constant, tuple) else set()
    )
    name = "first-role" if left.has("first") else "role"
    if roles and roles <= {"system", "developer"}:
        if holds:
            return frozenset({f"{name}=system"} | ({"system"} if left.has("first") else set()))
        return frozenset({f"{name}!=system"} | ({"no-system"} if left.has("first") else set()))
    if holds and roles and roles <= TOOL_ROLES:
        return frozenset({"tools"})
    return frozenset({f"{name}={r}" for r in roles}) if holds and len(roles) == 1 else _NONE


def _tested(node: nodes.Test, evaluate: Evaluate, *, holds: bool) -> frozenset[str]:
    value = evaluate(node.node)
    if node.name in {"defined", "true", "sequence", "iterable", "mapping"}:
        return truth(value, holds=holds) if node.name in {"defined", "true"} or holds else _NONE
    if node.name in {"undefined", "none", "false"}:
        return truth(value, holds=not holds)
    if node.name in {"eq", "equalto", "==", "sameas", "in"} and node.args:
        return _equal(value, evaluate(node.args[0]), holds=holds)
    return _NONE
