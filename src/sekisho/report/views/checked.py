"""The checklist as a page."""

from sekisho.checklist.engine import Checklist, Result
from sekisho.checklist.items import FilledBy
from sekisho.checklist.sources import Answer, Sources
from sekisho.report import checklist
from sekisho.report.views.document import Block, Cell, Document, Para, Section, Table
from sekisho.report.views.facts import MARKS
from sekisho.report.views.words import Say
from sekisho.report.visible import one_line
from sekisho.report.words import Words


def document(sources: Sources, made: Checklist, say: Say) -> Document:
    """Build the page."""
    dossier = sources.dossier
    return Document(
        view="checklist",
        language=say.language,
        title=say("view.checklist"),
        name=one_line(dossier.provenance.name, 80) if dossier else sources.subject[:16],
        made=say.words.moment(dossier.timing.started) if dossier else "",
        banner=None,
        sections=(_head(made, say), *sections(made, say)),
        notes=(say.checklist("ui", "limit"), say.checklist("ui", "answer_how")),
    )


def sections(made: Checklist, say: Say) -> tuple[Section, ...]:
    """One section for each group of items."""
    groups = dict.fromkeys(r.item.group for r in made.results)
    return tuple(
        Section(f"checklist-{g}", say.checklist("group", g), (_table(made, say, g),)) for g in groups
    )


def _head(made: Checklist, say: Say) -> Section:
    lines: list[Block] = [Para(checklist.summary(made, say.words)), Para(checklist.by_hand(made, say.words))]
    if not made.inspected:
        lines.append(Para(say.checklist("ui", "no_dossier")))
    return Section("summary", say("ui.stands"), tuple(lines))


def _table(made: Checklist, say: Say, group: str) -> Table:
    heads = ("item", "answer", "rests_on", "todo", "who")
    rows = tuple(_row(r, say) for r in made.results if r.item.group == group)
    return Table(tuple(say(f"head.{h}") for h in heads), rows, widths=(30, 10, 25, 20, 15))


def _row(result: Result, say: Say) -> tuple[Cell, ...]:
    words, item = say.words, result.item
    gap = "" if say.language == "ja" else " "
    rests = gap.join(x for x in (checklist.said(result.said, words), checklist.beside(result, words)) if x)
    tags = [] if result.required else [say.checklist("ui", "optional")]
    tags += [] if item.filled_by is FilledBy.TOOL else [say.checklist("filled_by", item.filled_by)]
    tagged = say.checklist("ui", "tagged", text=words.listed(tags)) if tags else ""
    return (
        Cell(f"{item.id} {item.text('question', say.language)}{tagged}"),
        answer(result, say),
        Cell(rests),
        Cell(checklist.todo(result, words) if result.required else ""),
        Cell(who(result, words)),
    )


def answer(result: Result, say: Say) -> Cell:
    """Yes, no or unknown; the mark of an unknown says the word already."""
    word = "" if result.answer is Answer.UNKNOWN else say.checklist("answer", result.answer)
    return Cell(word, mark=MARKS[result.answer])


def who(result: Result, words: Words) -> str:
    """Who answered and when; empty where nobody did."""
    return "" if result.answer is Answer.UNKNOWN else checklist.given(result.said, words)
