"""Which entry may follow which: pure, on the earlier entries about the same model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sekisho.errors import RuleError
from sekisho.ledger import kinds
from sekisho.ledger.entry import Draft, Entry, name, same_person
from sekisho.ledger.kinds import Kind, moment
from sekisho.ledger.states import APPROVED, STEPS, State

RULED: Final = frozenset({Kind.STATE_CHANGE, Kind.APPROVAL, Kind.EXCEPTION, Kind.DECISION})
"""Kinds that are about a model, and for which the earlier entries about it count."""


def allow(draft: Draft, history: Sequence[Entry], now: datetime) -> None:
    """Let a draft pass or say why not. Raises RuleError, DataError.

    `history` holds every earlier entry about the draft's subject, oldest first.
    """
    if draft.kind in RULED and not draft.subject:
        raise RuleError(f"an entry of kind {draft.kind.value} is about a model: name its root digest")
    kinds.check(draft.kind, draft.body)
    _bound(history)
    if draft.kind is Kind.APPROVAL:
        _not_requester(draft.actor, history, "")
    elif draft.kind is Kind.EXCEPTION:
        _exception(draft, history, now)
    elif draft.kind is Kind.STATE_CHANGE:
        _step(draft, history, now)


def state(history: Sequence[Entry]) -> State | None:
    """Where a model stands; None if nobody has requested it."""
    found = _newest(history, Kind.STATE_CHANGE)
    return None if found is None else State(str(found.content["to"]))


def requester(history: Sequence[Entry]) -> str:
    """Who asked for the model last; empty if nobody did."""
    changes = [e for e in history if e.kind == Kind.STATE_CHANGE]
    asked = [e.actor for e in changes if e.content.get("to") == State.REQUESTED]
    named = [e.actor for e in history if e.kind == Kind.MODEL_REGISTERED]
    return (asked or named or [""])[-1]


def request(history: Sequence[Entry]) -> str:
    """Subject of the request that these files arrived for, where they were asked for before they were here; else empty."""
    named = [e.content.get("request") for e in history if e.kind == Kind.MODEL_REGISTERED]
    return next((str(r) for r in named if r), "")


def decision(history: Sequence[Entry]) -> Entry | None:
    """The newest decision."""
    return _newest(history, Kind.DECISION)


def standing(history: Sequence[Entry], kind: Kind) -> tuple[Entry, ...]:
    """Entries of a kind written after the newest decision, which ends those before it."""
    decided = decision(history)
    return tuple(e for e in history if e.kind == kind and (decided is None or e.sequence > decided.sequence))


def exception(history: Sequence[Entry], now: datetime) -> Entry | None:
    """The newest exception that is in force: not expired, and younger than the newest decision."""
    decided = decision(history)
    after = decided.sequence if decided else 0
    found = _newest(history, Kind.EXCEPTION)
    if found is None or found.sequence < after:
        return None
    return found if moment(str(found.content["expires"])) > now else None


def _exception(draft: Draft, history: Sequence[Entry], now: datetime) -> None:
    if moment(str(draft.body["expires"])) <= now:
        raise RuleError("an exception ends in the future; this one has already expired")
    _not_requester(name(str(draft.body["approver"])), history, draft.actor)


def _not_requester(approver: str, history: Sequence[Entry], actor: str) -> None:
    asked = requester(history) or actor
    if not asked:
        raise RuleError("nobody has requested this model, so nobody can approve it")
    if same_person(approver, asked):
        raise RuleError(f"{approver} asked for this model and cannot approve it; somebody else must")


def _step(draft: Draft, history: Sequence[Entry], now: datetime) -> None:
    old, new = state(history), State(str(draft.body["to"]))
    if new not in STEPS[old]:
        known = ", ".join(s.value for s in State if s in STEPS[old])
        stands = f"stands at {old.value}" if old else "has not been requested"
        raise RuleError(f"the model {stands}; {new.value} cannot follow, only {known}")
    decided = decision(history)
    if new is State.DECIDED:
        _decided_since(history, decided)
    if new in APPROVED:
        _let_in(new, history, decided, now)


def _decided_since(history: Sequence[Entry], decided: Entry | None) -> None:
    """A re-test, and a new request after retirement, end with a decision of their own."""
    if decided is None:
        raise RuleError("no decision on this model is in the ledger")
    changes = [e for e in history if e.kind == Kind.STATE_CHANGE]
    again = [e for e in changes if e.content.get("to") in (State.RE_TEST, State.RETIRED)]
    if again and decided.sequence < again[-1].sequence:
        since = f"entry {again[-1].sequence} ({again[-1].content['to']})"
        raise RuleError(f"no decision on this model is in the ledger since {since}; test it again")


def _let_in(new: State, history: Sequence[Entry], decided: Entry | None, now: datetime) -> None:
    """Pilot and production rest on a decision about behaviour or an exception, and on a second person."""
    if decided is None:
        raise RuleError("no decision on this model is in the ledger")
    body = decided.content
    admitted = body["decision"] == "admit" and body["scope"] == "behaviour"
    if not admitted and exception(history, now) is None:
        what = f"{body['decision']} on {body['scope']}"
        raise RuleError(
            f"{new.value} needs an admit on behaviour or an exception in force; entry {decided.sequence} says {what}"
        )
    asked = requester(history)
    approvals = standing(history, Kind.APPROVAL)
    if not any(e.content.get("of") == new and not same_person(e.actor, asked) for e in approvals):
        raise RuleError(
            f"{new.value} has not been approved since the newest decision, entry {decided.sequence}"
        )


def _bound(history: Sequence[Entry]) -> None:
    """Files stand for a request only if that asked for their source: who asked cannot be exchanged by a link."""
    named = [(e, e.content) for e in history if e.kind == Kind.MODEL_REGISTERED]
    for entry, body in named:
        asked = {b["source"] for e, b in named if e.subject == body.get("request")}
        if asked and body["source"] not in asked:
            raise RuleError(f"entry {entry.sequence} binds these files to a request for another source")


def _newest(history: Sequence[Entry], kind: Kind) -> Entry | None:
    return next((e for e in reversed(history) if e.kind == kind), None)
