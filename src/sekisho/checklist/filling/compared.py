"""C21: a person has signed off the differences, since the newest verdict."""

from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger import rules
from sekisho.ledger.kinds import Kind


def read(sources: Sources) -> Filled:
    """The newest sign-off of a comparison that ends at this model."""
    if sources.entries is None:
        return unknown("no-ledger")
    signed = sources.kind(Kind.SIGN_OFF)
    if not signed:
        return unknown("not-answered")
    last, refs = signed[-1], (ledger_ref(signed[-1]),)
    if last not in rules.standing(sources.entries, Kind.SIGN_OFF):
        return unknown("diff-before", refs)
    facts = {
        "who": last.actor,
        "before": str(last.content["before"]),
        "n": str(len(last.content["decisions"])),
    }
    if last.content["outcome"] == "accepted":
        return yes("diff-accepted", refs, **facts)
    return (
        no("diff-objected", refs, **facts)
        if last.content["outcome"] == "objected"
        else unknown("diff-open", refs, **facts)
    )
