"""C19 and C20: your own finetuning, as the ledger has it."""

from typing import Final

from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger.kinds import Kind

RERUN: Final = "rerun"
"""Key in a training record's settings that says what came of repeating it."""
_SAME: Final = ("reproduced", "within-tolerance")


def data(sources: Sources) -> Filled:
    """C19: recorded by digest and owner; what it holds in words is for a person to say."""
    if sources.entries is None:
        return unknown("no-ledger")
    records = sources.kind(Kind.TRAINING_RECORD)
    if not records:
        return unknown("no-training")
    body, refs = records[-1].content, (ledger_ref(records[-1]),)
    digest, settings = str(body.get("data_digest", "")), body.get("settings") or {}
    if not digest:
        return no("data-without-digest", refs)
    owner = str(settings.get("owner", ""))
    if owner and settings.get("classification"):
        return yes("data-recorded", refs, digest=digest[:12], owner=owner)
    return unknown("data-digest-only", refs, digest=digest[:12])


def rerun(sources: Sources) -> Filled:
    """C20: the log is kept, and a repetition gave the same."""
    if sources.entries is None:
        return unknown("no-ledger")
    records = sources.kind(Kind.TRAINING_RECORD)
    if not records:
        return unknown("no-training")
    body, refs = records[-1].content, (ledger_ref(records[-1]),)
    head = str(body.get("log_head", ""))
    outcome = str((body.get("settings") or {}).get(RERUN, ""))
    if not head:
        return no("no-log", refs)
    if outcome in _SAME:
        return yes("rerun-same", refs, head=head[:12])
    return no("rerun-differs", refs) if outcome else unknown("log-only", refs, head=head[:12])
