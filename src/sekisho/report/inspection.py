"""Findings of a static inspection: in which order they are told."""

from collections.abc import Iterable

from sekisho.records import Finding, Outcome
from sekisho.report.lights import weight


def listed(findings: Iterable[Finding]) -> tuple[tuple[int, Finding], ...]:
    """Everything but passes, gravest first, each with its place in the dossier."""
    other = [(n, f) for n, f in enumerate(findings) if f.outcome is not Outcome.PASS]
    return tuple(sorted(other, key=lambda pair: (weight(pair[1]), pair[0])))


def passed(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """Passes by check, in the dossier's order, of checks that state nothing else: no objection, no doubt, nothing left out."""
    every = tuple(findings)
    other = {f.check for f in every if f.outcome is not Outcome.PASS}
    checks = dict.fromkeys(f.check for f in every if f.check not in other)
    return {check: tuple(f for f in every if f.check == check) for check in checks}
