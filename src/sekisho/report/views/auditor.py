"""For who checks afterwards: every id, digest, number and entry, in full."""

import json
from typing import Final

from sekisho import fingerprints, rulebook
from sekisho.checklist.engine import Result
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.entry import Entry
from sekisho.provenance.records import fields
from sekisho.records import Claim, FileLine, Finding, Outcome
from sekisho.report import chain, checklist
from sekisho.report.ruled import grave, said
from sekisho.report.views.checked import answer, who
from sekisho.report.views.document import Bullets, Cell, Document, Line, Para, Row, Rows, Section, Table
from sekisho.report.views.facts import Matter, banner
from sekisho.report.visible import one_line
from sekisho.report.words import Words

MOST: Final = 2_000
"""Rows of any one table; the dossier has all."""
_NUMBERS: Final = (
    "families", "abstained", "before", "after", "effect", "low", "high", "margin", "ceiling", "control_after", "log_alarm",
    "log_finding", "log_clear", "log_reject_at", "log_clear_at", "worst_step",
)  # fmt: skip
"""Of a claim, as the dossier names them."""
_ITEM: Final = (10, 15, 30, 30, 15)
_ENTRY: Final = (5, 15, 10, 15, 30, 25)
_FILE: Final = (20, 15, 15, 10, 25, 15)
"""Widths of columns, in per cent."""
_BODY: Final = 400
"""Characters of an entry's body."""


def document(m: Matter) -> Document:
    """Build the record."""
    say = m.say
    parts = (
        _identity(m),
        _grounds(m),
        _files(m),
        _findings(m),
        _rulings(m),
        _claims(m),
        _drills(m),
        _intake(m),
        _checklist(m),
        _ledger(m),
        _environment(m),
    )
    return Document(
        view="auditor",
        language=say.language,
        title=say("view.auditor"),
        name=m.name,
        made=m.made,
        banner=banner(m),
        sections=parts,
        notes=(say.words.say("ui", "reproduce_check"), say.words.say("ui", "hidden")),
    )


def _identity(m: Matter) -> Section:
    words, d = m.say.words, m.dossier
    origin = d.provenance
    rows = [
        (m.say("paper.dossier"), dossiers.digest(d)),
        (m.say("supplier.root"), m.sources.subject),
        (words.say("column", "identity"), origin.identity),
        (words.say("column", "base"), f"{one_line(origin.base, 80)} {origin.base_identity}".strip()),
        (words.say("column", "source"), origin.uri or words.say("source", origin.source)),
        (m.say("field.revision"), origin.revision),
        (words.say("column", "evidence"), origin.level),
        (m.say("paper.policy"), f"{one_line(d.policy, 80)} {d.policy_digest}"),
        (m.say("paper.plan"), d.plan_digest),
        (words.say("ui", "profile"), one_line(d.profile, 80)),
        (words.say("ui", "tool"), one_line(d.tool, 80)),
        *((one_line(k, 60), one_line(v, 200)) for k, v in d.exceptions),
    ]
    return Section("identity", m.say("ui.identity"), (_rows(m, rows),))


def _rows(m: Matter, rows: list[tuple[str, str]]) -> Rows:
    return Rows(tuple(Row(k, v or m.say("tag.unknown"), mono=True) for k, v in rows))


def _grounds(m: Matter) -> Section:
    rows = tuple(
        (Cell(one_line(r.code, 60), mono=True), Cell(" ".join(one_line(x, 200) for x in r.refs), mono=True),
         Cell("; ".join(f"{one_line(k, 40)}={one_line(v, 80)}" for k, v in r.facts)))
        for r in (*m.dossier.verdict.reasons, *m.dossier.verdict.settle)
    )  # fmt: skip
    heads = (m.say("ui.grounds"), m.say("head.refs"), m.say.words.say("column", "detail"))
    return Section("grounds", m.say("ui.grounds"), (_table(m, heads, rows),))


def _files(m: Matter) -> Section:
    heads = tuple(
        m.say.words.say("column", k) for k in ("path", "size", "format", "role", "sha256", "problem")
    )
    return Section(
        "files", m.say("ui.files"), (_table(m, heads, tuple(_file(m, f) for f in m.dossier.files), *_FILE),)
    )


def _file(m: Matter, file: FileLine) -> tuple[Cell, ...]:
    return (
        Cell(one_line(file.path, 200), mono=True),
        Cell(f"{file.size:,}", number=True),
        Cell(one_line(file.format, 40)),
        Cell(m.say.words.say("role", file.role)),
        Cell(file.sha256 or m.say.words.say("ui", "unread"), mono=True),
        Cell(one_line(file.problem, 200)),
    )


def _findings(m: Matter) -> Section:
    known = fingerprints.files(m.dossier.files)
    heads = (
        m.say("head.rule"),
        m.say.words.say("column", "outcome"),
        m.say("head.finding"),
        m.say("head.fingerprint"),
    )
    rows = tuple(_finding(m, f, fingerprints.of(f, known)) for f in m.dossier.findings)
    return Section("findings", m.say("ui.findings"), (_table(m, heads, rows),))


def _finding(m: Matter, finding: Finding, fingerprint: str) -> tuple[Cell, ...]:
    words = m.say.words
    rule = rulebook.of(finding)
    told = (
        f"{one_line(finding.check, 60)}/{one_line(finding.reason, 60)} {one_line(finding.where, 200)}".strip()
    )
    return (
        Cell(rule.id, mono=True),
        Cell(_outcome(finding, words)),
        Cell(f"{told}{words.say('ui', 'colon')}{words.finding(finding)}"),
        Cell(fingerprint, mono=True),
    )


