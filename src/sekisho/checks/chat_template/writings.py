"""Texts that the template itself puts into the prompt."""

import re
from collections.abc import Iterator
from typing import Final

from sekisho.checks.chat_template.found import finding
from sekisho.formats import prose, wording
from sekisho.formats.chat_template import GAP, Template, Writing
from sekisho.formats.rules import TEMPLATE
from sekisho.records import Finding, Severity

_PHRASE: Final = 2
"""From so many unfamiliar words on, a text says something."""
_SENTENCE: Final = 3
"""From so many on, it is taken for an instruction."""
_PREAMBLE: Final = 4
_SCATTERED: Final = 4
_MOUTH: Final = re.compile(r"(?:assistant|model|ai|bot|gpt)\W*\s+(\w+)\W*$", re.IGNORECASE)

_DETAILS: Final = {
    "hidden-instruction": "{where}: the template adds {literal} to the conversation, which nobody in it wrote.",
    "short-addition": "{where}: the template adds {literal} to the conversation.",
    "optional-instruction": "{where}: with {option}, the template adds {literal} to the conversation.",
    "answer-prefill": "{where}: the template begins the assistant's answer with {literal}.",
    "fixed-preamble": "{where}: the template opens every prompt with {literal}.",
    "default-system-prompt": "{where}: without a system message, the template supplies {literal}.",
    "default-system-orders": "{where}: without a system message, the template supplies orders ({word}): {literal}.",
    "tool-orders": "{where}: with tools or their results, the template adds orders that tools have no use for ({word}): {literal}.",
    "scattered-text": "{where}: the template adds words here and there that together read {literal}.",
}

_WORDED: Final = ("default-system-orders", "tool-orders")


def judge(where: str, template: Template) -> Iterator[Finding]:
    """Say for every text with words of its own what it is taken for."""
    scattered: dict[str, None] = {}
    for writing in template.writings:
        reason, severity = _verdict(writing)
        if reason:
            named = [("literal", quoted(writing.text))]
            named += [("option", _options(writing))] if reason == "optional-instruction" else []
            named += [("word", wording.charged(writing.text))] if reason in _WORDED else []
            yield finding(f"{where}:{writing.line}", reason, severity, _DETAILS[reason], *named)
        elif "in-loop" in writing.guards and not _with_tools(writing):
            scattered.update(dict.fromkeys(prose.unfamiliar(writing.text)))
    if len(scattered) >= _SCATTERED:
        detail = _DETAILS["scattered-text"]
        yield finding(where, "scattered-text", Severity.HOLD, detail, ("literal", " ".join(scattered)))


_TOLD: Final = ("fixed-preamble", "hidden-instruction", "optional-instruction")


def told(template: Template) -> Iterator[str]:
    """Texts put into every conversation that reading the template has named already."""
    judged = ((w.text, *_verdict(w)) for w in template.writings)
    return (
        text
        for text, reason, severity in judged
        if reason in _TOLD and (reason != "hidden-instruction" or severity is Severity.REJECT)
    )


def _verdict(writing: Writing) -> tuple[str, Severity]:
    words = prose.unfamiliar(writing.text)
    guards = set(writing.guards)
    if _in_mouth(writing, words):
        return "answer-prefill", Severity.REJECT
    if len(words) < _PHRASE:
        return "", Severity.NOTE
    if _with_tools(writing):
        return ("tool-orders", Severity.HOLD) if wording.charged(writing.text) else ("", Severity.NOTE)
    if _default_system(guards):
        orders = bool(wording.charged(writing.text))
        return (
            ("default-system-orders", Severity.HOLD) if orders else ("default-system-prompt", Severity.NOTE)
        )
    if "in-loop" in guards and ("loop-first" not in guards or _speaker(guards)):
        if any(g.startswith("option:") for g in guards):
            return "optional-instruction", Severity.HOLD
        if len(words) < _SENTENCE:
            return "short-addition", Severity.HOLD
        return "hidden-instruction", Severity.HOLD if wording.plain(writing.text) else Severity.REJECT
    if len(words) < _PREAMBLE:
        return "", Severity.NOTE
    chosen = any(g.startswith("option:") for g in guards)
    odd = wording.charged(writing.text) if chosen else wording.remarkable(writing.text)
    return "fixed-preamble", Severity.HOLD if odd else Severity.NOTE


def _in_mouth(writing: Writing, words: tuple[str, ...]) -> bool:
    """Say whether the words follow the assistant's header, where the answer should begin."""
    guards = set(writing.guards)
    if guards & {"generation", "tail"}:
        alone = len(words) == 1 and words[0].lower() in TEMPLATE["affirmations"]
        return alone or (len(words) >= _PHRASE and not _with_tools(writing))
    spoken = _MOUTH.search(prose.without_markup(writing.text)) if "in-loop" in guards else None
    return spoken is not None and spoken[1].lower() in TEMPLATE["affirmations"] - {"i", "of", "here"}


def _default_system(guards: set[str]) -> bool:
    once = "in-loop" not in guards or guards & {"once", "loop-first"}
    none = "no-system" in guards or "first-role!=system" in guards or {"loop-first", "role!=system"} <= guards
    return bool(once) and none


def _with_tools(writing: Writing) -> bool:
    return "tools" in writing.guards


def _speaker(guards: set[str]) -> bool:
    return any(g.startswith("role=") for g in guards)


def _options(writing: Writing) -> str:
    return ", ".join(g.removeprefix("option:") for g in writing.guards if g.startswith("option:"))


def quoted(text: str) -> str:
    """Return a text without tags and gaps, as one line."""
    return " ".join(prose.without_markup(text).replace(GAP, " ").split())
