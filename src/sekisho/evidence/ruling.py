"""What a decision statement says, read strictly: nothing in it may be missing or of another kind."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.errors import MalformedError
from sekisho.evidence import codes
from sekisho.evidence.codes import Problem
from sekisho.records import Decision

DAY: Final = re.compile("[0-9]{4}-[01][0-9]-[0-3][0-9]")


@final
@dataclass(frozen=True)
class Demands:
    """What whoever verifies wants beyond signatures."""

    at: str
    """The day that counts, ISO 8601."""
    not_before: str = ""
    """Evidence signed before this day is refused; empty for any."""
    evidence: str = ""
    """Root digest that the folder must have; empty for any."""
    admitted: bool = False
    registered: bool = False
    """The run must have kept to a pre-registration."""
    beside: tuple[str, ...] = ()
    """Paths of the model that may be unsigned."""


@final
@dataclass(frozen=True)
class Read:
    """A decision."""

    verdict: str
    time: str
    until: tuple[tuple[str, str], ...]
    """Who or what, and its last day, empty for as long as the decision."""
    inputs: Mapping[str, str]
    """File name to sha256."""
    changed: tuple[str, ...] | None
    """Terms not kept; None without a pre-registration."""


def read(body: Mapping[str, Any]) -> Read:
    """Take a decision apart. Raises MalformedError."""
    predicate = _of(body.get("predicate"), dict)
    own = _of(predicate.get("sekisho"), dict)
    verdict, result = own.get("verdict"), predicate.get("verificationResult")
    if verdict not in [d.value for d in Decision] or (verdict == "admit") != (result == "PASSED"):
        raise MalformedError("verdict and result disagree")
    inputs = {
        str(i.get("uri")): str(_of(i.get("digest"), dict).get("sha256"))
        for i in _each(predicate, "inputAttestations")
    }
    until = [("decision", _day(own.get("validUntil")))]
    for granted in (*_each(own, "approvals"), *_each(own, "exceptions")):
        who, last = f"{granted.get('who')}: {granted.get('what')}", granted.get("until")
        until.append((who, last if last == "" else _day(last)))
    changed = None
    if own.get("preregistration") is not None:
        terms = _of(_of(own["preregistration"], dict).get("changed"), list)
        changed = tuple(str(t) for t in terms)
    return Read(str(verdict), str(predicate.get("timeVerified")), tuple(until), inputs, changed)


def check(found: Read, documents: Mapping[str, str], demands: Demands, name: str) -> Iterator[Problem]:
    """Hold a decision against the folder's other documents (name to sha256) and against what is demanded."""
    for other in sorted(documents.keys() | found.inputs.keys()):
        if documents.get(other) != found.inputs.get(other):
            cause = "not-named" if other in documents else "missing"
            yield Problem(codes.MIXED, other, cause)
    if demands.not_before and found.time[:10] < demands.not_before:
        facts = (("time", found.time), ("day", demands.not_before))
        yield Problem(codes.MIXED, name, "older", facts)
    for who, until in found.until:
        if until and until < demands.at:
            yield Problem(codes.EXPIRED, name, "expired", (("who", who), ("until", until)))
    if demands.admitted and found.verdict != Decision.ADMIT.value:
        yield Problem(codes.REFUSED, name, "not-admitted", (("verdict", found.verdict.upper()),))
    if demands.registered and found.changed is None:
        yield Problem(codes.REFUSED, name, "not-registered")
    elif found.changed:
        code = codes.REFUSED if demands.registered else codes.VERIFIED
        yield Problem(code, name, "terms-changed", (("terms", ", ".join(found.changed)),))


def _day(text: Any) -> str:
    if not isinstance(text, str) or not DAY.fullmatch(text):
        raise MalformedError("a date as in 2027-03-31 is needed")
    return text


def _each(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [_of(entry, dict) for entry in _of(table.get(key), list)]


def _of(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise MalformedError("something is missing, or of another kind")
    return value
