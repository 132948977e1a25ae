"""What opinions mean for the verdict: an alarm holds, silence is a note, and absence is said."""

from collections.abc import Iterator
from typing import Final

from sekisho.formats.text import shown
from sekisho.opinions.base import CHECK, Opinion
from sekisho.opinions.tools import CORE
from sekisho.records import Facts, Finding, Outcome, Severity

_LISTED: Final = 20
_SENTENCES: Final = {
    "alarm": "{tool} {version} objects to {file}: {text}",
    "more-alarms": "{tool} {version} raises {count} more alarms.",
    "no-alarm": "{tool} {version} raised no alarm, which counts for nothing here.",
    "not-covered": "{tool} {version} could not look at {file}.",
    "other-version": "{tool} is {version}; its answers were tested with {tested}.",
    "absent": "{tool} was asked for and did not look: {problem}.",
    "nothing-to-read": "{tool} was asked for and did not look: {problem}.",
    "failed": "{tool} {version} was asked for and gave no answer: {problem}.",
}


def judge(opinion: Opinion, *, needed: bool = False) -> Iterator[Finding]:
    """Yield findings; `needed` where the policy rests on the tool, which then holds by not having looked."""
    grave = Severity.HOLD if needed and opinion.tool in CORE else Severity.NOTE
    if opinion.problem:
        missing = Severity.NOTE if opinion.problem == "nothing-to-read" else grave
        words = (("problem", shown(opinion.detail)),)
        yield _finding(opinion, opinion.problem, Outcome.NOT_RUN, missing, named=words)
        return
    if opinion.version != opinion.tested:
        yield _finding(
            opinion, "other-version", Outcome.PASS, Severity.NOTE, named=(("tested", opinion.tested),)
        )
    for remark in opinion.alarms[:_LISTED]:
        named = (("file", shown(remark.file) or "-"), ("text", shown(remark.text)))
        yield _finding(opinion, "alarm", Outcome.FAIL, Severity.HOLD, named=named, where=remark.file)
    if len(opinion.alarms) > _LISTED:
        more = (("count", str(len(opinion.alarms) - _LISTED)),)
        yield _finding(opinion, "more-alarms", Outcome.FAIL, Severity.HOLD, named=more)
    for file in opinion.unseen[:_LISTED]:
        place = (("file", shown(file) or "-"),)
        yield _finding(opinion, "not-covered", Outcome.CANNOT_TELL, grave, named=place, where=file)
    if not opinion.alarms:
        yield _finding(opinion, "no-alarm", Outcome.PASS, Severity.NOTE)


def _finding(
    opinion: Opinion, reason: str, outcome: Outcome, severity: Severity, *, named: Facts = (), where: str = ""
) -> Finding:
    facts = (("tool", opinion.tool), ("version", shown(opinion.version)), *named)
    sentence = _SENTENCES[reason].format(**dict(facts))
    return Finding(CHECK, outcome, severity, shown(where), reason, sentence, facts)
