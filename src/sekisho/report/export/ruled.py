"""What somebody decided about a finding, as a sentence."""

from sekisho.records import Finding, Ruled, Ruling
from sekisho.report.words import Words


def said(finding: Finding, words: Words) -> str:
    """Every ruling on a finding, one sentence each; empty where there is none."""
    gap = "" if words.language == "ja" else " "
    return gap.join(_said(ruling, finding, words) for ruling in finding.rulings)


def _said(ruling: Ruling, finding: Finding, words: Words) -> str:
    if ruling.kind is Ruled.SUPPRESSED:
        facts = {"approver": ruling.approver, "expires": ruling.expires, "reason": ruling.reason}
        return words.say("ruling", "suppressed", **facts)
    if ruling.kind is Ruled.KNOWN:
        return words.say("ruling", "known")
    facts = {k: words.say("severity", s) for k, s in (("was", ruling.was), ("now", finding.severity))}
    key = "overridden" if ruling.reason else "raised"
    return words.say("ruling", key, reason=ruling.reason, **facts)