def _outcome(finding: Finding, words: Words) -> str:
    outcome = words.say("outcome", finding.outcome)
    return outcome if finding.outcome is Outcome.PASS else words.listed((outcome, grave(finding, words)))


def _rulings(m: Matter) -> Section:
    lines = tuple(
        Line(f"{rulebook.of(f).id} {said(f, m.say.words)}") for f in m.dossier.findings if f.rulings
    )
    return Section("rulings", m.say("ui.exceptions"), (Bullets(lines) if lines else Para(m.say("ui.none")),))


def _claims(m: Matter) -> Section:
    heads = (m.say("head.behaviour"), m.say.words.say("column", "detail"))
    rows = tuple(
        (Cell(f"{one_line(c.behaviour, 40)}/{one_line(c.drill, 60)}", mono=True), _numbers(c))
        for c in m.dossier.claims
    )
    return Section("claims", m.say("ui.claims"), (_table(m, heads, rows),))


def _numbers(claim: Claim) -> Cell:
    return Cell("  ".join(f"{n}={_number(claim, n)}" for n in _NUMBERS), mono=True)


def _number(claim: Claim, name: str) -> str:
    value = getattr(claim, name)
    return "–" if value is None else f"{value:.6g}"


def _drills(m: Matter) -> Section:
    words = m.say.words
    heads = (
        *(words.say("column", k) for k in ("recipe", "seed", "tokens")),
        "recipe_digest",
        "data_digest",
        "displacement",
    )
    rows = tuple(
        (Cell(one_line(d.recipe, 80), mono=True), Cell(str(d.seed), number=True), Cell(f"{d.tokens:,}", number=True),
         Cell(d.recipe_digest, mono=True), Cell(d.data_digest, mono=True), Cell(f"{d.displacement:.6g}", number=True))
        for d in m.dossier.drills
    )  # fmt: skip
    return Section("drills", m.say("ui.drills"), (_table(m, heads, rows),))


def _intake(m: Matter) -> Section:
    if m.sources.intake is None:
        return Section("intake", m.say("ui.intake"), (Para(m.say("line.no_intake")),))
    rows = [
        (m.say.origin("field", name.value), f"{one_line(s.value, 400)} [{m.say.origin('basis', s.basis.value)}]" if s.known
         else f"{m.say('tag.unknown')}{m.say.words.say('ui', 'colon')}{m.say.origin('reason', s.reason)}")
        for name, s in fields(m.sources.intake)
    ]  # fmt: skip
    rungs = [
        (r.level.value, (f"{m.say.origin('ui', 'held' if r.held else 'lacking')}{m.say.words.say('ui', 'colon')}"
         f"{m.say.origin('ground', r.ground, detail=one_line(r.detail, 200))}"))
        for r in m.sources.intake.ladder.rungs
    ]  # fmt: skip
    return Section("intake", m.say("ui.intake"), (_rows(m, rows), _rows(m, rungs)))


def _checklist(m: Matter) -> Section:
    heads = tuple(m.say(f"head.{k}") for k in ("item", "answer", "rests_on", "refs", "who"))
    return Section(
        "checklist",
        m.say("ui.checklist"),
        (_table(m, heads, tuple(_item(m, r) for r in m.checklist.results), *_ITEM),),
    )


def _item(m: Matter, result: Result) -> tuple[Cell, ...]:
    words, filled = m.say.words, result.said
    return (
        Cell(result.item.id, mono=True),
        answer(result, m.say),
        Cell(checklist.said(filled, words)),
        Cell(" ".join(one_line(r, 120) for r in filled.refs), mono=True),
        Cell(who(result, words)),
    )


def _ledger(m: Matter) -> Section:
    if m.sources.entries is None:
        return Section("ledger", m.say("ui.ledger"), (Para(m.say("line.no_ledger")),))
    heads = tuple(m.say(f"head.{k}") for k in ("number", "time", "actor", "kind", "rests_on", "digest"))
    return Section(
        "ledger",
        m.say("ui.ledger"),
        (_table(m, heads, tuple(_entry(m, e) for e in m.sources.entries), *_ENTRY),),
    )


def _entry(m: Matter, entry: Entry) -> tuple[Cell, ...]:
    body = json.dumps(entry.content, ensure_ascii=False, sort_keys=True)
    return (
        Cell(str(entry.sequence), number=True),
        Cell(entry.time),
        Cell(one_line(entry.actor, 80)),
        Cell(chain.say("kind", entry.kind, m.say.language)),
        Cell(one_line(body, _BODY)),
        Cell(entry.digest, mono=True),
    )


def _environment(m: Matter) -> Section:
    pairs = [*m.dossier.environment, ("started", m.dossier.timing.started)]
    pairs += [(one_line(k, 40), f"{v:.1f} s") for k, v in m.dossier.timing.stages]
    return Section(
        "environment",
        m.say("ui.environment"),
        (_rows(m, [(one_line(k, 60), one_line(v, 120)) for k, v in pairs]),),
    )


def _table(
    m: Matter, heads: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...], *widths: int
) -> Table | Para:
    return Table(heads, rows[:MOST], widths=widths) if rows else Para(m.say("ui.none"))
