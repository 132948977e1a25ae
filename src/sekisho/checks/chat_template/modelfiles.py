"""Modelfiles: what an Ollama server puts around every conversation."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.chat_template.found import finding
from sekisho.formats import go_template, prose, wording
from sekisho.formats.chat_template import unseen
from sekisho.formats.modelfile import ModelfileFacts
from sekisho.records import FileFact, Finding, Severity

_COMPARISON: Final = re.compile(
    r"\{\{[^}]*\b(?:eq|contains|hasPrefix|hasSuffix|slice|len|index)\b[^}]*\}\}", re.DOTALL
)
_FIELDS: Final = re.compile(r"\.(?:Content|Prompt|Messages|System)\b")
_PHRASE: Final = 2
_SHOWN: Final = 8

_DETAILS: Final = {
    "modelfile-plain": "{where}: a template in Go that puts roles and tags around messages; it is used in place of every other.",
    "modelfile-template": "{where}: a template in Go, which is not followed here; it is used in place of every other.",
    "modelfile-condition": "{where}: the template acts on what a message says ({literal}).",
    "modelfile-text": "{where}: the template adds {literal} to the conversation.",
    "modelfile-system": "{where}: every conversation begins with {literal}.",
    "modelfile-message": "{where}: every conversation begins with a turn nobody took: {literal}.",
    "modelfile-adapter": "{where}: the adapter {literal} is always on.",
    "modelfile-stop": "{where}: answers stop at {literal}.",
    "modelfile-line": "{where}: a line that is no instruction: {literal}.",
}
_BY_INSTRUCTION: Final = {
    "SYSTEM": "modelfile-system",
    "MESSAGE": "modelfile-message",
    "ADAPTER": "modelfile-adapter",
}


def judge(file: FileFact) -> Iterator[Finding]:
    """One finding for each instruction that says or does something of its own."""
    facts = file.facts
    if isinstance(facts, ModelfileFacts):
        yield from islice(_instructions(file.path, facts), 4 * _SHOWN)
        for line in facts.odd[:_SHOWN]:
            yield _found(file.path, "modelfile-line", Severity.HOLD, line)


def _instructions(where: str, facts: ModelfileFacts) -> Iterator[Finding]:
    for name, value in facts.instructions:
        if name == "TEMPLATE":
            yield from _template(where, value)
        elif name in _BY_INSTRUCTION:
            severity = Severity.NOTE if name == "SYSTEM" else Severity.HOLD
            yield _found(where, _BY_INSTRUCTION[name], severity, value)
        elif name == "PARAMETER" and value.lower().startswith("stop"):
            text = value[4:].strip().strip('"')
            if prose.unfamiliar(text):
                yield _found(where, "modelfile-stop", Severity.HOLD, text)
        for character in unseen(value.replace("\n", ""))[:1] if name != "LICENSE" else ():
            detail = "{where}: the template contains the invisible character {character}."
            yield finding(where, "invisible-character", Severity.REJECT, detail, ("character", character))


def _template(where: str, text: str) -> Iterator[Finding]:
    """A template that is plain throughout is a note; one that is not is held, and refused for what it plainly does."""
    followed = go_template.is_plain(text)
    reason, severity = (
        ("modelfile-plain", Severity.NOTE) if followed else ("modelfile-template", Severity.HOLD)
    )
    yield finding(where, reason, severity, _DETAILS[reason])
    for action in () if followed else _COMPARISON.findall(text):
        if _FIELDS.search(action) and not go_template.is_plain(action):
            yield _found(where, "modelfile-condition", Severity.REJECT, action)
    own = go_template.literal(text)
    if len(prose.unfamiliar(own)) >= _PHRASE:
        severity = Severity.HOLD if wording.plain(own) else Severity.REJECT
        yield _found(where, "modelfile-text", severity, " ".join(prose.without_markup(own).split()))


def _found(where: str, reason: str, severity: Severity, literal: str) -> Finding:
    return finding(where, reason, severity, _DETAILS[reason], ("literal", literal))
