"""Short documents for people, once as data, then as Markdown and as one HTML file that prints."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

TEMPLATE: Final = "document.html"


@dataclass(frozen=True)
class Block:
    """One part of a document."""

    kind: str
    """`h2`, `h3`, `p`, `ul`, `ol`, `table` or `sign` (a line to sign on)."""
    text: str = ""
    items: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Document:
    """A document in one language."""

    title: str
    language: str
    blocks: tuple[Block, ...]
    note: str = ""
    """Stands on every page, e.g. that it is a draft."""
    facts: tuple[tuple[str, str], ...] = field(default=())
    """Label and value, under the title."""


def html(made: Document) -> str:
    """One self-contained page without scripts; the note is repeated on every printed page."""
    from sekisho.report import html as pages  # late: the terminal needs no templates

    return pages.page(TEMPLATE, d=made)


def markdown(made: Document) -> str:
    """Markdown in which nothing filled in is markup."""
    return "\n\n".join(_lines(made)) + "\n"


def _lines(made: Document) -> Iterator[str]:
    from sekisho.report.export.markdown import code, plain

    yield f"# {plain(made.title)}"
    if made.note:
        yield f"> **{plain(made.note)}**"
    if made.facts:
        yield "\n".join(
            f"- {plain(k)}: {plain(v) if ' ' in v or not v.isascii() else code(v)}" for k, v in made.facts
        )
    yield from (text for block in made.blocks if (text := _block(block)))
    if made.note:
        yield f"---\n\n> {plain(made.note)}"


def _block(block: Block) -> str:
    from sekisho.report.export.markdown import plain

    if block.kind in ("h2", "h3"):
        return f"{'#' * int(block.kind[1])} {plain(block.text)}"
    if block.kind == "ul":
        return "\n".join(f"- {plain(i)}" for i in block.items)
    if block.kind == "ol":
        return "\n".join(f"{n}. {plain(i)}" for n, i in enumerate(block.items, 1))
    if block.kind == "table":
        rule = tuple("---" for _ in block.header)
        cells = (tuple(plain(c) for c in row) for row in (block.header, *block.rows))
        head, *rest = cells
        return "\n".join(f"| {' | '.join(c or ' ' for c in row)} |" for row in (head, rule, *rest))
    if block.kind == "sign":
        return f"{plain(block.text)} \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_"
    return plain(block.text, 2_000)
