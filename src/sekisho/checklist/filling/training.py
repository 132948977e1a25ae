"""C19 and C20: your own finetuning, as the ledger has it."""

from typing import Final

from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger.kinds import Kind

_RUN: Final = "record.run"
"""Key in a training record's settings: the name of one run of the training."""
_SAME: Final = ("base_digest", "data_digest", "output_digest")


def data(sources: Sources) -> Filled:
    """C19: recorded by digest, owner and class."""
    if sources.entries is None:
        return unknown("no-ledger")
    records = sources.kind(Kind.TRAINING_RECORD)
    if not records:
        return unknown("no-training")
    body, refs = records[-1].content, (ledger_ref(records[-1]),)
    digest, settings = str(body.get("data_digest", "")), body.get("settings") or {}
    if not digest:
        return no("data-without-digest", refs)
    owner, kind = (str(settings.get(k, "")) for k in ("data.owner", "data.classification"))
    if owner and kind:
        return yes("data-recorded", refs, digest=digest[:12], owner=owner, data_class=kind)
    return unknown("data-digest-only", refs, digest=digest[:12])


def rerun(sources: Sources) -> Filled:
    """C20: the log is kept, and a second run from the same base and data gave the same files."""
    if sources.entries is None:
        return unknown("no-ledger")
    records = sources.kind(Kind.TRAINING_RECORD)
    if not records:
        return unknown("no-training")
    last = records[-1].content
    head = str(last.get("log_head", ""))
    if not head:
        return no("no-log", (ledger_ref(records[-1]),))
    alike = [e for e in records if all(last.get(k) and e.content.get(k) == last[k] for k in _SAME)]
    runs = {str((e.content.get("settings") or {}).get(_RUN, "")) for e in alike} - {""}
    refs = tuple(ledger_ref(e) for e in alike) or (ledger_ref(records[-1]),)
    if len(runs) > 1:
        return yes("rerun-same", refs, head=head[:12], n=str(len(runs)))
    return unknown("log-only", refs, head=head[:12])
