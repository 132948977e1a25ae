"""Which steps of the register a page offers, and what each asks for; whether one is allowed, the ledger says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sekisho.ledger import rules
from sekisho.ledger.entry import Entry, same_person
from sekisho.ledger.kinds import WHY_AGAIN, Kind
from sekisho.ledger.states import State
from sekisho.register.rows import Row
from sekisho.register.wishes import DATA_CLASSES, NEEDED, Action

_S, _A = State, Action
_TESTING: Final = (_A.DECIDE, _A.RETIRE)
OFFERED: Final[Mapping[State | None, tuple[Action, ...]]] = MappingProxyType(
    {
        None: (),
        _S.REQUESTED: (_A.RECEIVE, *_TESTING),
        _S.RECEIVED: _TESTING,
        _S.STATIC: _TESTING,
        _S.BEHAVIOUR: _TESTING,
        _S.DRILL: _TESTING,
        _S.DECIDED: (_A.APPROVE, _A.PILOT, _A.EXCEPT, _A.RETEST, _A.RETIRE),
        _S.PILOT: (_A.APPROVE, _A.PRODUCE, _A.EXCEPT, _A.DEPLOY, _A.RETEST, _A.RETIRE),
        _S.PRODUCTION: (_A.DEPLOY, _A.EXCEPT, _A.RETEST, _A.RETIRE),
        _S.RE_TEST: _TESTING,
        _S.RETIRED: (),
    }
)
"""At each state; asking for a model has a page of its own."""
TESTED: Final = frozenset({_S.REQUESTED, _S.RECEIVED, _S.STATIC, _S.BEHAVIOUR, _S.DRILL, _S.RE_TEST})
"""States in which a vet is what comes next."""
NEXT_APPROVED: Final[Mapping[State | None, State]] = MappingProxyType(
    {_S.DECIDED: _S.PILOT, _S.PILOT: _S.PRODUCTION}
)
"""What may be approved at a state."""
ENTERED: Final[Mapping[State, Action]] = MappingProxyType({_S.PILOT: _A.PILOT, _S.PRODUCTION: _A.PRODUCE})
"""The step that goes there once it is approved."""


@dataclass(frozen=True)
class Field:
    """One field of a step's form."""

    name: str
    kind: str = "line"
    """`line`, `lines` (one fact on each), `days`, `date` or `choice`."""
    choices: tuple[str, ...] = ()
    default: str = ""


_COMMENT, _PLACE = Field("comment"), Field("place")
_CLASS: Final = Field("data_class", "choice", DATA_CLASSES)
FIELDS: Final[Mapping[Action, tuple[Field, ...]]] = MappingProxyType(
    {
        _A.RECEIVE: (Field("path"),),
        _A.DECIDE: (),
        _A.APPROVE: (_COMMENT,),
        _A.PILOT: (
            Field("users"),
            Field("days", "days", default="30"),
            _CLASS,
            Field("exit", "lines"),
            _PLACE,
        ),
        _A.PRODUCE: (_PLACE, Field("met"), Field("retest_days", "days", default="180")),
        _A.DEPLOY: (_PLACE, _COMMENT),
        _A.RETEST: (Field("because", "choice", WHY_AGAIN), Field("reason")),
        _A.RETIRE: (Field("reason"),),
        _A.EXCEPT: (Field("reason"), Field("expires", "date"), Field("covers")),
    }
)
"""What the form of each step asks; `of` and `approver` follow from the state and from who is signed in."""


APPROVING: Final = frozenset({_A.APPROVE, _A.EXCEPT})
"""Steps that nobody takes for a model they asked for."""


def offered(row: Row, step: Action | None, person: str) -> tuple[Action, ...]:
    """What a page offers this person, `step` being likely: no approval of their own wish, and nothing before it is approved."""
    left_out = APPROVING if own(row, person) else frozenset()
    if step not in ENTERED.values():
        left_out |= frozenset(ENTERED.values())
    return tuple(a for a in OFFERED[row.state] if a not in left_out)


def own(row: Row, person: str) -> bool:
    """Whether this person asked for the model, so that somebody else must approve it."""
    return same_person(row.requester, person)


def admitted(row: Row) -> bool:
    """Whether the newest decision lets the model in by itself."""
    return (row.decision, row.scope) == ("admit", "behaviour")


def approved(history: Sequence[Entry], of: State) -> str:
    """Who approved a state since the newest decision; empty where nobody did."""
    given = rules.standing(history, Kind.APPROVAL)
    return next((e.actor for e in given if e.content.get("of") == of), "")


def likely(row: Row, history: Sequence[Entry], now: datetime) -> Action | None:
    """The step that a page puts first; None where a vet comes first, or nothing is due."""
    if row.state in TESTED:
        changed = max((e.sequence for e in history if e.kind == Kind.STATE_CHANGE), default=0)
        decided = rules.decision(history)
        return _A.DECIDE if decided and decided.sequence > changed else None
    if row.state not in NEXT_APPROVED:
        return None
    if not admitted(row) and rules.exception(history, now) is None:
        return _A.EXCEPT
    to = NEXT_APPROVED[row.state]
    return ENTERED[to] if approved(history, to) else _A.APPROVE


def due(row: Row, step: Action | None) -> str:
    """Key of the sentence that says what comes next."""
    by_step = {
        _A.DECIDE: "verdict-recorded",
        _A.EXCEPT: "not-admitted",
        _A.PILOT: "pilot-approved",
        _A.PRODUCE: "production-approved",
    }
    found = by_step.get(step) if step else None
    return found or (row.state.value if row.state else "none")


def needed(action: Action) -> frozenset[str]:
    """Names of the fields that may not stay empty."""
    return frozenset(NEEDED[action]) | ({"path"} if action is Action.RECEIVE else set())
