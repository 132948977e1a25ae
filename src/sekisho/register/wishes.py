"""What may be done to a model of the register, and what each such step must say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import RuleError
from sekisho.ledger.states import State


class Action(StrEnum):
    """One step of a model through the company; each is a verb of the command line."""

    REQUEST = "request"
    RECEIVE = "receive"
    DECIDE = "decide"
    APPROVE = "approve"
    PILOT = "pilot"
    PRODUCE = "produce"
    DEPLOY = "deploy"
    RETEST = "retest"
    RETIRE = "retire"
    EXCEPT = "except"


DATA_CLASSES: Final = ("public", "internal", "confidential", "personal")
"""What data a model may see, from the least to the most guarded."""

NEEDED: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
    {
        Action.REQUEST: ("name", "source", "purpose", "data_class", "users"),
        Action.RECEIVE: ("name", "source"),
        Action.DECIDE: (),
        Action.APPROVE: ("of",),
        Action.PILOT: ("users", "days", "data_class", "exit"),
        Action.PRODUCE: ("place", "met", "retest_days"),
        Action.DEPLOY: ("place",),
        Action.RETEST: ("because",),
        Action.RETIRE: ("reason",),
        Action.EXCEPT: ("reason", "approver", "expires"),
    }
)
"""Without these facts a step is refused."""

NEXT: Final[Mapping[State | None, str]] = MappingProxyType(
    {
        None: "first: sekisho request MODEL",
        State.REQUESTED: "next: sekisho receive, or sekisho vet --record and sekisho decide",
        State.RECEIVED: "next: sekisho vet --record, then sekisho decide",
        State.STATIC: "next: sekisho vet --record, then sekisho decide",
        State.BEHAVIOUR: "next: sekisho vet --record, then sekisho decide",
        State.DRILL: "next: sekisho decide",
        State.DECIDED: "next: sekisho approve --of pilot, by somebody else than who asked; then sekisho pilot",
        State.PILOT: "next: sekisho approve --of production, by somebody else than who asked; then sekisho produce",
        State.PRODUCTION: "next: sekisho retest or sekisho retire",
        State.RE_TEST: "next: sekisho vet --record, then sekisho decide",
        State.RETIRED: "next: sekisho request",
    }
)
"""What a person does from each state; ends the line that refuses a wrong move."""

_DAYS: Final = 3_660


@dataclass(frozen=True)
class Wish:
    """One step that somebody wants."""

    action: Action
    by: str
    """Who takes it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """NEEDED of the action; further keys of the ledger's kinds may be there."""
    drilled: bool = False
    """For DECIDE: the newest decision rests on trial finetunes."""
    seen: int | None = None
    """Newest entry about the model that the person saw before deciding; None: what is there when the step is taken."""


def complete(wish: Wish) -> None:
    """See that nothing is missing. Raises RuleError that names what is."""
    missing = [k for k in NEEDED[wish.action] if not _there(wish.facts.get(k))]
    if missing:
        named = ", ".join(f"--{k.replace('_', '-')}" for k in missing)
        raise RuleError(f"{wish.action.value} needs more: {named}")
    if not wish.by.strip():
        raise RuleError(f"{wish.action.value} needs more: --by, the name of who does it")
    given = wish.facts.get("data_class", DATA_CLASSES[0])
    if given not in DATA_CLASSES:
        raise RuleError(f"--data-class is one of {', '.join(DATA_CLASSES)}")
    for key in ("days", "retest_days"):
        _days(key, wish.facts.get(key, 1))


def _there(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _days(key: str, value: Any) -> None:
    if type(value) is not int or not 0 < value <= _DAYS:
        raise RuleError(f"--{key.replace('_', '-')} is a number of days, 1 to {_DAYS:,}")
