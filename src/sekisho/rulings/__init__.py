"""What was decided about findings beforehand, applied: the policy's severities, suppressions, a baseline.

An excused finding stays where it is, marked; it counts neither against the model nor as a pass. Never excused are a
REJECT of what the policy marks `never_suppress`, and a check that the policy requires and that did not judge.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sekisho import rulebook
from sekisho.errors import UsageError
from sekisho.fingerprints import WHOLE, Files
from sekisho.policy import ORDER, Override, Policy
from sekisho.records import Facts, Finding, Outcome, Ruled, Ruling, Severity
from sekisho.rulings import baseline as baselines
from sekisho.rulings import suppressions as lists
from sekisho.rulings.baseline import Baseline
from sekisho.rulings.suppressions import Suppressions


@dataclass(frozen=True)
class Exceptions:
    """What a caller brings along."""

    suppressions: Suppressions | None = None
    baseline: Baseline | None = None
    today: dt.date | None = None
    """The day that expiry is judged by; needed with suppressions."""

    @property
    def record(self) -> Facts:
        """What the dossier keeps of it: digests of the files, and the day."""
        made = [("suppressions", self.suppressions.digest)] if self.suppressions else []
        made += [("baseline", self.baseline.digest)] if self.baseline else []
        made += [("date", self.today.isoformat())] if self.suppressions and self.today else []
        return tuple(made)


NONE = Exceptions()


def load(
    suppressions: Path | None = None, baseline: Path | None = None, today: dt.date | None = None
) -> Exceptions:
    """Read the files given. Raises DataError; UsageError for suppressions without a day."""
    if suppressions is not None and today is None:
        raise UsageError("suppressions expire, so the day must be said")
    return Exceptions(
        lists.load(suppressions) if suppressions is not None else None,
        baselines.load(baseline) if baseline is not None else None,
        today,
    )


def apply(
    found: Iterable[Finding],
    known: Files,
    policy: Policy,
    given: Exceptions = NONE,
    *,
    measured: bool = False,
) -> tuple[Finding, ...]:
    """Rule on findings, and add one for each suppression that is expired, outdated, refused or of no use.

    `measured` says whether these come from a run of the model: a suppression is held against its own kind only.
    """
    ruled = [_overridden(f, policy, known) for f in found]
    added: tuple[Finding, ...] = ()
    if given.suppressions is not None and given.today is not None:
        ruled, added = lists.hold(
            given.suppressions.of(measured=measured),
            ruled,
            known,
            given.today,
            firm=lambda f: firm(f, policy, known),
        )
    if given.baseline is not None:
        kept = given.baseline
        ruled = [baselines.mark(f, known, kept) if _fits(f, policy, known) else f for f in ruled]
    return (*ruled, *(_overridden(f, policy, known) for f in added))


def firm(finding: Finding, policy: Policy, known: Files) -> bool:
    """Say whether nothing excuses it.

    So stand a REJECT of a kind never suppressed, what is wrong with a suppression, and a required check that did not
    run or could not judge the model as a whole; that it could not judge one file, somebody may answer for.
    """
    rule = rulebook.of(finding)
    if finding.check == lists.CHECK:
        return True
    if finding.severity is Severity.REJECT and {finding.check, rule.id} & set(policy.never_suppress):
        return True
    if finding.check not in (*policy.required, *policy.required_with_base):
        return False
    blind = finding.outcome is Outcome.CANNOT_TELL and known.path(finding) == WHOLE
    return blind or finding.outcome is Outcome.NOT_RUN


def to_baseline(found: Sequence[Finding], known: Files, policy: Policy) -> tuple[str, int]:
    """Write the baseline of an inspection; also how many findings may not enter one."""
    new = [
        f for f in found if baselines.objects(f) and not any(r.kind is Ruled.SUPPRESSED for r in f.rulings)
    ]
    fit = [f for f in new if _fits(f, policy, known)]
    return baselines.written(fit, known), len(new) - len(fit)


def _fits(finding: Finding, policy: Policy, known: Files) -> bool:
    """Say whether a baseline may hold it: nothing that stands firm, or whose file was not read and may change unseen."""
    return not firm(finding, policy, known) and known.digest(known.path(finding)) != ""


def _overridden(finding: Finding, policy: Policy, known: Files) -> Finding:
    override = _override(finding, policy)
    if override is None or override.severity is finding.severity:
        return finding
    lowers = ORDER.index(override.severity) < ORDER.index(finding.severity)
    if lowers and (not override.reason or firm(finding, policy, known)):
        return finding
    outcome = Outcome.FAIL if finding.outcome is Outcome.PASS else finding.outcome
    ruling = Ruling(Ruled.OVERRIDDEN, finding.severity, override.reason)
    return replace(finding, severity=override.severity, outcome=outcome, rulings=(*finding.rulings, ruling))


def _override(finding: Finding, policy: Policy) -> Override | None:
    """The policy's word on a rule, or on its check; a pass is changed by its rule's name only."""
    rule = rulebook.of(finding).id
    named = next((o for o in policy.overrides if o.rule == rule), None)
    if named is not None or finding.outcome is Outcome.PASS:
        return named
    return next((o for o in policy.overrides if o.rule == finding.check), None)
