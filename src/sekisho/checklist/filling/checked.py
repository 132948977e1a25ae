"""What the static checks of a dossier say, as an answer."""

from sekisho.checklist.sources import Filled, Sources, no, unknown, yes
from sekisho.records import Finding, Outcome, Severity

NO_DOSSIER = unknown("no-dossier")


def by_checks(sources: Sources, checks: tuple[str, ...], *, but: frozenset[str] = frozenset()) -> Filled:
    """Yes where every check ran and objects to nothing; remarks for information do not object.

    `but` are reasons that answer another question. What somebody excused is no pass: it stays unknown.
    """
    if sources.dossier is None:
        return NO_DOSSIER
    found = [f for f in sources.dossier.findings if f.check in checks and f.reason not in but]
    missing = [c for c in checks if not any(f.check == c for f in found)]
    against = [f for f in found if f.outcome is Outcome.FAIL and _counts(f)]
    if against:
        return _said("objects", against)
    for code, some in (("excused", [f for f in found if f.excused]), ("undecided", _undecided(found))):
        if some:
            return _said(code, some)
    if missing:
        return unknown("not-checked", checks=",".join(missing))
    return yes("checked", tuple(f"check:{c}" for c in checks), checks=",".join(checks))


def found(sources: Sources, check: str, reasons: frozenset[str]) -> tuple[Finding, ...]:
    """Findings of a check that give one of these reasons."""
    every = sources.dossier.findings if sources.dossier else ()
    return tuple(f for f in every if f.check == check and f.reason in reasons)


def ref(finding: Finding) -> str:
    """Points at a finding."""
    return f"check:{finding.check}@{finding.where}" if finding.where else f"check:{finding.check}"


def _counts(finding: Finding) -> bool:
    return not finding.excused and finding.severity is not Severity.NOTE


def _undecided(findings: list[Finding]) -> list[Finding]:
    unmade = [f for f in findings if f.outcome is Outcome.NOT_RUN]
    return unmade + [f for f in findings if f.outcome is Outcome.CANNOT_TELL and _counts(f)]


def _said(code: str, some: list[Finding]) -> Filled:
    checks = ",".join(dict.fromkeys(f.check for f in some))
    make = no if code == "objects" else unknown
    where = next((f.where for f in some if f.where), "")
    refs = tuple(dict.fromkeys(ref(f) for f in some))
    return make(f"{code}-in" if where else code, refs, checks=checks, where=where, n=str(len(some)))
