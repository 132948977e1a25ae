"""Branches on what a message says, how long it is, how many there are, or what day it is."""

import re
from collections.abc import Iterator
from typing import Final

from sekisho.checks.chat_template.found import finding
from sekisho.formats import prose
from sekisho.formats.chat_template import Probe, Template
from sekisho.formats.rules import TEMPLATE
from sekisho.records import Finding, Severity

_COUNTED: Final = frozenset({".split", ".rsplit", "|round"})
"""Take a number of times or places."""
_TAG_WORDS: Final = TEMPLATE["tag_words"] | TEMPLATE["familiar"]
_REWRITES: Final = frozenset(
    {".replace", "|replace", ".strip", ".lstrip", ".rstrip", ".removeprefix", ".removesuffix", "|trim"}
)
_QUIET: Final = frozenset({"-", "*", "**", "//", ".strftime", ".get", ".append"})
_WORDS: Final = re.compile(r"[^\W_]+")
_LISTED: Final = re.compile(r",(?:-1,)?")
"""What a list of numbers that is kept as a text begins with."""
_DATE_ARITHMETIC: Final = frozenset(
    {".replace", "|replace", ".split", ".strip", "|default", "|int", "|string", "|indent"}
)


def judge(where: str, template: Template) -> Iterator[Finding]:
    """One finding per constant that the conversation is held against, unless templates have a use for it."""
    seen: set[tuple[str, str, str]] = set()
    for probe in template.probes:
        reason, severity = _verdict(probe)
        key = (reason, probe.literal, probe.subject)
        if reason and key not in seen:
            seen.add(key)
            named = (("literal", probe.literal), ("how", probe.how))
            yield finding(f"{where}:{probe.line}", reason, severity, _DETAILS[reason], *named)


_DETAILS: Final = {
    "conditional-on-content": "{where}: the template acts on whether a message contains {literal} ({how}).",
    "conditional-on-tag": "{where}: the template acts on whether a message contains the unusual tag {literal} ({how}).",
    "conditional-on-length": "{where}: the template acts on the length of a message ({how} {literal}).",
    "conditional-on-turns": "{where}: the template acts on the number of turns ({how} {literal}).",
    "conditional-on-date": "{where}: the template acts on the date ({how} {literal}).",
    "rewrites-content": "{where}: the template rewrites {literal} in what a message says ({how}).",
}


def _verdict(probe: Probe) -> tuple[str, Severity]:
    if probe.how in _QUIET or not probe.literal or (probe.how in _COUNTED and probe.literal.isdecimal()):
        return "", Severity.NOTE
    if probe.subject == "date":
        quiet = probe.how in _DATE_ARITHMETIC
        return ("", Severity.NOTE) if quiet else ("conditional-on-date", Severity.REJECT)
    if probe.subject in {"turns", "length"} and _is_key(probe):
        return "", Severity.NOTE
    if probe.subject == "turns" and probe.how == "in" and _LISTED.fullmatch(probe.literal):
        return "", Severity.NOTE
    if probe.subject == "turns":
        return "conditional-on-turns", Severity.HOLD
    if probe.subject == "length":
        return "conditional-on-length", Severity.REJECT
    return _on_content(probe)


def _is_key(probe: Probe) -> bool:
    """Say whether a number or a length only picks a field of a message, or a part between two tags or lines."""
    literal = probe.literal.strip()
    tag = literal.startswith("<") and literal.endswith(">") and not prose.without_markup(literal).strip()
    return probe.how == "index" and (not literal or tag or literal.replace("_", "").isalpha())


def _on_content(probe: Probe) -> tuple[str, Severity]:
    literal = probe.literal.strip()
    if literal in TEMPLATE["switches"] or (probe.subject == "part" and literal in TEMPLATE["part_keys"]):
        return "", Severity.NOTE
    if not any(c.isalnum() for c in literal):
        return "", Severity.NOTE
    if prose.without_markup(literal) != literal and literal.startswith("<") and literal.endswith(">"):
        known = all(
            w.lower() in _TAG_WORDS or w.isdecimal() for w in _WORDS.findall(literal.replace("_", " "))
        )
        return ("", Severity.NOTE) if known else ("conditional-on-tag", Severity.HOLD)
    reason = "rewrites-content" if probe.how in _REWRITES else "conditional-on-content"
    header = probe.how in _REWRITES or literal.endswith(":")
    harmless = header and not prose.unfamiliar(literal)
    return reason, Severity.HOLD if harmless else Severity.REJECT
