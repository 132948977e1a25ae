"""The register for a terminal of 80 columns, as Markdown, HTML and JSON; in three columns: what, from whom, how handled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sekisho.evidence import codec
from sekisho.ledger.book import stamp
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import State
from sekisho.ledger.store import Tip
from sekisho.register.documents import Block, Document
from sekisho.register.rows import Row
from sekisho.register.texts import Texts
from sekisho.report import chain
from sekisho.report.visible import one_line
from sekisho.report.wrap import paragraph

WIDTH: Final = 80
_ID: Final = 12
_DAY: Final = 10


@dataclass(frozen=True)
class Listed:
    """A page of the register."""

    rows: tuple[Row, ...]
    counts: Mapping[State | None, int]
    now: datetime
    tip: Tip
    more: int = 0
    """Where the next page begins; 0 if this is the last."""


def state(row: Row, say: Texts) -> str:
    """Where a model stands, in words."""
    return say("state", row.state.value if row.state else "none")


def what(row: Row, say: Texts) -> str:
    """First column: the model and what it is for."""
    name = row.name or say("ui", "unknown")
    return name + (say.comma + say("ui", "purpose", purpose=row.purpose) if row.purpose else "")


def whom(row: Row, say: Texts) -> str:
    """Second column: supplier, address, parent."""
    told = [say("ui", "supplier", who=row.supplier)] if row.supplier else []
    told += [say("ui", "source", source=row.source or say("ui", "unknown"))]
    told += (
        [say("trace", "revision", revision=row.revision)]
        if row.revision and row.revision not in row.source
        else []
    )
    told += [say("ui", "base", base=row.base)] if row.base else []
    return say.comma.join(told)


def handled(row: Row, say: Texts) -> str:
    """Third column: data, users, decision, who approved, where it runs."""
    told = [say("data", row.data_class)] if row.data_class else []
    told += [say("ui", "users", users=row.users)] if row.users else []
    told += [decision(row, say)]
    told += [say("ui", "exception", day=row.exception[:_DAY])] if row.exception else []
    told += [say("ui", "asked", who=row.requester)] if row.requester else []
    told += [say("ui", "approver", who=row.approver)] if row.approver else []
    told += [say("ui", "places", places=", ".join(row.places))] if row.places else []
    told += [say("ui", "exit", criteria=say.comma.join(row.exit))] if row.exit else []
    return say.comma.join(told)


def decision(row: Row, say: Texts) -> str:
    """The newest decision, in words."""
    if not row.decision:
        return say("decision", "none")
    return say("ui", "decision", decision=say("decision", row.decision), scope=say("scope", row.scope))


def ahead(row: Row, say: Texts) -> str:
    """The next date that matters; empty where there is none."""
    if row.state is State.PILOT and row.until:
        return say("ui", "until", day=row.until[:_DAY])
    return say("ui", "due", day=row.due[:_DAY]) if row.due else ""


def warnings(row: Row, now: datetime, say: Texts) -> tuple[str, ...]:
    """What is overdue, in whole sentences."""
    facts = {"until": row.until[:_DAY], "due": row.due[:_DAY]}
    return tuple(say("mark", mark, **facts) for mark in row.marks(now))


def text(page: Listed, language: str) -> str:
    """For a terminal: one block of lines for each model."""
    say = Texts("register", language)
    lines = [_counted(page, say)] if page.rows else [say("ui", "empty")]
    for row in page.rows:
        lines += ["", *_card(row, page.now, say)]
    lines += ["", say("ui", "more", n=str(page.more))] if page.more else []
    return "\n".join(lines)


def _counted(page: Listed, say: Texts) -> str:
    told = (
        say("ui", "counted", n=str(n), state=say("state", s.value if s else "none"))
        for s, n in page.counts.items()
    )
    return paragraph(say.comma.join(told), WIDTH)


def _card(row: Row, now: datetime, say: Texts) -> list[str]:
    head = "  ".join(x for x in (row.subject[:_ID], state(row, say), row.since[:_DAY], ahead(row, say)) if x)
    columns = (("what", what(row, say)), ("whom", whom(row, say)), ("handled", handled(row, say)))
    lines = [head]
    for key, told in columns:
        lines.append(paragraph(f"{say('column', key)}{say.colon}{told}", WIDTH, first="  ", rest="    "))
    return lines + [paragraph(w, WIDTH, first="  ! ", rest="    ") for w in warnings(row, now, say)]


def document(page: Listed, language: str) -> Document:
    """As a page for print or the intranet."""
    say = Texts("register", language)
    columns = ("what", "whom", "handled", "state", "next")
    rows = tuple(
        (
            f"{what(r, say)} [{r.subject[:_ID]}]",
            whom(r, say),
            handled(r, say),
            f"{state(r, say)} {r.since[:_DAY]}".strip(),
            " ".join((ahead(r, say), *warnings(r, page.now, say))).strip(),
        )
        for r in page.rows
    )
    head = say("ui", "head", n=str(page.tip.sequence), digest=page.tip.digest)
    body = [Block("p", _counted(page, say).replace("\n", " "))] if rows else [Block("p", say("ui", "empty"))]
    body += [Block("table", header=tuple(say("column", c) for c in columns), rows=rows)] if rows else []
    return Document(say("ui", "title"), language, (*body, Block("p", head)))


def plain(page: Listed) -> dict[str, Any]:
    """As JSON values."""
    rows = [codec.plain(r) | {"overdue": list(r.marks(page.now))} for r in page.rows]
    return {
        "schema": 1,
        "made": stamp(page.now),
        "head": {"sequence": page.tip.sequence, "digest": page.tip.digest},
        "counts": {(s.value if s else "none"): n for s, n in page.counts.items()},
        "next": page.more,
        "models": rows,
    }


def done(row: Row, made: Entry, language: str) -> str:
    """The line after a step."""
    say = Texts("register", language)
    facts = {
        "name": one_line(row.name or row.subject[:_ID]),
        "state": state(row, say),
        "id": row.subject[:_ID],
    }
    if made.kind in (Kind.APPROVAL, Kind.EXCEPTION):
        return say("ui", "noted", n=str(made.sequence), what=chain.say("kind", made.kind, language), **facts)
    return say("ui", "done", n=str(made.sequence), **facts)
