"""What the ledger says about watched models. Pure, on entries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind, moment

COMPARED: Final = {
    "data": "new-data",
    "base": "new-base",
    "adapter": "new-adapter",
    "revision": "new-revision",
    "root": "new-revision",
    "served": "new-revision",
    "libraries": "new-library",
    "questions": "new-questions",
}
"""Fact of a run -> why a change of it makes a re-test due, as the ledger's `because` names it."""


@dataclass(frozen=True)
class Trigger:
    """One reason for a re-test."""

    because: str
    """One of `ledger.kinds.WHY_AGAIN`."""
    was: str
    now: str


@dataclass(frozen=True)
class Watched:
    """One target as the ledger knows it."""

    target: str
    subject: str
    """Digest of the target's name, under which its entries are found."""
    last: Entry
    """The newest run."""
    accepted: Entry | None
    """The run that a person accepted last."""

    @property
    def due(self) -> datetime:
        """When the next run is due."""
        return moment(self.last.time) + timedelta(days=int(self.last.content["every_days"]))

    def overdue(self, now: datetime) -> timedelta | None:
        """How late the next run is; None while it is in time."""
        return now - self.due if now > self.due else None

    def triggers(self, now: datetime) -> tuple[Trigger, ...]:
        """What of the newest run makes a re-test due, and the period since the accepted one."""
        body = self.last.content
        found = changed(body["facts"], self.accepted.content["facts"] if self.accepted else None)
        if self.accepted is not None:
            found += period(self.accepted, now, int(body["retest_days"]))
        if body["outcome"] == "found" and (
            self.accepted is None or self.accepted.sequence < self.last.sequence
        ):
            found += (Trigger("finding", "", ""),)
        return found

    @property
    def waiting(self) -> bool:
        """Whether nobody has accepted any run yet, or the questions became others since."""
        return self.accepted is None or (
            self.last.content["outcome"] == "first" and self.accepted.sequence < self.last.sequence
        )


def changed(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> tuple[Trigger, ...]:
    """What differs between the facts of two runs; a fact that one of them lacks counts as changed."""
    if before is None:
        return ()
    keys = [k for k in COMPARED if _text(now.get(k)) != _text(before.get(k))]
    return tuple(Trigger(COMPARED[k], _text(before.get(k)), _text(now.get(k))) for k in keys)


def period(accepted: Entry, now: datetime, days: int) -> tuple[Trigger, ...]:
    """The trigger of time."""
    since = now - moment(accepted.time)
    return (Trigger("period", str(days), str(since.days)),) if since > timedelta(days=days) else ()


def newest(entries: Sequence[Entry]) -> Watched | None:
    """One target, from the entries about it, oldest first."""
    runs = {e.sequence: e for e in entries if e.kind == Kind.WATCH_RUN}
    if not runs:
        return None
    last = runs[max(runs)]
    taken = [runs.get(int(e.content["run"])) for e in entries if e.kind == Kind.WATCH_ACCEPTED]
    accepted = next((e for e in reversed(taken) if e is not None), None)
    return Watched(str(last.content["target"]), last.subject, last, accepted)


def watched(entries: Iterable[Entry]) -> tuple[Watched, ...]:
    """Every target that was ever watched, in the order of their first runs."""
    by_subject: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind in (Kind.WATCH_RUN, Kind.WATCH_ACCEPTED):
            by_subject.setdefault(entry.subject, []).append(entry)
    found = (newest(own) for own in by_subject.values())
    return tuple(w for w in found if w is not None)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    return "" if value is None else str(value)
