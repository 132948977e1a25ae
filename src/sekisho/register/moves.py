"""`move`: one step of a model, written as one batch of entries or not at all."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import RuleError
from sekisho.ledger import rules
from sekisho.ledger.book import Ledger, stamp
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import WHY_AGAIN, Kind
from sekisho.ledger.states import APPROVED, State
from sekisho.register.wishes import NEXT, Action, Wish, complete

_History = Sequence[Entry]
_Body = dict[str, Any]
_Steps = list[tuple[Kind, _Body]]
_TEST: Final = (State.RECEIVED, State.STATIC, State.BEHAVIOUR, State.DRILL)
_BEFORE_TEST: Final = (State.REQUESTED, State.RE_TEST)
_OF: Final = MappingProxyType({State.PILOT: State.DECIDED, State.PRODUCTION: State.PILOT})
"""Where a model stands while somebody may approve the next state."""
_ASKED: Final = ("name", "source", "purpose", "data_class", "users", "owner", "supplier", "base", "request")


def move(ledger: Ledger, subject: str, wish: Wish) -> tuple[Entry, ...]:
    """Take one step; durable when this returns. `subject` is a root digest, or that of a request for an address.

    Raises RuleError with one line that says what is missing, or who was quicker; DataError, LimitError, StorageError.
    """
    complete(wish)
    history = ledger.history(subject)
    seen = max((e.sequence for e in ledger.about(subject)), default=0) if wish.seen is None else wish.seen
    try:
        steps = _MADE[wish.action](wish, history, ledger.now())
        drafts = [Draft(wish.by, kind, subject, body) for kind, body in steps]
        return ledger.extend(drafts, seen=seen)
    except RuleError as error:
        raise RuleError(f"{error}{_hint(str(error), rules.state(history))}") from error


def _hint(said: str, stands: State | None) -> str:
    """What to do about a refusal, where it is about the order of steps."""
    if "needs an admit" in said:
        return "; settle what the report names and vet again, or: sekisho except"
    about_order = (
        "stands at",
        "has not been approved",
        "not been requested",
        "nobody has requested",
        "no decision",
    )
    return f"; {NEXT[stands]}" if any(text in said for text in about_order) else ""


def _change(to: State, **more: Any) -> tuple[Kind, _Body]:
    return Kind.STATE_CHANGE, {"to": to.value} | {k: v for k, v in more.items() if v}


def _request(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history, now
    body = {k: wish.facts[k] for k in _ASKED if wish.facts.get(k)}
    return [(Kind.MODEL_REGISTERED, body), _change(State.REQUESTED)]


def _receive(wish: Wish, history: _History, now: datetime) -> _Steps:
    """Bind files to the request they arrived for, where that was for an address; else note that they are here."""
    del now
    asked = str(wish.facts.get("request", ""))
    known = any(e.kind == Kind.MODEL_REGISTERED for e in history)
    linked: _Steps = []
    if asked and not known:
        linked = [(Kind.MODEL_REGISTERED, {k: wish.facts[k] for k in _ASKED if wish.facts.get(k)})]
    source = {"source": wish.facts["source"]}
    intake = source | {k: wish.facts[k] for k in ("revision", "record_digest", "files") if wish.facts.get(k)}
    return [*linked, (Kind.INTAKE, intake), _change(State.RECEIVED)]


def _decide(wish: Wish, history: _History, now: datetime) -> _Steps:
    """Walk through the stages that the newest decision has behind it."""
    del now
    decision, stands = rules.decision(history), rules.state(history)
    if stands is None:
        raise RuleError("the model has not been requested")
    if stands not in (*_BEFORE_TEST, *_TEST):
        raise RuleError(f"the model stands at {stands.value}; there is nothing to decide")
    began = max((e.sequence for e in history if e.content.get("to") == State.RE_TEST), default=0)
    if decision is None or decision.sequence < began:
        raise RuleError("no decision on these files is in the ledger since the test began")
    why = f"entry {decision.sequence}"
    return [_change(s, reason=why) for s in _stages(decision, stands, wish)]


def _stages(decision: Entry, stands: State, wish: Wish) -> list[State]:
    path = [State.RECEIVED, State.STATIC]
    if decision.content.get("scope") == "behaviour":
        path += [State.BEHAVIOUR, *((State.DRILL,) if wish.drilled else ())]
    if stands is State.RE_TEST:
        path = path[1:]
    elif stands in _TEST:
        path = [s for s in path if _TEST.index(s) > _TEST.index(stands)]
    return [*path, State.DECIDED]


def _approve(wish: Wish, history: _History, now: datetime) -> _Steps:
    del now
    known = ", ".join(sorted(s.value for s in APPROVED))
    if wish.facts["of"] not in tuple(APPROVED):
        raise RuleError(f"--of is one of {known}")
    of, stands = State(wish.facts["of"]), rules.state(history)
    for entry in rules.standing(history, Kind.APPROVAL):
        if entry.content.get("of") == of:
            raise RuleError(f"{entry.actor} has already approved {of.value}, entry {entry.sequence}")
    if stands is not _OF[of]:
        where = f"stands at {stands.value}" if stands else "has not been requested"
        raise RuleError(f"the model {where}; {of.value} is approved at {_OF[of].value}")
    return [(Kind.APPROVAL, {"of": of.value} | _some(wish, "comment"))]


def _pilot(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history
    facts = wish.facts
    scope = {k: facts[k] for k in ("users", "days", "data_class")}
    until = stamp(now + timedelta(days=facts["days"]))
    made = [_change(State.PILOT, until=until, scope=scope, exit=list(facts["exit"]), **_some(wish, "reason"))]
    return [*made, *_deployed(wish)]


def _produce(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history
    due = stamp(now + timedelta(days=wish.facts["retest_days"]))
    again = (Kind.RE_TEST_DUE, {"due": due, "because": "period"})
    return [_change(State.PRODUCTION, reason=wish.facts["met"]), *_deployed(wish), again]


def _deploy(wish: Wish, history: _History, now: datetime) -> _Steps:
    del now
    stands = rules.state(history)
    if stands not in APPROVED:
        where = f"stands at {stands.value}" if stands else "has not been requested"
        raise RuleError(f"the model {where}; only a pilot or a production model is deployed")
    return _deployed(wish)


def _deployed(wish: Wish) -> _Steps:
    body = _some(wish, "place", "lock_digest", "comment")
    return [(Kind.DEPLOYMENT, body)] if "place" in body else []


def _retest(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history, now
    because = wish.facts["because"]
    if because not in WHY_AGAIN:
        raise RuleError(f"--because is one of {', '.join(WHY_AGAIN)}")
    said = wish.facts.get("reason")
    return [_change(State.RE_TEST, reason=f"{because}: {said}" if said else because)]


def _retire(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history, now
    return [_change(State.RETIRED, reason=wish.facts["reason"])]


def _except(wish: Wish, history: _History, now: datetime) -> _Steps:
    del history, now
    return [(Kind.EXCEPTION, _some(wish, "reason", "approver", "expires", "covers"))]


def _some(wish: Wish, *keys: str) -> _Body:
    return {k: wish.facts[k] for k in keys if wish.facts.get(k)}


_MADE: Final[Mapping[Action, Callable[[Wish, _History, datetime], _Steps]]] = MappingProxyType(
    {
        Action.REQUEST: _request,
        Action.RECEIVE: _receive,
        Action.DECIDE: _decide,
        Action.APPROVE: _approve,
        Action.PILOT: _pilot,
        Action.PRODUCE: _produce,
        Action.DEPLOY: _deploy,
        Action.RETEST: _retest,
        Action.RETIRE: _retire,
        Action.EXCEPT: _except,
    }
)
