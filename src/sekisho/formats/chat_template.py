"""Chat templates: what a template writes of its own, on which conditions, and what it reaches for. Never rendered.

A template may stand in `chat_template.jinja`, `additional_chat_templates/*.jinja`, `chat_template.json`,
`processor_config.json`, `tokenizer_config.json` (a text, or a list of named ones) or the metadata of a GGUF file.
"""

import hashlib
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sekisho.errors import LimitError, MalformedError
from sekisho.formats._template.flow import GAP, walk
from sekisho.formats._template.state import Attribute, Probe, Record, Writing
from sekisho.formats._template.values import provided
from sekisho.formats.base import Format
from sekisho.limits import DEFAULT, Limits
from sekisho.records import FormatFacts

__all__ = [
    "FORMAT",
    "GAP",
    "Attribute",
    "Probe",
    "Template",
    "TemplateFacts",
    "Writing",
    "describe",
    "in_document",
]

DEFAULT_NAME: Final = "default"
_INVISIBLE: Final = frozenset({"Cf", "Co", "Cs"})
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and marks that print nothing."""
_SELECTORS: Final = frozenset(
    map(chr, (*range(0xFE00, 0xFE0E), *range(0x180B, 0x1810), *range(0xE0100, 0xE01F0)))
)
"""Choose another shape of a character; nothing in prompts needs one but those for emoji, which are left out."""


@final
@dataclass(frozen=True)
class Template:
    """One template, understood as far as `problem` says."""

    name: str
    """`default`, or the name it is chosen by."""
    digest: str
    """sha256 of the syntax tree; comments and the spelling of whitespace in tags do not count."""
    writings: tuple[Writing, ...] = field(default=(), repr=False)
    probes: tuple[Probe, ...] = ()
    attributes: tuple[Attribute, ...] = field(default=(), repr=False)
    calls: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    """(function, `.method`, `|filter`, `?test` or `%statement`, line)."""
    texts: tuple[str, ...] = field(default=(), repr=False)
    """Constant texts after folding, wherever they stand."""
    options: tuple[str, ...] = ()
    """Variables whose meaning the template itself decides: neither set in it nor known from the conversation."""
    largest_range: int = 0
    """Largest number given to `range` or to a repetition."""
    invisible: tuple[tuple[str, int], ...] = ()
    """(character by code point, line) of what a reader cannot see."""
    problem: str = ""
    source: str = field(default="", repr=False)
    """The template itself; empty where it is over the limit."""


@final
@dataclass(frozen=True)
class TemplateFacts(FormatFacts):
    """The template of a file that is one."""

    template: Template


class _Generation(Extension):
    """`{% generation %}` marks the assistant's tokens for training and writes nothing itself."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it as an instance attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Keep the body as if the tag were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def describe(text: str, name: str = DEFAULT_NAME, limits: Limits = DEFAULT) -> Template:
    """Return what a template does; one that cannot be followed says so in `problem`."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.template_bytes:
        return Template(
            name, "", problem=str(LimitError("chat template in bytes", size, limits.template_bytes))
        )
    unseen = _unseen(text)
    try:
        tree = _environment().parse(text)
        digest = hashlib.sha256(repr(tree).encode("utf-8", "surrogatepass")).hexdigest()
        record = walk(tree.body)
    except TemplateSyntaxError as error:
        problem = f"line {error.lineno}: {error.message}"
        return Template(name, "", invisible=unseen, problem=problem, source=text)
    except (RecursionError, LimitError) as error:
        reason = str(error) if isinstance(error, LimitError) else "it is nested too deeply"
        return Template(name, "", invisible=unseen, problem=reason, source=text)
    return replace(_template(name, digest, record, unseen), source=text)


def _template(name: str, digest: str, record: Record, unseen: tuple[tuple[str, int], ...]) -> Template:
    hidden = {found: None for text in record.texts for found in _unseen(text, line=0)}
    seen = {character for character, _ in unseen}
    return Template(
        name=name,
        digest=digest,
        writings=tuple(record.writings),
        probes=tuple(record.probes),
        attributes=tuple(record.attributes),
        calls=tuple(record.calls),
        texts=tuple(record.texts),
        options=tuple(n for n in record.names if any(o.startswith("option:") for o in provided(n).labels)),
        largest_range=record.largest_range,
        invisible=unseen + tuple(h for h in hidden if h[0] not in seen),
    )


def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Generation, "jinja2.ext.loopcontrols", "jinja2.ext.do"],
    )


def unseen(text: str) -> tuple[str, ...]:
    """Characters that a reader cannot see or that reorder what is seen, by code point and name."""
    found = (c for c in text if unicodedata.category(c) in _INVISIBLE or c in _FILLERS or c in _SELECTORS)
    return tuple(dict.fromkeys(f"U+{ord(c):04X} {unicodedata.name(c, 'without a name')}" for c in found))


def _unseen(text: str, line: int | None = None) -> tuple[tuple[str, int], ...]:
    if text.isascii():
        return ()
    lines = enumerate(text.split("\n"), 1)
    return tuple((c, n if line is None else line) for n, row in lines for c in unseen(row))


def in_document(document: Any, limits: Limits = DEFAULT) -> tuple[Template, ...]:
    """Templates under `chat_template` of a parsed JSON document: a text, a table, or a list of named ones."""
    value = document.get("chat_template") if isinstance(document, dict) else None
    if isinstance(value, str):
        return (describe(value, limits=limits),)
    if isinstance(value, dict):
        return tuple(_named(n, t, limits) for n, t in value.items())
    if isinstance(value, list):
        return tuple(
            _named(entry.get("name"), entry.get("template"), limits)
            if isinstance(entry, dict)
            else _named("?", None, limits)
            for entry in value
        )
    return () if value is None else (_named(DEFAULT_NAME, None, limits),)


def _named(name: Any, text: Any, limits: Limits) -> Template:
    label = name if isinstance(name, str) and name else "?"
    if not isinstance(text, str):
        return Template(label, "", problem="the template is not a text")
    return describe(text, label, limits)


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a template by its name; its content may be anything."""
    del head
    return filename.lower().endswith((".jinja", ".jinja2", ".j2"))


def read(path: Path, limits: Limits) -> TemplateFacts:
    """Read one template file; a template that does not parse is a fact, not an error."""
    with path.open("rb") as file:
        data = file.read(limits.template_bytes + 1)
    if len(data) > limits.template_bytes:
        raise LimitError("chat template in bytes", path.stat().st_size, limits.template_bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"chat template is not UTF-8 at byte {error.start}") from error
    default = path.name.lower().startswith("chat_template")
    return TemplateFacts(describe(text, DEFAULT_NAME if default else path.stem, limits))


FORMAT: Final = Format("chat-template", sniff, read)
