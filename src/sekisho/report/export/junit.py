"""JUnit XML: a test case for each check, and one for each ground that no finding stands behind.

A check that objects fails; one that did not run, or of which every objection is excused, is skipped with the reason.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sekisho.records import Dossier, Outcome
from sekisho.report.export.view import Line, View, view
from sekisho.report.ruled import said
from sekisho.report.visible import one_line, visible

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUITE: Final = "sekisho"
MOST_LINES: Final = 100
"""Findings told of one check; the other formats have all."""


def render(dossier: Dossier, language: str = "en") -> str:
    """Write one suite. Raises UsageError for an unknown language."""
    seen = view(dossier, language)
    cases = [*_checks(seen), *_remarks(seen)]
    failed, skipped = (sum(f"<{kind} " in case for case in cases) for kind in ("failure", "skipped"))
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}" time="0"'
    name = _attribute(f"{_SUITE} {one_line(dossier.provenance.name, 200)}")
    suite = f"<testsuite name={name} {counts}>\n{''.join(cases)}</testsuite>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n{suite}\n</testsuites>\n'


def _checks(seen: View) -> Iterator[str]:
    by_check: dict[str, list[Line]] = {}
    for line in sorted(seen.lines, key=lambda line: line.finding.check):
        by_check.setdefault(line.finding.check, []).append(line)
    for check, lines in by_check.items():
        yield _case(check, seen.words.check(check), _inside(lines, seen))


def _inside(lines: list[Line], seen: View) -> str:
    """What came of one check, the gravest first."""
    against = [line for line in lines if line.counts]
    if against:
        kind = "reject" if any(line.weight == 0 for line in against) else "hold"
        todo = seen.words.check(against[0].finding.check, "todo")
        text = [*(_told(line) for line in against[:MOST_LINES]), todo]
        if len(against) > MOST_LINES:
            text.insert(-1, seen.words.say("ui", "more_findings", n=str(len(against) - MOST_LINES)))
        message = f"{against[0].rule.id} {against[0].message}"
        return f"<failure message={_attribute(one_line(message, 400))} type={_attribute(kind)}>{_text(text)}</failure>"
    waived = [line for line in lines if line.finding.excused]
    idle = [line for line in lines if line.finding.outcome is Outcome.NOT_RUN]
    reasons = [f"{_told(line)} {said(line.finding, seen.words)}".strip() for line in waived or idle]
    if waived or len(idle) == len(lines):
        return f"<skipped message={_attribute(one_line(' / '.join(reasons), 1_000))} />"
    return ""


def _remarks(seen: View) -> Iterator[str]:
    for n, remark in enumerate(seen.remarks, 1):
        message = _attribute(one_line(f"{remark.rule.id} {remark.message}", 400))
        kind = _attribute(remark.rule.severity.value)
        inside = f"<failure message={message} type={kind}>{_text([remark.message])}</failure>"
        yield _case("verdict", f"{n}. {', '.join(remark.refs) or remark.rule.reason}", inside)


def _told(line: Line) -> str:
    place = f"{line.aside}: " if line.aside else ""
    return one_line(f"{line.rule.id} {place}{line.message}", 1_000)


def _case(group: str, name: str, inside: str) -> str:
    head = f'classname={_attribute(f"{_SUITE}.{group}")} name={_attribute(one_line(name, 200))} time="0"'
    return f"<testcase {head}>{inside}</testcase>\n" if inside else f"<testcase {head} />\n"


def _text(lines: list[str]) -> str:
    return escape(_xml("\n".join(lines)))


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    """Write out what misleads, and what XML 1.0 cannot carry."""
    return _NOT_XML.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", visible(text, 1_000_000))
