"""The report and the findings as terminal text."""

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sekisho import rulebook
from sekisho.records import AblationResult, Dossier, Finding, SweepResult
from sekisho.report.ablation import ablated
from sekisho.report.cells import groups
from sekisho.report.grounds import Ground, grounds, headline, settle
from sekisho.report.inspection import listed, passed
from sekisho.report.lights import NOTE, SHADES, Shade, lights, shade_of, weight
from sekisho.report.news import news
from sekisho.report.ruled import grave, said
from sekisho.report.shaken import shaken
from sekisho.report.sureness import sureness
from sekisho.report.tokens import tokens
from sekisho.report.visible import in_line, one_line
from sekisho.report.words import Words
from sekisho.report.wrap import paragraph, wrap

MARKS: Final = {Shade.GOOD: "o", Shade.CAUTION: "!", Shade.BAD: "x", Shade.UNKNOWN: "?"}
"""One cell wide in every terminal, Japanese ones included."""
STYLES: Final = {
    Shade.GOOD: "green",
    Shade.CAUTION: "yellow",
    Shade.BAD: "red",
    Shade.UNKNOWN: "bright_black",
}
CELLS: Final = {"found": Shade.BAD, "alarm": Shade.CAUTION, "open": Shade.CAUTION, "clear": Shade.GOOD}
MOST_FINDINGS: Final = 40
"""Findings told in a terminal; the report on disk has more."""

_NARROWEST: Final = 40


def render(dossier: Dossier, language: str = "en", width: int = 80, *, colour: bool = False) -> str:
    """Render a dossier's summary. Raises UsageError for an unknown language."""
    words, width = Words(language), max(width, _NARROWEST)
    told = [finding for _, finding in listed(dossier.findings)]
    return _printed(
        [
            *_verdict(dossier, words, width),
            *_lights(dossier, words, width),
            *_steps(words.say("ui", "grounds"), grounds(dossier, words), width),
            *_steps(words.say("ui", "settle"), settle(dossier, words), width),
            *_cells(dossier, words, width),
            *_news(dossier, words, width),
            *_battery(dossier, words, width),
            *_tokens(dossier.sweep, words, width),
            *_ablation(dossier.ablation, words, width),
            *_findings(told, words, width),
            *_untested(dossier, words, width),
            *_sureness(dossier, words, width),
        ],
        width,
        colour,
    )


def findings(found: Sequence[Finding], language: str = "en", width: int = 80, *, colour: bool = False) -> str:
    """Render the findings of an inspection: everything but passes at length, passes counted."""
    words, width = Words(language), max(width, _NARROWEST)
    told = [finding for _, finding in listed(found)]
    parts = [*_findings(told, words, width)] or [Text(words.say("ui", "no_findings"))]
    if checks := [words.check(check) for check in passed(found)]:
        head = words.say("ui", "passed", n=str(len(checks))) + words.say("ui", "colon")
        line = head + " / ".join(checks)  # titles hold commas of their own
        parts += [Text(), Text(paragraph(line, width))]
    return _printed(parts, width, colour)


def sweep(
    result: SweepResult | None, found: Sequence[Finding], language: str = "en", *, colour: bool = False
) -> str:
    """Render a sweep by itself, then its findings."""
    words, width = Words(language), 80
    told = [finding for _, finding in listed(found)]
    parts = [*_tokens(result, words, width), *_findings(told, words, width)]
    return _printed(parts or [Text(words.say("ui", "no_findings"))], width, colour)


def ablation(
    result: AblationResult, found: Sequence[Finding], language: str = "en", *, colour: bool = False
) -> str:
    """Render an ablation by itself, then its findings."""
    words, width = Words(language), 80
    told = [finding for _, finding in listed(found)]
    parts = [*_ablation(result, words, width), *_findings(told, words, width)]
    return _printed(parts or [Text(words.say("ui", "no_findings"))], width, colour)


