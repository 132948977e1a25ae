"""What verifying found, line by line, in one language."""

from typing import Final

from sekisho.evidence.codes import Problem, Verified
from sekisho.records import Finding, Outcome, Severity
from sekisho.report.words import Words

CHECK: Final = "evidence"
"""Pseudo-check whose sentences these are."""


def text(found: Verified, language: str = "en") -> str:
    """Problems first, notes in brackets, then the decision and whether all is in order."""
    lines = [_said(p, language) for p in found.problems]
    lines += [f"({_said(p, language)})" for p in found.notes]
    if found.verdict:
        lines.append(Words(language).say("decision", found.verdict))
    end = line("exit", "", language, code=str(found.code)) if found.code else line("verified", "", language)
    return "\n".join([*lines, end])


def line(reason: str, file: str, language: str, **facts: str) -> str:
    """One sentence about a file."""
    return _said(Problem(0, file, reason, tuple(facts.items())), language)


def _said(problem: Problem, language: str) -> str:
    detail = f"{problem.file}: {problem.cause}"
    return Words(language).finding(
        Finding(CHECK, Outcome.FAIL, Severity.NOTE, problem.file, problem.cause, detail, problem.facts)
    )
