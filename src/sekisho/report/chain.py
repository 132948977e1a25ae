"""The ledger, audits and locks as text, in either language."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import is_digest
from sekisho.ledger.verify import Verified
from sekisho.report.visible import one_line
from sekisho.report.words import part, said_in

SHOWN: Final = 20
"""Problems that are printed one by one."""
_DIGEST: Final = 12
"""Hex digits of a digest in a table."""
_BODY: Final = 100
"""Characters of a body in a table."""


def sentences() -> Mapping[str, Any]:
    """All of `locale/parts/ledger.toml`."""
    return part("ledger")


def say(section: str, key: str, language: str, **facts: str) -> str:
    """One sentence, filled; the key itself where there is none."""
    return said_in("ledger", section, key, language, **facts)


def problems(found: Verified, language: str) -> tuple[str, ...]:
    """One line for each entry that is not as it was."""
    return tuple(
        say("problem", p.code, language, n=str(p.sequence), other=str(p.other)) for p in found.problems
    )


def verified(found: Verified, language: str) -> str:
    """What a walk of the chain showed."""
    if found.whole:
        head = f"{found.tip.sequence}:{found.tip.digest}"
        return say("ui", "whole", language, n=str(found.entries), head=head)
    lines = problems(found, language)
    more = len(lines) - SHOWN
    return "\n".join(
        [
            say("ui", "broken", language, n=str(len(lines))),
            *(f"  {line}" for line in lines[:SHOWN]),
            *([f"  {say('ui', 'more', language, n=str(more))}"] if more > 0 else []),
        ]
    )


def listed(entries: Sequence[Entry], language: str) -> str:
    """A line for each entry: number, time, who, what, about which model, and how its body begins."""
    if not entries:
        return say("ui", "empty", language)
    return "\n".join(_line(e, language) for e in entries)


def shown(entry: Entry, language: str) -> str:
    """One entry in full."""
    rows = [("kind", say("kind", entry.kind, language))]
    rows += [(n, getattr(entry, n)) for n in ("time", "actor", "subject", "previous", "digest")]
    body = [
        (k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in _body(entry).items()
    ]
    return "\n".join([f"#{entry.sequence}", *(f"  {k:<16} {one_line(v, 4000)}" for k, v in [*rows, *body])])


def plain(entry: Entry) -> dict[str, Any]:
    """An entry as JSON values, its body parsed where it can be."""
    values = {n: getattr(entry, n) for n in ("sequence", "time", "actor", "kind", "subject")}
    return values | {"body": _body(entry), "previous": entry.previous, "digest": entry.digest}


def _body(entry: Entry) -> Mapping[str, Any]:
    try:
        found = json.loads(entry.body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"body": entry.body}


def _line(entry: Entry, language: str) -> str:
    body = ", ".join(f"{k}={v}" for k, v in _body(entry).items() if _telling(v))
    words = [f"{entry.sequence:>6}", entry.time, entry.actor, say("kind", entry.kind, language)]
    return one_line("  ".join([*words, entry.subject[:_DIGEST] or "-", one_line(body, _BODY)]), 400)


def _telling(value: Any) -> bool:
    """Neither a digest nor a place on this machine: `show` has those."""
    return isinstance(value, int) or (isinstance(value, str) and not is_digest(value) and value[:1] != "/")
