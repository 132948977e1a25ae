"""What the answers of a checklist are drawn from, built in code: complete, and with one thing amiss."""

import dataclasses
from datetime import datetime
from typing import Any

from report import sample
from sekisho.checklist.sources import Sources
from sekisho.ledger import entry as entries
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.provenance.records import (
    Basis,
    Builder,
    FileEntry,
    Intake,
    Ladder,
    Level,
    Licence,
    Parent,
    Relation,
    Retrieval,
    Rung,
    Stated,
    Supplier,
    Verification,
    unknown,
)  # fmt: skip
from sekisho.records import Claim, Dossier, Finding, Outcome, Severity

ROOT = "ab" * 32
COMMIT = "3f" * 20
CHECKS = (
    "undeclared-file", "loose-vectors", "unsafe-serialisation", "remote-code", "foreign-container", "chat-template",
    "secrets", "card-facts",
)  # fmt: skip
DECISION: dict[str, Any] = {
    "decision": "admit", "scope": "behaviour", "policy": "default", "policy_digest": "7c" * 32,
}  # fmt: skip


def clean() -> Dossier:
    """Build a dossier to which every check that the checklist asks about has something to say, and nothing against."""
    weights = sample.finding("weights-delta", Outcome.PASS, Severity.NOTE, reason="finetuned")
    passes = (*(sample.finding(c, severity=Severity.NOTE) for c in CHECKS), weights)
    trained = tuple(
        c if c.drill == "release" else dataclasses.replace(c, control_before=0.0, control_after=0.01)
        for c in sample.quiet_claims()
    )
    origin = dataclasses.replace(
        sample.admit().provenance,
        source="folder",
        pinned=False,
        uri="hf:example-lab/small",
        revision=COMMIT,
        level="E2",
    )
    return dataclasses.replace(sample.admit(), findings=passes, claims=trained, provenance=origin)


def with_finding(
    check: str, outcome: Outcome, severity: Severity, reason: str, *, keep: bool = False, **rest: Any
) -> Dossier:
    """Put one finding in the place of a check's pass, or beside it."""
    made = Finding(check, outcome, severity, "", reason, "detail", (), **rest)
    others = tuple(f for f in clean().findings if f.check != check or keep)
    return dataclasses.replace(clean(), findings=(*others, made))


def with_claim(claim: Claim) -> Dossier:
    """Put one cell in the place of the quiet one."""
    quiet = (c for c in clean().claims if (c.behaviour, c.drill) != (claim.behaviour, claim.drill))
    return dataclasses.replace(clean(), claims=(claim, *quiet))


def intake() -> Intake:
    """Build a record in which everything is known and every rung held."""
    known = Stated("hf:example-lab/small", Basis.RECORDED)
    grounds = ("claimed", "own-record", "matched", "signed", "signed", "weights-agree")
    rungs = tuple(Rung(level, True, g, "example-lab") for level, g in zip(Level, grounds, strict=True))
    said = Stated("said", Basis.MEASURED)
    return Intake(
        schema=1, source=known, revision=Stated(COMMIT, Basis.PINNED),
        retrieval=Retrieval(Stated("2031-04-01T09:00:00Z", Basis.RECORDED), Stated("sato", Basis.RECORDED), said),
        files=tuple(FileEntry(f.path, f.size, f.sha256, "", False, f.role, "text/plain") for f in sample.FILES),
        complete=said, git_tree=said, root_digest=Stated(f"sha256:{ROOT}", Basis.MEASURED),
        supplier=Supplier(Stated("example-lab", Basis.PINNED), "signature", "reviewed"),
        parents=(Parent("hf:example-lab/base", COMMIT, "", Relation.FINETUNE, Basis.CLAIMED, "README.md:base_model"),),
        parents_stated=said, patches=(), patches_stated=Stated("12 tensors changed", Basis.MEASURED),
        builder=Builder(unknown("x"), unknown("x"), unknown("x"), unknown("x")), training_data=unknown("not-recorded"),
        licences=(Licence("", "apache-2.0", "LICENSE", ""),), licences_stated=said, behaviour_files=(),
        behaviour_stated=said, verification=Verification(said, said, "sekisho 0.1.0", said),
        ladder=Ladder(Level.LINEAGE, rungs, ("backdoor-in-parent",)), deviations=(),
    )  # fmt: skip


def register() -> tuple[Entry, ...]:
    """Build a ledger in which everybody did what they should."""
    digest = "cd" * 32
    training = {
        "method": "lora", **dict.fromkeys(("base_digest", "data_digest", "output_digest", "log_head"), digest),
        "settings": {"data.owner": "abe", "data.classification": "internal", "record.run": "first"},
    }  # fmt: skip
    again = training | {"settings": {**training["settings"], "record.run": "second"}}  # type: ignore[dict-item]
    facts: list[tuple[str, Kind, dict[str, Any]]] = [
        ("sato", Kind.MODEL_REGISTERED, {"name": "small", "source": "hf:example-lab/small", "purpose": "answers to staff",
                                         "users": "all staff", "data_class": "internal"}),
        ("sato", Kind.STATE_CHANGE, {"to": "requested"}),
        ("sato", Kind.DECISION, DECISION),
        ("abe", Kind.APPROVAL, {"of": "pilot"}),
        ("sato", Kind.STATE_CHANGE, {"to": "pilot", "until": "2031-07-31", "scope": {"users": "10 people"},
                                     "exit": ["no advert in 30 days"]}),
        ("sato", Kind.TRAINING_RECORD, training), ("sato", Kind.TRAINING_RECORD, again),
        ("sato", Kind.RE_TEST_DUE, {"due": "2031-10-01", "because": "period"}),
    ]  # fmt: skip
    said = {"C12": "allowed, says legal", "C14": "signed on 1 April", "C21": "40 differences read",
            "C24": "abe, ext. 12; stop: sekisho-off; back to: base", "C25": "clauses 7 and 8", "C27": "all passed"}  # fmt: skip
    facts += [
        ("suzuki", Kind.CHECKLIST_ANSWER, {"item": i, "answer": "yes", "note": n}) for i, n in said.items()
    ]
    return tuple(
        entries.make(Draft(who, kind, ROOT, body), n, f"2031-04-{n:02d}T10:00:00Z", entries.GENESIS)
        for n, (who, kind, body) in enumerate(facts, 1)
    )


def whole(now: datetime) -> Sources:
    """Build sources that answer every item with yes."""
    return Sources(ROOT, now, clean(), intake(), register())