def repaired(folder: str, restored: Sequence[tuple[str, int, str, int]], language: str = "en") -> str:
    """Say what a repair changed: (table, rows, their tokens, rows that the base lacks) each."""
    words, width = Words(language), 80
    lines = [words.say("repair", "written" if restored else "nothing", folder=folder)]
    for table, count, shown, centred in restored:
        lines.append(words.say("repair", "rows", table=table, n=str(count), tokens=shown))
        if centred:
            lines.append(words.say("repair", "centred", n=str(centred)))
    return "\n".join(paragraph(line, width) for line in lines)


def _verdict(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    head = headline(dossier, words)
    shade = SHADES[dossier.verdict.decision]
    name = one_line(dossier.provenance.name, 200)
    title = paragraph(name, width, first=f"{head.word}  ", rest=" " * (cell_len(head.word) + 2))
    line = Text(title)
    line.stylize(f"bold {STYLES[shade]}", 0, len(head.word))
    yield line
    yield Text(paragraph(head.sentence, width), style="bold")
    if head.more:
        yield Text(paragraph(head.more, width))
    yield Text()
    yield _heading(words.say("ui", "next_step"))
    yield Text(paragraph(head.next_step, width, first="  ", rest="  "))


def _lights(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    yield Text()
    yield _heading(words.say("ui", "lights"))
    for light in lights(dossier, words):
        yield _marked(light.shade, f"{light.question} – {light.word}", width)
        yield Text(paragraph(light.sentence, width, first="    ", rest="    "))


def _steps(title: str, steps: Sequence[Ground], width: int) -> Iterator[Text]:
    if not steps:
        return
    yield Text()
    yield _heading(title)
    for number, step in enumerate(steps, 1):
        first = f"{number:>2}. "
        yield Text(paragraph(step.text, width, first=first, rest=" " * len(first)))


def _cells(dossier: Dossier, words: Words, width: int) -> Iterator[Text | Table]:
    if not dossier.claims:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", width=width)
    for key in ("behaviour", "training"):
        table.add_column(words.say("column", key), ratio=1, overflow="fold")
    for key in ("before", "after", "control", "change"):
        table.add_column(words.say("column", key), justify="right", no_wrap=key != "before")
    table.add_column(words.say("column", "result"), no_wrap=True)
    for group in groups(dossier, words):
        for number, row in enumerate(group.rows):
            claim, facts = row.claim, row.facts
            rates = (facts["before"], facts["after"], facts["control"], words.number(claim.effect, "+"))
            state = Text(row.state_word, style=STYLES[CELLS[row.state]])
            table.add_row(
                Text("" if number else group.title), Text(facts["drill"]), *(Text(r) for r in rates), state
            )
    yield Text()
    yield _heading(words.say("ui", "cells"))
    yield table


def _news(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    found = news(dossier, words)
    if not found:
        return
    yield Text()
    yield _heading(words.say("novelty", "title"))
    for new in found:
        shade = Shade.CAUTION if new.confirmed else Shade.UNKNOWN
        yield _marked(shade, f"{new.what} – {new.state}", width)
        yield Text(paragraph(new.counts, width, first="    ", rest="    "))


def _tokens(result: SweepResult | None, words: Words, width: int) -> Iterator[Text]:
    shown = tokens(result, words)
    if shown is None:
        return
    yield Text()
    yield _heading(words.say("sweep", "title"))
    yield Text(paragraph(shown.intro, width))
    for row in shown.rows:
        facts = {k: getattr(row, k) for k in ("text", "place", "shift", "base", "word")}
        yield _marked(CELLS[row.state], words.say("sweep", "line", **facts), width)
        more = [words.say("sweep", "shared", says=row.says)] if row.says else []
        for line in (*more, *row.probes):
            yield Text(paragraph(line, width, first="    ", rest="    "))


def _ablation(result: AblationResult | None, words: Words, width: int) -> Iterator[Text]:
    shown = ablated(result, words)
    if shown is None:
        return
    yield Text()
    yield _heading(words.say("ablation", "title"))
    yield Text(paragraph(shown.intro, width))
    for row in shown.rows:
        facts = {k: getattr(row, k) for k in ("where", "kind", "against", "word")}
        yield _marked(CELLS[row.state], words.say("ablation", "line", **facts), width)
        for line in row.lines:
            yield Text(paragraph(line, width, first="    ", rest="    "))


def _battery(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    shown = shaken(dossier, words)
    if not shown:
        return
    yield Text()
    yield _heading(words.say("battery", "title"))
    yield Text(paragraph(words.say("battery", "intro"), width))
    for one in shown:
        woke = any(row.state == "found" for row in one.rows)
        yield _marked(Shade.CAUTION if woke else Shade.UNKNOWN, one.title, width)
        lines = [
            words.say(
                "battery",
                "line",
                behaviour=row.behaviour,
                before=row.before,
                after=row.after,
                control=row.control,
                word=row.word,
            )
            for row in one.rows
        ]
        lines += [words.say("battery", "new", what=what) for what in one.new]
        for line in (*lines, one.triage, one.note):
            if line:
                yield Text(paragraph(line, width, first="    ", rest="    "))


def _findings(told: Sequence[Finding], words: Words, width: int) -> Iterator[Text]:
    if not told:
        return
    yield Text()
    yield _heading(words.say("ui", "findings"))
    for finding in told[:MOST_FINDINGS]:
        yield from _finding(finding, words, width)
    if len(told) > MOST_FINDINGS:
        yield Text(paragraph(words.say("ui", "findings_more", n=str(len(told) - MOST_FINDINGS)), width))


def _finding(finding: Finding, words: Words, width: int) -> Iterator[Text]:
    state = words.listed((words.say("outcome", finding.outcome), grave(finding, words)))
    title = f"{words.check(finding.check)} ({state})"
    yield _marked(shade_of(finding), title, width, after=rulebook.of(finding).id)
    sentence, where = words.finding(finding), one_line(finding.where, 200)
    if where and where not in sentence:
        yield Text(paragraph(where, width, first="    ", rest="    "))
    yield Text(paragraph(sentence, width, first="    ", rest="    "))
    if finding.rulings:
        yield Text(paragraph(said(finding, words), width, first="    ", rest="    "), style="italic")
    if weight(finding) < NOTE:
        todo = words.check(finding.check, "todo") or words.say("ui", "no_todo")
        line = f"{words.say('ui', 'todo')}{words.say('ui', 'colon')}{todo}"
        yield Text(paragraph(line, width, first="    ", rest="    "))


def _untested(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    if not dossier.not_tested:
        return
    yield Text()
    yield _heading(words.say("ui", "not_tested_run"))
    for code in dossier.not_tested:
        yield Text(paragraph(words.code("not_tested", code), width, first="  - ", rest="    "))


def _sureness(dossier: Dossier, words: Words, width: int) -> Iterator[Text]:
    lines = sureness(dossier, words)
    if not lines:
        return
    yield Text()
    yield _heading(words.say("sureness", "title"))
    for line in lines:
        yield Text(paragraph(line, width, first="  - ", rest="    "))


def _heading(title: str) -> Text:
    return Text(in_line(title), style="bold underline")


def _marked(shade: Shade, title: str, width: int, *, after: str = "") -> Text:
    """A line with its mark; `after` stands at the end, where there is room, or on a line of its own."""
    text = Text(f"  {MARKS[shade]} ", style=f"bold {STYLES[shade]}")
    lines = wrap(title, width - 4)
    text.append("\n    ".join(lines), style="bold default")
    if after:
        room = width - 4 - cell_len(lines[-1]) - len(after)
        text.append(" " * room if room > 1 else "\n    ").append(after, style="bright_black")
    return text


def _printed(parts: Sequence[Text | Table], width: int, colour: bool) -> str:
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    for part in parts:
        console.print(part, markup=False, emoji=False)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").split("\n")) + "\n"
