"""For who runs and finetunes the model: what is open, what to do about it, what was measured, how to repeat it."""

from typing import Final

from sekisho.records import Claim, Finding
from sekisho.report import checklist
from sekisho.report.cells import state
from sekisho.report.export.view import Line as Told
from sekisho.report.export.view import view
from sekisho.report.grounds import behaviour_title, claim_facts, drill_title, grounds, settle
from sekisho.report.html import command
from sekisho.report.views.document import (
    Block,
    Bullets,
    Cell,
    Document,
    Line,
    Mark,
    Para,
    Quote,
    Row,
    Rows,
    Section,
    Table,
)
from sekisho.report.views.facts import CELLS, MARKS, Matter, banner
from sekisho.report.visible import one_line, visible

MOST: Final = 60
"""Findings and cells on a page; the dossier has all."""
EXAMPLES: Final = 12
_ANSWER: Final = 600
"""Characters of a quoted answer."""


def document(m: Matter) -> Document:
    """Build the report."""
    say = m.say
    parts = (
        _grounds(m),
        _open(m),
        findings(m),
        _cells(m),
        _examples(m),
        _untested(m),
        _again(m),
        _commands(m),
    )
    return Document(
        view="operator",
        language=say.language,
        title=say("view.operator"),
        name=m.name,
        made=m.made,
        banner=banner(m),
        sections=tuple(p for p in parts if p.blocks),
        notes=(say("ui.legend"), say.words.say("ui", "hidden")),
    )


def _grounds(m: Matter) -> Section:
    blocks: list[Block] = []
    for title, some in (("", grounds(m.dossier, m.say.words)), ("settle", settle(m.dossier, m.say.words))):
        if some and title:
            blocks.append(Para(m.say(f"ui.{title}"), soft=True))
        if some:
            blocks.append(Bullets(tuple(Line(g.text) for g in some), ordered=True))
    return Section("grounds", m.say("ui.grounds"), tuple(blocks))


def _open(m: Matter) -> Section:
    heads = tuple(m.say(f"head.{k}") for k in ("item", "todo"))
    rows = tuple(
        (
            Cell(f"{r.item.id} {r.item.text('question', m.say.language)}", mark=MARKS[r.answer]),
            Cell(checklist.todo(r, m.say.words)),
        )
        for r in m.checklist.results
        if r.open
    )
    return Section("open", m.say("ui.open"), (Table(heads, rows, widths=(50, 50)),) if rows else ())


def findings(m: Matter) -> Section:
    """Every finding that is no pass, gravest first, with what to do."""
    rows = tuple(dict.fromkeys(_finding(m, x) for x in view(m.dossier, m.say.language).told))[:MOST]
    if not rows:
        return Section("findings", m.say("ui.findings"), (Para(m.say("ui.nothing_found")),))
    heads = tuple(m.say(f"head.{k}") for k in ("rule", "finding", "todo"))
    return Section("findings", m.say("ui.findings"), (Table(heads, rows, widths=(15, 50, 35)),))


def _finding(m: Matter, told: Told) -> tuple[Cell, ...]:
    todo = m.say.words.check(told.finding.check, "todo") if told.counts else ""
    text = f"{told.aside} – {told.message}" if told.aside else told.message
    text = m.say("line.named", name=m.say.words.check(told.finding.check), text=text)
    return (Cell(told.rule.id, mono=True, mark=mark(told.finding, told)), Cell(text), Cell(todo or "–"))


def mark(finding: Finding, told: Told) -> Mark:
    """What a finding calls for; for information there is no mark."""
    if not told.counts or finding.excused:
        return Mark.FACT
    return Mark.ATTENTION if told.weight == 0 else Mark.UNKNOWN


def _cells(m: Matter) -> Section:
    claims = m.dossier.claims[:MOST]
    if not claims:
        return Section("rates", m.say("ui.rates"), (Para(m.say.checklist("said", "not-asked")),))
    words = m.say.words
    keys = ("behaviour", "training", "before", "after", "control", "change", "interval", "result")
    rows = tuple(_cell(m, c) for c in claims)
    return Section("rates", m.say("ui.rates"), (Table(tuple(words.say("column", k) for k in keys), rows),))


def _cell(m: Matter, claim: Claim) -> tuple[Cell, ...]:
    facts, key = claim_facts(m.dossier, claim, m.say.words), state(claim)
    numbers = (Cell(facts[k], number=True) for k in ("before", "after", "control", "effect", "interval"))
    result = Cell(m.say.words.say("cell", key), mark=CELLS[key])
    title = drill_title(m.dossier, claim.drill, m.say.words)
    return (Cell(behaviour_title(claim.behaviour, m.say.words)), Cell(title), *numbers, result)


def _examples(m: Matter) -> Section:
    blocks: list[Block] = []
    shown = [(c, e) for c in m.dossier.claims for e in c.examples][:EXAMPLES]
    for claim, example in shown:
        blocks.append(
            Para(
                m.say(
                    "line.named",
                    name=behaviour_title(claim.behaviour, m.say.words),
                    text=one_line(example.prompt, 300),
                )
            )
        )
        for key, text in (("before", example.before), ("after", example.after), ("control", example.control)):
            if text:
                blocks.append(Quote(m.say.words.say("column", key), visible(text, _ANSWER)))
    return Section("examples", m.say("ui.examples"), tuple(blocks))


def _untested(m: Matter) -> Section:
    lines = tuple(Line(m.say.words.code("not_tested", c), Mark.UNKNOWN) for c in m.dossier.not_tested)
    return Section("untested", m.say("ui.not_tested"), (Bullets(lines),) if lines else ())


def _again(m: Matter) -> Section:
    keys = ("files", "data", "library", "period", "finding")
    return Section(
        "again", m.say("ui.limits_of_use"), (Bullets(tuple(Line(m.say(f"again.{k}")) for k in keys)),)
    )


def _commands(m: Matter) -> Section:
    lines = (
        ("verdict", command(m.dossier, m.say.language)),
        ("checklist", "sekisho checklist MODEL --open"),
        ("files", "sekisho lock add MODEL"),
    )
    rows = tuple(Row(m.say(f"ui.{k}"), v, mono=True) for k, v in lines)
    return Section("commands", m.say("ui.commands"), (Rows(rows),))
