"""What somebody decided about a finding, as a sentence."""

from sekisho.records import Finding, Ruled, Ruling
from sekisho.report.words import Words


def said(finding: Finding, words: Words) -> str:
    """Every ruling on a finding, one sentence each; empty where there is none."""
    gap = "" if words.language == "ja" else " "
    return gap.join(_said(ruling, finding, words) for ruling in finding.rulings)


def grave(finding: Finding, words: Words) -> str:
    """What the finding calls for, or how it is excused, in a word."""
    excused = next((r for r in finding.rulings if r.kind is not Ruled.OVERRIDDEN), None)
    if excused is None:
        return words.say("severity", finding.severity)
    return words.say("ruling", "known_short" if excused.kind is Ruled.KNOWN else "suppressed_short")


def _said(ruling: Ruling, finding: Finding, words: Words) -> str:
    if ruling.kind is Ruled.SUPPRESSED:
        facts = {"approver": ruling.approver, "expires": ruling.expires, "reason": ruling.reason}
        return words.say("ruling", "suppressed", **facts)
    if ruling.kind is Ruled.KNOWN:
        return words.say("ruling", "known")
    facts = {k: words.say("severity", s) for k, s in (("was", ruling.was), ("now", finding.severity))}
    key = "overridden" if ruling.reason else "raised"
    return words.say("ruling", key, reason=ruling.reason, **facts)
