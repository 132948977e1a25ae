"""Findings of a static inspection: in which order they are told, and as JSON for other programs."""

import json
from collections.abc import Iterable
from typing import Any, Final

from sekisho.records import Finding, Outcome
from sekisho.report.lights import weight

SCHEMA: Final = 1
"""Layout of the JSON."""


def listed(findings: Iterable[Finding]) -> tuple[tuple[int, Finding], ...]:
    """Everything but passes, gravest first, each with its place in the dossier."""
    other = [(n, f) for n, f in enumerate(findings) if f.outcome is not Outcome.PASS]
    return tuple(sorted(other, key=lambda pair: (weight(pair[1]), pair[0])))


def passed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Only the passes, in the dossier's order."""
    return tuple(f for f in findings if f.outcome is Outcome.PASS)


def to_json(findings: Iterable[Finding], decision: str = "") -> str:
    """Write findings as JSON: check, outcome, severity, where, reason, detail and facts of each."""
    body: dict[str, Any] = {"schema": SCHEMA, "findings": [_plain(f) for f in findings]}
    if decision:
        body["decision"] = decision
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "where": finding.where,
        "reason": finding.reason,
        "detail": finding.detail,
        "facts": dict(finding.facts),
    }
