"""Whether everything that a bill points at is in it."""

from collections.abc import Iterator
from typing import Any, Final

_POINTS: Final = frozenset({"ref", "dependsOn", "assemblies", "attributedTo", "process", "provides"})


def dangling(body: Any) -> tuple[str, ...]:
    """References without an object, pointers without a place, and bom-refs that occur twice; empty when all is well."""
    names = list(_names(body))
    missing = {point for point in _points(body) if point not in names}
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    lost = {p for c in body.get("citations", ()) for p in c.get("pointers", ()) if not _leads(body, p)}
    return tuple(sorted(missing | twice | lost))


def _names(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        if "bom-ref" in body:
            yield body["bom-ref"]
        for value in body.values():
            yield from _names(value)
    elif isinstance(body, list):
        for value in body:
            yield from _names(value)


def _points(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key in _POINTS:
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _points(value)
    elif isinstance(body, list):
        for value in body:
            yield from _points(value)


def _leads(body: Any, pointer: str) -> bool:
    """Follow a JSON pointer (RFC 6901)."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            body = body[int(key)] if isinstance(body, list) else body[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return True
