"""Records to plain JSON values and back, led by the records' own annotations."""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Hashable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from sekisho.errors import DataError
from sekisho.records import ADDED

DIGITS = 10
"""Significant digits of a float; enough for every printed number, few enough to be equal across machines."""

T = TypeVar("T")


def plain(record: Any) -> dict[str, Any]:
    """Turn a frozen record into a dictionary of JSON values."""
    values = ((f, getattr(record, f.name)) for f in dataclasses.fields(record))
    return {f.name: _value(value) for f, value in values if not (_added(f) and value == f.default)}


def dump(body: Mapping[str, Any]) -> bytes:
    """Write plain values as canonical JSON."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
    # A file name that is not UTF-8 reaches us with lone surrogates; JSON can only carry them escaped.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def digest(body: Mapping[str, Any]) -> str:
    """Identity of everything but the timing block, as sha256 hex."""
    return hashlib.sha256(dump({k: v for k, v in body.items() if k != "timing"})).hexdigest()


def refused(constant: str) -> float:
    """Of `json.loads`: NaN and infinities are no JSON. Raises ValueError."""
    raise ValueError(f"{constant} is not JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of `json.loads`: an object in which no key occurs twice. Raises ValueError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def build(kind: type[T], data: Any, where: str) -> T:
    """Make a record of plain values; keys must match exactly. Raises DataError that names the place."""
    if not isinstance(data, dict):
        raise DataError(f"{where}: an object is needed")
    hints = _hints(typing.cast("Hashable", kind))
    younger = {f.name for f in dataclasses.fields(typing.cast("Any", kind)) if _added(f)}
    wrong = (set(data) ^ set(hints)) - (younger - set(data))
    if wrong:
        raise DataError(f"{where}: keys {sorted(wrong)} are unknown or missing")
    return kind(**{name: _read(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def _added(field: "dataclasses.Field[Any]") -> bool:
    return field.metadata == ADDED


def _value(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return plain(value)
    if isinstance(value, tuple):
        return [_value(v) for v in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return _float(value)
    return value


def _float(value: float) -> float | str:
    if not math.isfinite(value):
        return str(value)
    return float(f"{value:.{DIGITS}g}") + 0.0  # the sum turns -0.0 into 0.0


@lru_cache
def _hints(kind: Hashable) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _read(hint: Any, data: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        return _tuple(typing.get_args(hint), data, where)
    if origin in (types.UnionType, typing.Union):
        inner = next(a for a in typing.get_args(hint) if a is not type(None))
        return None if data is None else _read(inner, data, where)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast("type[Any]", hint), data, where)
    return _scalar(hint, data, where)


def _tuple(hints: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise DataError(f"{where}: a list is needed")
    if len(hints) == 2 and hints[1] is Ellipsis:  # noqa: PLR2004  tuple[X, ...]
        return tuple(_read(hints[0], d, f"{where}[{n}]") for n, d in enumerate(data))
    if len(hints) != len(data):
        raise DataError(f"{where}: {len(hints)} entries are needed")
    return tuple(_read(h, d, f"{where}[{n}]") for n, (h, d) in enumerate(zip(hints, data, strict=True)))


def _scalar(hint: Any, data: Any, where: str) -> Any:
    if hint is float and (type(data) is float or data in ("inf", "-inf", "nan")):
        return float(data)
    if issubclass(hint, StrEnum):
        if data in [member.value for member in hint]:
            return hint(data)
    elif type(data) is hint:  # exact: a bool is no int here
        return data
    raise DataError(f"{where}: {str(data)[:40]!r} is no {hint.__name__}")
