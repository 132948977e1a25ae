"""Every reason that a check can state is a rule with an id that outlives its wording: `data/rulebook/<check>.toml`.

An id is `SKS-<prefix>-<number>`. Numbers are never given twice: a reason that no check states any more stays, retired.
Mappings name entries of the OWASP Top 10 for LLM applications (2025), of MITRE ATLAS and of CWE.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import UsageError
from sekisho.records import Finding, Severity

FOLDER: Final = "rulebook"
COMMON: Final = "common"
"""Pseudo-check whose reasons any check may state."""
MAPPINGS: Final = ("owasp", "atlas", "cwe")


@dataclass(frozen=True)
class Rule:
    """One reason of one check."""

    id: str
    check: str
    """Id of the check; `common` for reasons that any may state."""
    reason: str
    severity: Severity
    """The gravest that the check itself gives it."""
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    cwe: tuple[str, ...] = ()
    measured: bool = False
    """Stated by a run of the model, not by its files alone."""
    retired: bool = False
    """No check states it any more; the id stays taken."""


UNLISTED: Final = Rule("SKS-GEN-000", COMMON, "unlisted", Severity.HOLD)
"""Stands for a reason without a rule, so that no finding is ever dropped for want of an id."""


def rules() -> tuple[Rule, ...]:
    """Every rule, by check and number, retired ones included."""
    return tuple(_table().values())


def of(finding: Finding) -> Rule:
    """The rule of a finding; UNLISTED where it has none."""
    table = _table()
    return table.get((finding.check, finding.reason)) or table.get((COMMON, finding.reason)) or UNLISTED


def find(rule: str) -> Rule:
    """The rule of an id, in any case of letters. Raises UsageError."""
    found = _ids().get(rule.strip().upper())
    if found is None:
        raise UsageError(f"no rule {rule!r}; `sekisho rules` lists them")
    return found


def checks() -> frozenset[str]:
    """Ids of every check that has rules."""
    return frozenset(r.check for r in rules())


@lru_cache(maxsize=1)
def _table() -> Mapping[tuple[str, str], Rule]:
    made = (rule for name in shipped.names(FOLDER) for rule in _read(name))
    return MappingProxyType({(rule.check, rule.reason): rule for rule in made})


@lru_cache(maxsize=1)
def _ids() -> Mapping[str, Rule]:
    return MappingProxyType({rule.id: rule for rule in rules()})


def _read(name: str) -> tuple[Rule, ...]:
    book = tomllib.loads(shipped.file(FOLDER, name).read_text("utf-8"))
    made = (_rule(book, reason, row) for reason, row in book["rules"].items())
    return tuple(sorted(made, key=lambda rule: rule.id))


def _rule(book: Mapping[str, Any], reason: str, row: Mapping[str, Any]) -> Rule:
    owasp, atlas, cwe = (tuple(row.get(key, book[key])) for key in MAPPINGS)
    return Rule(
        f"SKS-{book['prefix']}-{row['n']:03}",
        book["check"],
        reason,
        Severity(row["severity"]),
        owasp,
        atlas,
        cwe,
        measured=book.get("measured", False),
        retired=row.get("retired", False),
    )
