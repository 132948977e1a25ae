"""A trace as text for people and as JSON values."""

from collections.abc import Iterable
from typing import Any, Final

from sekisho.evidence import codec
from sekisho.register import listing
from sekisho.register.documents import Block, Document
from sekisho.register.texts import Texts
from sekisho.register.trace import Judged, Relative, Step, Trace, Used
from sekisho.report.visible import one_line
from sekisho.report.wrap import paragraph

_ID: Final = 12
_DAY: Final = 10


def text(found: Trace, language: str) -> str:
    """For a terminal."""
    say = Texts("register", language)
    made = [say("trace", "title", name=found.row.name or "?"), f"  {found.row.subject}"]
    made += [f"  {line}" for line in _head(found, say)]
    for title, lines in _sections(found, say):
        told = lines or (say("trace", "nothing"),)
        made += [title, *(paragraph(line, listing.WIDTH, first="  ", rest="    ") for line in told)]
    return "\n".join(made)


def document(found: Trace, language: str) -> Document:
    """For print."""
    say = Texts("register", language)
    blocks: list[Block] = [Block("ul", items=_head(found, say))]
    for title, lines in _sections(found, say):
        blocks += [Block("h2", title), Block("ul", items=lines or (say("trace", "nothing"),))]
    facts = (("sha256", found.row.subject), ("ledger", found.head))
    return Document(
        say("trace", "title", name=found.row.name or found.row.subject), language, tuple(blocks), facts=facts
    )


def plain(found: Trace) -> dict[str, Any]:
    """As JSON values."""
    return {"schema": 1, **codec.plain(found)}


def _head(found: Trace, say: Texts) -> tuple[str, ...]:
    row = found.row
    asked = (say("trace", "file", file=found.asked[:_ID], path=found.path or "?"),) if found.asked else ()
    return (*asked, f"{listing.state(row, say)} {row.since[:_DAY]} {listing.ahead(row, say)}".strip())


def _sections(found: Trace, say: Texts) -> Iterable[tuple[str, tuple[str, ...]]]:
    return (
        (say("trace", "back"), tuple(_step(s, say) for s in found.intake)),
        (say("trace", "parents"), _family(found.parents, say)),
        (say("trace", "tested"), tuple(_judged(j, say) for j in found.decisions)),
        (say("trace", "forward"), tuple(_used(u, say) for u in found.deployments)),
        (say("trace", "children"), _family(found.children, say)),
    )


def _step(step: Step, say: Texts) -> str:
    told = [say("trace", step.kind, day=step.time[:_DAY], who=step.actor, source=step.source)]
    told += [say("trace", "revision", revision=step.revision)] if step.revision else []
    told += [say("trace", "record", digest=step.record[:_ID])] if step.record else []
    return say.comma.join(told)


def _judged(made: Judged, say: Texts) -> str:
    words = {"decision": say("decision", made.decision), "scope": say("scope", made.scope)}
    facts = {
        "day": made.time[:_DAY],
        "policy": made.policy,
        "kept": say("trace", made.kept),
        "path": made.path,
    }
    return say("trace", "judged", **words, **facts)


def _used(used: Used, say: Texts) -> str:
    return say("trace", "used", day=used.time[:_DAY], place=used.place, who=used.actor)


def _family(relatives: Iterable[Relative], say: Texts) -> tuple[str, ...]:
    lines: list[str] = []
    for r in relatives:
        name = one_line(r.row.name) if r.row else ""
        state = listing.state(r.row, say) if r.row else say("trace", "unlisted")
        facts = {"name": name, "digest": r.subject[:_ID], "method": r.method, "state": state}
        lines.append(say("trace", "relative", generation=str(r.generation), **facts))
        lines += [f"– {_used(u, say)}" for u in r.deployments]
    return tuple(lines)
