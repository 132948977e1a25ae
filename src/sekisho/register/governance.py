"""How a company handles models, as data: days, people, roles apart. `data/governance/` has one file for each size."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError, UsageError
from sekisho.register.wishes import DATA_CLASSES

FOLDER: Final = "governance"
PROFILES: Final = ("quick", "standard", "deep")
ROLES: Final = ("requester", "inspector", "approver", "auditor")
"""Who asks, who tests, who signs off, who looks again afterwards."""
_COUNTS: Final = ("people", "pilot_days", "pilot_users", "retest_days", "exception_days", "supplier_review_days", "records_years")  # fmt: skip
_KEYS: Final = frozenset({"schema", "profile", "data_classes", "apart", *_COUNTS})
_MOST: Final = 100_000


@dataclass(frozen=True)
class Governance:
    """One file, read."""

    digest: str
    """sha256 of its bytes."""
    profile: str
    counts: Mapping[str, int]
    """People, days and years by the key of the file."""
    data_classes: tuple[str, ...]
    apart: frozenset[frozenset[str]]
    """Pairs of roles that one person never holds together; requester and approver always among them."""


def sizes() -> tuple[str, ...]:
    """Sizes of company that ship with Sekisho."""
    return shipped.names(FOLDER)


def source(size: str) -> bytes:
    """The shipped file of a size. Raises UsageError."""
    if size not in sizes():
        raise UsageError(f"no size {size!r}; there are {', '.join(sizes())}")
    return shipped.file(FOLDER, size).read_bytes()


def parse(data: bytes, where: str) -> Governance:
    """Read one from bytes. Raises DataError on anything unknown, missing or out of range."""
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    if set(raw) != _KEYS or raw["schema"] != 1:
        raise DataError(
            f"{where}: keys {sorted(set(raw) ^ _KEYS)} are unknown or missing, or schema is not 1"
        )
    if raw["profile"] not in PROFILES:
        raise DataError(f"{where}: profile is one of {', '.join(PROFILES)}")
    classes = raw["data_classes"]
    if not isinstance(classes, list) or not classes or not set(map(str, classes)) <= set(DATA_CLASSES):
        raise DataError(f"{where}: data_classes are of {', '.join(DATA_CLASSES)}")
    counts = {k: _count(raw[k], f"{where}: {k}") for k in _COUNTS}
    if counts["people"] < 2:  # noqa: PLR2004  the requester and the approver
        raise DataError(f"{where}: people is 2 at least: who asks and who approves are never the same")
    apart = _apart(raw["apart"], f"{where}: apart")
    return Governance(
        hashlib.sha256(data).hexdigest(), raw["profile"], MappingProxyType(counts), tuple(classes), apart
    )


def _count(value: Any, where: str) -> int:
    if type(value) is not int or not 0 < value <= _MOST:
        raise DataError(f"{where} is a whole number from 1")
    return value


def _apart(raw: Any, where: str) -> frozenset[frozenset[str]]:
    pairs = {frozenset(("requester", "approver"))}
    if not isinstance(raw, dict):
        raise DataError(f"{where} is a table of roles")
    for role, others in raw.items():
        if not isinstance(others, list) or not {role, *map(str, others)} <= set(ROLES) or role in others:
            raise DataError(f"{where}: roles are {', '.join(ROLES)}")
        pairs |= {frozenset((role, str(other))) for other in others}
    return frozenset(pairs)
