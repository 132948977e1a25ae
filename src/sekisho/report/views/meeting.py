"""The seven questions of a meeting, answered from facts; what is not known is said to be unknown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sekisho.ledger import rules
from sekisho.ledger.kinds import Kind
from sekisho.provenance.records import Basis, Stated
from sekisho.records import Claim, Decision
from sekisho.report import checklist
from sekisho.report.cells import state
from sekisho.report.grounds import behaviour_title, measured_before
from sekisho.report.views.document import Block, Bullets, Cell, Line, Mark, Table
from sekisho.report.views.facts import CELLS, SHORT, Matter, item, roles, stated
from sekisho.report.visible import one_line

RELEASE: Final = "release"


@dataclass(frozen=True)
class Topic:
    """One question and its answer."""

    number: int
    question: str
    blocks: tuple[Block, ...]
    check: str = ""
    """A command by which a reader can look for himself; empty where there is none."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of the answer."""
        return tuple(x for b in self.blocks if isinstance(b, Bullets) for x in b.lines)


def topics(m: Matter) -> tuple[Topic, ...]:
    """All seven, in the order they are asked."""
    answers = (_origin, _files, _answers, _evidence, _rule, _duty, _pilot)
    return tuple(a(m, n) for n, a in enumerate(answers, 1))


def _topic(m: Matter, number: int, *blocks: Block, check: str = "") -> Topic:
    return Topic(number, m.say(f"question.q{number}"), blocks, check)


def _bullets(lines: Iterator[Line]) -> Bullets:
    return Bullets(tuple(lines))


def _origin(m: Matter, number: int) -> Topic:
    revision = m.sources.intake.revision.value if m.sources.intake else m.dossier.provenance.revision
    check = f"sekisho provenance MODEL --expect {one_line(revision, 64) or 'COMMIT'}"
    return _topic(m, number, _bullets(_origin_lines(m)), check=check)


def _origin_lines(m: Matter) -> Iterator[Line]:
    intake, origin = m.sources.intake, m.dossier.provenance
    recorded = origin.level not in ("", "E0")
    basis = Basis.RECORDED if recorded else Basis.CLAIMED
    for key, value in (("source", origin.uri), ("revision", origin.revision)):
        given = getattr(intake, key) if intake else (Stated(value, basis) if value else None)
        yield stated(m, key, given)
    if intake:
        parts = intake.retrieval.time, intake.retrieval.who, intake.retrieval.tool
        known = [m.say.words.moment(p.value) for p in parts if p.known]
        when = Stated(m.say.words.listed(known), Basis.RECORDED) if known else parts[0]
        yield stated(m, "retrieval", when)
    if origin.pinned:
        yield Line(m.say("line.pinned", name=one_line(origin.name, 60)))
    level = intake.ladder.level.value if intake else origin.level
    if level:
        yield Line(m.say("line.level", level=level, what=m.say.origin("level", level)))
    yield Line(m.say("line.root", digest=m.sources.subject[:SHORT]))


def _files(m: Matter, number: int) -> Topic:
    first = Line(m.say("line.files", n=str(len(m.dossier.files)), roles=roles(m)))
    return _topic(m, number, Bullets((first, *(item(m, i) for i in ("C07", "C08", "C09", "C11", "C17")))))


def _answers(m: Matter, number: int) -> Topic:
    if not m.dossier.claims:
        return _topic(m, number, Bullets((Line(m.say("line.not_asked"), Mark.UNKNOWN),)))
    return _topic(m, number, _rates(m), _bullets(_answer_lines(m)))


def _answer_lines(m: Matter) -> Iterator[Line]:
    if m.dossier.instrument is None or not m.dossier.instrument.valid:
        yield Line(m.say.checklist("said", "instrument"), Mark.UNKNOWN)
    useful = dict(m.dossier.utility)
    if RELEASE in useful:
        after = min((v for k, v in useful.items() if k != RELEASE), default=None)
        facts = {"before": m.say.words.percent(useful[RELEASE]), "after": m.say.words.percent(after)}
        yield Line(m.say("line.useful" if after is not None else "line.useful_released", **facts))
    else:
        yield Line(m.say("line.useful_unknown"), Mark.UNKNOWN)
    shown = sum(len(c.examples) for c in m.dossier.claims)
    if shown:
        yield Line(m.say("line.examples", n=str(shown)))
    if not any(c.drill != RELEASE for c in m.dossier.claims):
        yield Line(m.say.checklist("said", "no-drills"), Mark.UNKNOWN)


def _rates(m: Matter) -> Table:
    heads = tuple(m.say(f"head.{k}") for k in ("behaviour", "released", "trained", "families", "result"))
    behaviours = dict.fromkeys(c.behaviour for c in m.dossier.claims)
    return Table(heads, tuple(_rate(m, b) for b in behaviours), narrow=True)


def _rate(m: Matter, behaviour: str) -> tuple[Cell, ...]:
    """One behaviour: as released, and after the trial finetune that did worst."""
    words, mine = m.say.words, [c for c in m.dossier.claims if c.behaviour == behaviour]
    trained = [c for c in mine if c.drill != RELEASE]
    worst = max(trained, key=lambda c: c.after, default=None)
    released = next((c.after for c in mine if c.drill == RELEASE), None)
    if released is None and worst is not None:
        released = measured_before(m.dossier, worst)
    key = _worst(mine)
    return (
        Cell(behaviour_title(behaviour, words)),
        Cell(words.percent(released), number=True),
        Cell(_after(m, worst), number=True),
        Cell(str(min(c.families for c in mine)), number=True),
        Cell(words.say("cell", key), mark=CELLS[key]),
    )


