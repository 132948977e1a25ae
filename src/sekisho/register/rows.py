"""The register as rows, one for each model, each made from the chain whenever it is looked at."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import DataError, UsageError
from sekisho.ledger import entry as entries
from sekisho.ledger import rules
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind, moment
from sekisho.ledger.states import APPROVED, State

_TO: Final = re.compile(r'"to":"([a-z-]+)"(?:,"until":"[^"]*")?\}$')
_STATES: Final = MappingProxyType({s.value: s for s in State})
SHORTEST: Final = 6
"""Hex digits that are enough to name a model, where no other begins with them."""
MARKS: Final = ("pilot-ended", "pilot-endless", "retest-overdue", "exception-ended")
"""What is wrong with a model that is in use; keys of the words `mark`."""


@dataclass(frozen=True)
class Listing:
    """Which rows are wanted."""

    state: State | None = None
    overdue: bool = False
    """Only models in use that are overdue."""
    skip: int = 0
    count: int = 100


@dataclass(frozen=True)
class Row:
    """One model of the register, as the chain has it."""

    subject: str
    """Root digest; of a request for an address that has not arrived, the digest of the request."""
    name: str = ""
    source: str = ""
    supplier: str = ""
    base: str = ""
    purpose: str = ""
    owner: str = ""
    data_class: str = ""
    users: str = ""
    revision: str = ""
    requester: str = ""
    state: State | None = None
    """None where nobody has requested it."""
    since: str = ""
    """When it came to that state."""
    until: str = ""
    """End of a pilot."""
    exit: tuple[str, ...] = ()
    """Exit criteria of a pilot."""
    decision: str = ""
    """`admit`, `hold` or `reject`; empty where there is none."""
    scope: str = ""
    """Of the decision: `files` or `behaviour`."""
    dossier: str = ""
    """Where the newest dossier was kept."""
    exception: str = ""
    """End of the newest exception; empty where there is none since the decision."""
    approver: str = ""
    """Of the newest approval, else of that exception."""
    due: str = ""
    """When the next test is due."""
    places: tuple[str, ...] = ()
    """Where it is deployed."""
    request: str = ""
    """The request for an address that these files arrived for."""
    last: int = 0
    """Newest entry about it: what a person has seen who looks at this row."""

    def marks(self, now: datetime) -> tuple[str, ...]:
        """What is overdue, of MARKS; only for a model in use."""
        if self.state not in APPROVED:
            return ()
        pilot = self.state is State.PILOT
        found = {
            "pilot-ended": pilot and _past(self.until, now),
            "pilot-endless": pilot and not self.until,
            "retest-overdue": _past(self.due, now),
            "exception-ended": self.decision != "admit"
            and (not self.exception or _past(self.exception, now)),
        }
        return tuple(k for k in MARKS if found[k])


@dataclass(frozen=True)
class Page:
    """Some of the register, and how much there is."""

    rows: tuple[Row, ...]
    counts: Mapping[State | None, int]
    """Models at each state, of the whole register; None where nobody asked."""


def row(ledger: Ledger, subject: str) -> Row | None:
    """The row of a model, from the chain; None where nothing is known of it. Raises StorageError."""
    history = ledger.history(subject)
    return fold(subject, history) if history else None


def fold(subject: str, history: Iterable[Entry], before: Row | None = None) -> Row:
    """Make a row of entries, oldest first, or add them to the row `before` them.

    An entry that cannot be read is passed over: `ledger verify` names it.
    """
    made: dict[str, Any] = {k: v for k, v in vars(before).items() if k != "subject"} if before else {}
    for entry in history:
        with suppress(DataError, KeyError, ValueError, TypeError, AttributeError):
            made |= _changes(made, entry)
        made["last"] = entry.sequence
    return Row(subject, **made)


def page(ledger: Ledger, wish: Listing = Listing()) -> Page:
    """Models, those with the newest entries first, and how many there are in all, read together. Raises StorageError."""
    seen = _Overview(arrivals(ledger), ledger.heads(), _states(ledger))
    return Page(_chosen(ledger, wish, seen), _counted(seen))


def listed(ledger: Ledger, wish: Listing = Listing()) -> tuple[Row, ...]:
    """Models, those with the newest entries first. Raises StorageError."""
    states = _states(ledger) if wish.state or wish.overdue else {}
    return _chosen(ledger, wish, _Overview(arrivals(ledger), ledger.heads(), states))


def counts(ledger: Ledger) -> Mapping[State | None, int]:
    """How many models stand at each state, None where nobody asked; a request that arrived is not counted twice."""
    return _counted(_Overview(arrivals(ledger), ledger.heads(), _states(ledger)))


@dataclass(frozen=True)
class _Overview:
    """What is read once, whatever is listed."""

    arrived: Mapping[str, str]
    heads: Mapping[str, int]
    states: Mapping[str, State]


def _chosen(ledger: Ledger, wish: Listing, seen: _Overview) -> tuple[Row, ...]:
    chosen: Iterable[str] = seen.heads
    if wish.state or wish.overdue:
        wanted = (wish.state,) if wish.state else APPROVED
        chosen = [s for s in seen.heads if seen.states.get(s) in wanted]
    order = sorted((s for s in chosen if s not in seen.arrived), key=lambda s: -seen.heads[s])
    if wish.overdue:
        late = (r for r in (row(ledger, s) for s in order) if r and r.marks(ledger.now()))
        return tuple(islice(late, wish.skip, wish.skip + wish.count))
    found = (row(ledger, s) for s in order[wish.skip : wish.skip + wish.count])
    return tuple(r for r in found if r)


def _counted(seen: _Overview) -> Mapping[State | None, int]:
    asked = {subject: request for request, subject in seen.arrived.items()}
    states = seen.states
    found = Counter(states.get(s, states.get(asked.get(s, ""))) for s in seen.heads if s not in seen.arrived)
    return {state: found[state] for state in (None, *State) if found[state]}


def _states(ledger: Ledger) -> Mapping[str, State]:
    """Where each model stands, read off the end of its newest change: canonical bodies end with `to` and `until`."""
    found = {s: _TO.search(body) for s, (_, body) in ledger.newest(Kind.STATE_CHANGE).items()}
    return {s: _STATES[match[1]] for s, match in found.items() if match and match[1] in _STATES}


def arrivals(ledger: Ledger) -> Mapping[str, str]:
    """Requests for an address, and the files that arrived for each."""
    links = ledger.search('"request":"', Kind.MODEL_REGISTERED)
    return {asked: e.subject for e in links if (asked := rules.request((e,)))}


def find(ledger: Ledger, text: str) -> str:
    """The subject that a digest, its beginning, or a name of the register means. Raises UsageError."""
    arrived = arrivals(ledger)
    start = text.strip().lower()
    fits = ledger.begun(start) if len(start) >= SHORTEST and set(start) <= set("0123456789abcdef") else ()
    if not fits:
        quoted = entries.canonical({"name": text})[1:-1]
        named = (e for e in ledger.search(quoted) if e.subject and e.content.get("name") == text)
        fits = tuple(dict.fromkeys(e.subject for e in named))
    fits = tuple(dict.fromkeys(arrived.get(s, s) for s in fits))
    if len(fits) > 1:
        raise UsageError(f"{text!r} means {len(fits)} models of the register; name more of the digest")
    if not fits:
        raise UsageError(f"{text!r} is no model of the register; sekisho models lists them")
    return fits[0]


def _changes(row: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    body = entry.content
    if entry.kind == Kind.MODEL_REGISTERED:
        keys = ("name", "source", "supplier", "base", "purpose", "owner", "data_class", "users", "request")
        named = {k: str(body[k]) for k in keys if body.get(k)}
        return named if body.get("request") else named | {"requester": entry.actor}
    if entry.kind == Kind.STATE_CHANGE:
        return _changed(entry, body)
    if entry.kind == Kind.DECISION:
        name = {} if row.get("name") else {"name": str(body.get("name", ""))}
        path = str(body.get("dossier_path", ""))
        told = {"decision": str(body["decision"]), "scope": str(body["scope"]), "dossier": path}
        return name | told | {"exception": "", "approver": ""}
    if entry.kind == Kind.EXCEPTION:
        return {"exception": str(body["expires"]), "approver": str(body["approver"])}
    if entry.kind == Kind.APPROVAL:
        return {"approver": entry.actor}
    if entry.kind == Kind.RE_TEST_DUE:
        return {"due": str(body["due"])}
    if entry.kind == Kind.DEPLOYMENT:
        return {"places": tuple(dict.fromkeys((*row.get("places", ()), str(body["place"]))))}
    if entry.kind == Kind.INTAKE:
        return {
            "revision": str(body.get("revision", "")),
            **({} if row.get("source") else {"source": str(body["source"])}),
        }
    return {}


def _changed(entry: Entry, body: Mapping[str, Any]) -> dict[str, Any]:
    state = State(str(body["to"]))
    made: dict[str, Any] = {"state": state, "since": entry.time, "until": str(body.get("until", ""))}
    made["exit"] = tuple(str(x) for x in body.get("exit", ()))
    if state is State.REQUESTED:
        made["requester"] = entry.actor
    if state in (State.RE_TEST, State.RETIRED):
        made["due"] = ""
    if state is State.RETIRED:
        made["places"] = ()
    scope = body.get("scope")
    if state is State.PILOT and isinstance(scope, dict):
        made |= {k: str(scope[k]) for k in ("users", "data_class") if scope.get(k)}
    return made


def _past(stamp: str, now: datetime) -> bool:
    """Whether a time is over; one that cannot be read counts as over."""
    if not stamp:
        return False
    try:
        return moment(stamp) <= now
    except DataError:
        return True
