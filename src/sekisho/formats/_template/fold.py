"""Constant folding for template expressions: bounded, pure, and without calling any filter of jinja2."""

from collections.abc import Callable
from typing import Any, Final

from sekisho.formats._template.values import UNKNOWN, Value

_TEXT_FILTERS: Final[dict[str, Callable[[str], str]]] = {
    "trim": str.strip, "strip": str.strip, "lower": str.lower, "upper": str.upper, "title": str.title,
    "capitalize": str.capitalize, "string": str, "safe": str, "e": str, "escape": str,
}  # fmt: skip
_LONGEST: Final = 65_536
"""Folded texts longer than this are not followed."""


def concatenated(parts: tuple[Value, ...]) -> object:
    """Return the joined text of constants, or UNKNOWN."""
    texts = [p.constant for p in parts]
    if not all(isinstance(t, str | int | float) and not isinstance(t, bool) for t in texts):
        return UNKNOWN
    return bounded("".join(str(t) for t in texts))


def bounded(text: str) -> object:
    """Give up on texts that a template should not hold."""
    return text if len(text) <= _LONGEST else UNKNOWN


def arithmetic(operator: str, left: Value, right: Value) -> object:
    """Fold `+ - * // %` of two constants where the result stays small."""
    a, b = left.constant, right.constant
    if isinstance(a, str) and isinstance(b, str) and operator == "+":
        return bounded(a + b)
    if operator == "*" and isinstance(a, str) and type(b) is int and 0 <= b * len(a) <= _LONGEST:
        return a * b
    if isinstance(a, tuple) and isinstance(b, tuple) and operator == "+":
        return a + b
    if type(a) is int and type(b) is int and abs(a) < 2**64 and abs(b) < 2**64:
        return _integers(operator, a, b)
    return UNKNOWN


def _integers(operator: str, a: int, b: int) -> object:
    if operator == "**":
        return a**b if abs(a) <= 10**3 and 0 <= b <= 10 else UNKNOWN  # noqa: PLR2004
    simple = {"+": a + b, "-": a - b, "*": a * b}
    if operator in simple:
        return simple[operator]
    if b and operator in {"//", "%"}:
        return a // b if operator == "//" else a % b
    return UNKNOWN


def filtered(name: str, base: Value, args: tuple[Value, ...]) -> object:
    """Fold the filters that rewrite a constant text or join a constant list."""
    text = base.constant
    given = [a.constant for a in args]
    if isinstance(text, tuple) and name == "join" and all(isinstance(t, str | int) for t in text):
        glue = given[0] if given else ""
        return bounded(glue.join(str(t) for t in text)) if isinstance(glue, str) else UNKNOWN
    if not isinstance(text, str):
        return UNKNOWN
    if name == "replace" and len(given) == 2 and all(isinstance(g, str) for g in given):  # noqa: PLR2004
        return bounded(text.replace(str(given[0]), str(given[1]))) if given[0] else UNKNOWN
    if name == "reverse":
        return text[::-1]
    return _TEXT_FILTERS[name](text) if name in _TEXT_FILTERS and not given else UNKNOWN


def sliced(base: Value, start: Any, stop: Any, step: Any) -> object:
    """Fold a constant slice of a constant text or list."""
    known = all(n is None or type(n) is int for n in (start, stop, step)) and step != 0
    if isinstance(base.constant, str | tuple) and known:
        return base.constant[slice(start, stop, step)]
    return UNKNOWN