def _after(m: Matter, worst: Claim | None) -> str:
    if worst is None:
        return m.say("line.none")
    if worst.control_after is None:
        return m.say.words.percent(worst.after)
    facts = {"after": m.say.words.percent(worst.after), "control": m.say.words.percent(worst.control_after)}
    return m.say("line.beside", **facts)


def _worst(claims: list[Claim]) -> str:
    return min((state(c) for c in claims), key=list(CELLS).index)


def _evidence(m: Matter, number: int) -> Topic:
    return _topic(m, number, _bullets(_evidence_lines(m)))


def _evidence_lines(m: Matter) -> Iterator[Line]:
    from sekisho.evidence import dossier as dossiers

    yield item(m, "C04")
    digests = [("dossier", dossiers.digest(m.dossier)), ("policy", m.dossier.policy_digest)]
    digests += [("plan", m.dossier.plan_digest)] if m.dossier.plan_digest else []
    each = [m.say("line.digest", name=m.say(f"paper.{k}"), digest=v[:SHORT]) for k, v in digests]
    listed = m.say.words.listed(each)
    yield Line(m.say("line.attach", papers=listed, n=str(len(m.dossier.files))))
    yield (
        Line(m.say("line.intake"), Mark.FACT)
        if m.sources.intake
        else Line(m.say("line.no_intake"), Mark.UNKNOWN)
    )
    if m.sources.entries is None:
        yield Line(m.say("line.no_ledger"), Mark.UNKNOWN)
    elif m.sources.entries:
        first, last = m.sources.entries[0].sequence, m.sources.entries[-1].sequence
        yield Line(m.say("line.entries", n=str(len(m.sources.entries)), first=str(first), last=str(last)))
    else:
        yield Line(m.say("line.no_entry"), Mark.UNKNOWN)
    yield item(m, "C25")


def _rule(m: Matter, number: int) -> Topic:
    return _topic(m, number, _bullets(_rule_lines(m)))


def _rule_lines(m: Matter) -> Iterator[Line]:
    policy = {"name": one_line(m.dossier.policy, 60), "digest": m.dossier.policy_digest[:SHORT]}
    yield Line(m.say("line.policy", profile=one_line(m.dossier.profile, 40) or m.say("line.none"), **policy))
    yield (
        Line(m.say("line.tested", when=m.made))
        if m.made
        else Line(m.say("line.tested_unknown"), Mark.UNKNOWN)
    )
    yield from (item(m, i) for i in ("C14", "C21", "C26", "C23"))


def _duty(m: Matter, number: int) -> Topic:
    return _topic(m, number, _bullets(_duty_lines(m)))


def _duty_lines(m: Matter) -> Iterator[Line]:
    yield item(m, "C24")
    yield item(m, "C25")
    places = [str(e.content["place"]) for e in m.sources.kind(Kind.DEPLOYMENT)]
    if m.sources.entries is None:
        yield Line(m.say("line.places_unknown"), Mark.UNKNOWN)
    elif places:
        shown = m.say.words.listed(one_line(p, 60) for p in dict.fromkeys(places))
        yield Line(m.say("line.places", places=shown))
    else:
        yield Line(m.say("line.no_places"))
    if m.dossier.verdict.decision is not Decision.ADMIT:
        yield Line(m.say("line.not_admitted"), Mark.ATTENTION)


def _pilot(m: Matter, number: int) -> Topic:
    return _topic(m, number, _bullets(_pilot_lines(m)))


def _pilot_lines(m: Matter) -> Iterator[Line]:
    yield item(m, "C18")
    yield item(m, "C20")
    if m.sources.entries is None:
        yield Line(m.say("line.no_ledger"), Mark.UNKNOWN)
        return
    stands = rules.state(m.sources.entries)
    if stands is None:
        yield Line(m.say("line.no_request"), Mark.UNKNOWN)
    else:
        yield Line(m.say("line.stands", state=m.say.state(stands.value)))
    yield _scope(m)
    for entry in m.sources.kind(Kind.APPROVAL)[-2:]:
        what = m.say.state(str(entry.content["of"]))
        yield Line(
            m.say("line.approved", what=what, who=entry.actor, when=entry.time[:10]), ref=f"#{entry.sequence}"
        )
    yield item(m, "C22")


def _scope(m: Matter) -> Line:
    """What the pilot is, as its entry says."""
    pilots = [e for e in m.sources.kind(Kind.STATE_CHANGE) if e.content.get("to") == "pilot"]
    if not pilots:
        return Line(m.say("line.no_pilot"), Mark.UNKNOWN)
    body = pilots[-1].content
    scope = {k: one_line(str(v), 80) for k, v in _table(body.get("scope")).items()}
    said = m.say.words.listed(m.say("line.count", name=m.say(f"scope.{k}"), n=v) for k, v in scope.items())
    ends = body.get("exit") if isinstance(body.get("exit"), list) else []
    facts = {
        "scope": said or m.say("line.none"),
        "until": str(body.get("until", ""))[:10] or m.say("line.none"),
    }
    exits = m.say.words.listed(one_line(str(e), 120) for e in ends or []) or m.say("line.none")
    whole = bool(scope and ends and body.get("until"))
    return Line(
        m.say("line.pilot", exit=exits, **facts),
        Mark.FACT if whole else Mark.UNKNOWN,
        f"#{pilots[-1].sequence}",
    )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def open_items(m: Matter) -> str:
    """The checklist in one sentence."""
    return checklist.summary(m.checklist, m.say.words)


def by_hand(m: Matter) -> str:
    """Which items wait for a person, by their short names."""
    left = [f"{i} {m.say(f'item.{i}')}" for i in checklist.waiting(m.checklist)]
    return m.say.checklist("ui", "by_hand" if left else "by_hand_none", items=m.say.words.listed(left))
