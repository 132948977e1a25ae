"""Watched models as text: what a run showed, and where every watch stands."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sekisho.ledger.entry import Entry
from sekisho.ledger.watches import Trigger, Watched
from sekisho.report.grounds import behaviour_title
from sekisho.report.visible import one_line
from sekisho.report.words import Words, part, said_in

FIRST: Final = "first"
"""Outcome of a run that there was nothing to hold against."""
_FACT: Final = 60
"""Characters of a fact in a line."""
_READ: Final = 4_000
"""Characters of a question or an answer."""


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


def answers(found: Sequence[tuple[str, str, str]], language: str) -> str:
    """Every (suite, question, answer) of a run, for a person to read before accepting it."""
    words = Words(language)
    question, answer = say("ui", "question", language), say("ui", "answer", language)
    lines: list[str] = []
    for number, (suite, asked, said) in enumerate(found):
        if not number or found[number - 1][0] != suite:
            lines += [f"== {behaviour_title(suite, words)}", ""]
        lines += [f"{question}{one_line(asked, _READ)}", f"{answer}{one_line(said, _READ)}", ""]
    return "\n".join(lines) + "\n"


def _standing(watched: Watched, now: datetime, language: str) -> Iterator[str]:
    words = Words(language)
    late = watched.overdue(now)
    n, due = str(watched.last.sequence), words.moment(watched.due.isoformat(timespec="seconds"))
    yield one_line(watched.target, 200)
    if late is not None:
        yield "  " + say("ui", "overdue", language, days=str(late.days), due=due)
    yield "  " + say("ui", "due", language, last=words.moment(watched.last.time), n=n, due=due)
    outcome = str(watched.last.content["outcome"])
    if watched.waiting or outcome != FIRST:  # a first run that was accepted waits for nothing
        yield "  " + say("outcome", outcome, language)
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
