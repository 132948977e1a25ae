"""The findings of the template check, and where it finds templates."""

from sekisho.formats.template_sources import Located, templates
from sekisho.formats.text import shown
from sekisho.records import Facts, Finding, Outcome, Severity

__all__ = ["Located", "finding", "templates"]


def finding(where: str, reason: str, severity: Severity, detail: str, *named: tuple[str, str]) -> Finding:
    """Make a finding; a note passes. `detail` names the facts in braces."""
    facts: Facts = tuple((key, shown(value)) for key, value in named)
    outcome = Outcome.PASS if severity is Severity.NOTE else Outcome.FAIL
    return Finding(
        "chat-template", outcome, severity, where, reason, detail.format(where=where, **dict(facts)), facts
    )
