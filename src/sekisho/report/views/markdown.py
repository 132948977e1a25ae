"""A view as Markdown; nothing that a model or a file wrote is markup in it."""

from collections.abc import Iterator

from sekisho.report.export.markdown import code, plain
from sekisho.report.views import glossary
from sekisho.report.views.document import (
    Block,
    Bullets,
    Cell,
    Document,
    Form,
    Line,
    Mark,
    Para,
    Quote,
    Rows,
    Section,
    Table,
)
from sekisho.report.views.words import Say

_LONG = 4_000


def render(document: Document) -> str:
    """Write a document."""
    say = Say(document.language)
    blocks = [*_head(document, say)]
    for section in document.sections:
        blocks += _section(section, say)
    blocks += _glossary(document, say)
    blocks += ["---", *(_text(n) for n in document.notes)]
    return "\n\n".join(b for b in blocks if b) + "\n"


def _text(text: str) -> str:
    return plain(text, _LONG)


def _head(document: Document, say: Say) -> Iterator[str]:
    yield f"# {_text(document.title)}"
    made = say("ui.made", when=document.made) if document.made else say("ui.made_unknown")
    yield f"**{_text(document.name)}** – {_text(made)}"
    if document.banner:
        colon = say.words.say("ui", "colon")
        yield f"**{_text(document.banner.word)}**{colon}{_text(document.banner.sentence)}"
        yield f"{_text(say('ui.next_step'))}{colon}{_text(document.banner.next_step)}"


def _section(section: Section, say: Say) -> Iterator[str]:
    number = f"{section.number}. " if section.number else ""
    yield f"## {number}{_text(section.title)}"
    for block in section.blocks:
        yield _block(block, say)


def _block(block: Block, say: Say) -> str:
    if isinstance(block, Para):
        return f"*{_text(block.text)}*" if block.soft else _text(block.text)
    if isinstance(block, Bullets):
        marks = (f"{n}. " if block.ordered else "- " for n in range(1, len(block.lines) + 1))
        return "\n".join(f"{mark}{_line(line, say)}" for mark, line in zip(marks, block.lines, strict=True))
    if isinstance(block, Rows):
        colon = say.words.say("ui", "colon")
        return "\n".join(
            f"- **{_text(r.name)}**{colon}{code(r.value) if r.mono else _text(r.value)}" for r in block.rows
        )
    if isinstance(block, Table):
        return _table(block, say)
    if isinstance(block, Form):
        return "\n\n".join(
            f"**{_text(label)}**{say.words.say('ui', 'colon')}" + r"\_" * 20 for label in block.labels
        )
    return _quote(block, say)


def _line(line: Line, say: Say) -> str:
    ref = f" ({_text(line.ref)})" if line.ref else ""
    return f"{_mark(line.mark, say)}{_text(line.text)}{ref}"


def _mark(mark: Mark, say: Say) -> str:
    return "" if mark is Mark.FACT else f"**\\[{_text(say(f'tag.{mark}'))}\\]** "


def _table(table: Table, say: Say) -> str:
    rows = [f"| {' | '.join(_text(h) for h in table.heads)} |", f"|{' --- |' * len(table.heads)}"]
    rows += [f"| {' | '.join(_cell(c, say) for c in row)} |" for row in table.rows]
    return "\n".join(rows)


def _cell(cell: Cell, say: Say) -> str:
    shown = code(cell.text, cell=True) if cell.mono and cell.text else _text(cell.text)
    return f"{_mark(cell.mark, say)}{shown}"


def _quote(quote: Quote, say: Say) -> str:
    lines = quote.text.split("\n")
    first = f"> **{_text(quote.title)}**{say.words.say('ui', 'colon')}"
    return "\n".join([first, *(f"> {_text(line)}" for line in lines)])


def _glossary(document: Document, say: Say) -> Iterator[str]:
    if not document.glossary:
        return
    terms = glossary.used(texts(document), document.language)
    if terms:
        yield f"## {_text(say('ui.glossary'))}"
        colon = say.words.say("ui", "colon")
        yield "\n".join(f"- **{_text(t.name)}**{colon}{_text(t.says)}" for t in terms)


def texts(document: Document) -> Iterator[str]:
    """Sentences of a document in which words of the trade may stand, in the order of the page."""
    if document.banner:
        yield from (document.banner.sentence, document.banner.next_step)
    for section in document.sections:
        yield section.title
        for block in section.blocks:
            if isinstance(block, Bullets):
                yield from (line.text for line in block.lines)
            elif isinstance(block, Para):
                yield block.text
            elif isinstance(block, Table):
                yield from block.heads
                yield from (cell.text for row in block.rows for cell in row if not cell.mono)
