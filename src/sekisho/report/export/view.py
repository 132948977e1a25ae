"""What every format tells, gathered once: findings with their rules and fingerprints, and grounds without a finding."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sekisho import fingerprints, rulebook
from sekisho.records import Dossier, Finding, Outcome, Ruled, Ruling
from sekisho.report.grounds import cited, ground
from sekisho.report.lights import weight
from sekisho.report.visible import one_line
from sekisho.report.words import Words
from sekisho.rulebook import Rule

VERDICT: Final = "verdict"
"""Pseudo-check of the grounds that no finding stands behind."""


@dataclass(frozen=True)
class Line:
    """One finding, ready to be told."""

    finding: Finding
    rule: Rule
    path: str
    """The file it is about; `.` for the model as a whole."""
    fingerprint: str
    place: str
    message: str
    weight: int
    """0 rejects, 1 and 2 leave something open, 3 informs or is excused, 4 is a pass."""

    @property
    def aside(self) -> str:
        """Its place, where the message does not name it."""
        where = one_line(self.finding.where, 200)
        return "" if where in self.message else where

    @property
    def counts(self) -> bool:
        """It keeps the verdict from ADMIT."""
        return self.weight < 3  # noqa: PLR2004  as `lights.weight` has them

    @property
    def ruling(self) -> Ruling | None:
        """Why it does not count, where somebody said so."""
        return next((r for r in self.finding.rulings if r.kind is not Ruled.OVERRIDDEN), None)


@dataclass(frozen=True)
class Remark:
    """A ground of the verdict that rests on no finding: on answers, or on what was not done."""

    rule: Rule
    message: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A dossier as the formats tell it."""

    dossier: Dossier
    words: Words
    lines: tuple[Line, ...]
    """Every finding, gravest first, passes last."""
    remarks: tuple[Remark, ...]

    @property
    def told(self) -> tuple[Line, ...]:
        """All but the passes."""
        return tuple(line for line in self.lines if line.finding.outcome is not Outcome.PASS)


def view(dossier: Dossier, language: str) -> View:
    """Gather what is told. Raises UsageError for an unknown language."""
    words, known = Words(language), fingerprints.files(dossier.files)
    lines = sorted((_line(f, known, words) for f in dossier.findings), key=lambda line: line.weight)
    return View(dossier, words, tuple(lines), _remarks(dossier, words))


def _line(finding: Finding, known: fingerprints.Files, words: Words) -> Line:
    return Line(
        finding,
        rulebook.of(finding),
        known.path(finding),
        fingerprints.of(finding, known),
        fingerprints.place(finding),
        words.finding(finding),
        weight(finding),
    )


def _remarks(dossier: Dossier, words: Words) -> tuple[Remark, ...]:
    bare = (
        reason
        for reason in dossier.verdict.reasons
        if not any(isinstance(cited(dossier, ref), Finding) for ref in reason.refs)
    )
    return tuple(
        Remark(by_reason(VERDICT, reason.code), ground(dossier, words, reason).text, reason.refs)
        for reason in bare
    )


@lru_cache
def by_reason(check: str, reason: str) -> Rule:
    """The rule of a check and a reason; UNLISTED where there is none."""
    return next((r for r in rulebook.rules() if (r.check, r.reason) == (check, reason)), rulebook.UNLISTED)
