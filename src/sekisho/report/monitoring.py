"""Watched models as text: what a run showed, and where every watch stands."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sekisho.ledger.entry import Entry
from sekisho.ledger.watches import Trigger, Watched
from sekisho.report.visible import one_line
from sekisho.report.words import Words, part, said_in

_FACT: Final = 60
"""Characters of a fact in a line."""


def sentences() -> Mapping[str, Any]:
    """All of `locale/parts/monitoring.toml`."""
    return part("monitoring")


def say(section: str, key: str, language: str, **facts: str) -> str:
    """One sentence, filled; the key itself where there is none."""
    return said_in("monitoring", section, key, language, **facts)


def triggers(found: Sequence[Trigger], language: str) -> tuple[str, ...]:
    """What makes a re-test due, one line each."""
    return tuple(dict.fromkeys(_trigger(t, language) for t in found))


def status(found: Sequence[Watched], now: datetime, language: str) -> str:
    """Where every watch stands."""
    if not found:
        return say("ui", "nothing", language)
    return "\n\n".join("\n".join(_standing(w, now, language)) for w in found)


def replayed(entry: Entry, language: str) -> str:
    """How much of a log was asked again; empty where none was."""
    body = entry.content.get("replay")
    if not isinstance(body, dict):
        return ""
    left = str(sum(int(n) for n in body["left_out"].values()))
    facts = {k: str(body[k]) for k in ("asked", "lines", "seed")}
    return say("ui", "replayed", language, left=left, **facts)


def _standing(watched: Watched, now: datetime, language: str) -> Iterator[str]:
    words = Words(language)
    late = watched.overdue(now)
    n, due = str(watched.last.sequence), words.moment(watched.due.isoformat(timespec="seconds"))
    yield one_line(watched.target, 200)
    if late is not None:
        yield "  " + say("ui", "overdue", language, days=str(late.days), due=due)
    yield "  " + say("ui", "due", language, last=words.moment(watched.last.time), n=n, due=due)
    yield "  " + say("outcome", str(watched.last.content["outcome"]), language)
    if watched.waiting:
        yield "  " + say("ui", "waiting", language, n=n)
    elif watched.accepted is not None:
        when = words.moment(watched.accepted.time)
        yield "  " + say("ui", "accepted", language, time=when, n=str(watched.accepted.sequence))
    if found := watched.triggers(now):
        yield "  " + say("ui", "retest", language)
        yield from (f"    - {line}" for line in triggers(found, language))


def _trigger(found: Trigger, language: str) -> str:
    why = say("because", found.because, language)
    if not found.was and not found.now:
        return say("ui", "why", language, why=why)
    unknown = say("ui", "none", language)
    sides = {k: one_line(v, _FACT) or unknown for k, v in (("was", found.was), ("now", found.now))}
    return say("ui", "days" if found.because == "period" else "changed", language, why=why, **sides)
