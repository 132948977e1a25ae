"""Rules as sentences, for catalogues and for the formats that carry their rules with them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from sekisho import rulebook
from sekisho.report.export.data import dump
from sekisho.report.words import COMMON, Words, checks
from sekisho.report.wrap import paragraph
from sekisho.rulebook import Rule

SCHEMA: Final = 1
_NAME: Final = re.compile(r"\{[a-z_]+\}")
_CWE: Final = "https://cwe.mitre.org/data/definitions/{}.html"
_ATLAS: Final = "https://atlas.mitre.org/techniques/{}"


def described(rule: Rule, words: Words) -> str:
    """The rule's sentence, with an ellipsis where a finding names a value; its code where there is none."""
    text = _reasons(rule).get(rule.reason, {}).get(words.language, rule.reason).removeprefix("{where}: ")
    return _NAME.sub("…", text[:1].upper() + text[1:])


def told(rule: Rule, words: Words) -> tuple[str, str]:
    """Why it matters and what to do."""
    return words.check(rule.check, "why"), words.check(rule.check, "todo") or words.say("ui", "no_todo")


def link(rule: Rule) -> str:
    """The page of the first weakness or technique it is mapped to; empty where it is mapped to none."""
    if rule.cwe:
        return _CWE.format(rule.cwe[0].removeprefix("CWE-"))
    return _ATLAS.format(rule.atlas[0]) if rule.atlas else ""


def to_json(chosen: Iterable[Rule]) -> str:
    """Write rules with their texts in both languages."""
    both = (Words("en"), Words("ja"))
    return dump({"schema": SCHEMA, "rules": [_plain(rule, both) for rule in chosen]})


def to_text(rule: Rule, language: str = "en", width: int = 80) -> str:
    """Write one rule for a terminal."""
    words = Words(language)
    why, todo = told(rule, words)
    head = f"{rule.id}  {words.check(rule.check)} ({rule.check}/{rule.reason})"
    lines = [paragraph(head, width), paragraph(described(rule, words), width, first="  ", rest="  ")]
    pairs = [
        (words.say("ui", "default_severity"), words.say("severity", rule.severity)),
        (words.say("ui", "meaning"), why),
        (words.say("ui", "todo"), todo),
        *((label, words.listed(ids)) for label, ids in _mapped(rule)),
    ]
    colon = words.say("ui", "colon")
    lines += [
        paragraph(f"{label}{colon}{text}", width, first="  ", rest="    ") for label, text in pairs if text
    ]
    if rule.retired:
        lines.append(paragraph(words.say("ui", "retired"), width, first="  ", rest="  "))
    return "\n".join(lines)


def listed(language: str = "en", width: int = 80) -> str:
    """Write every rule in force as one line: id, severity, what it says."""
    words = Words(language)
    lines = []
    for rule in rulebook.rules():
        if not rule.retired:
            first = f"{rule.id}  {rule.severity.value:<7} "
            lines.append(paragraph(described(rule, words), width, first=first, rest=" " * len(first)))
    return "\n".join(lines)


def _mapped(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("OWASP LLM", rule.owasp), ("MITRE ATLAS", rule.atlas), ("CWE", rule.cwe))


def _plain(rule: Rule, both: tuple[Words, Words]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "check": rule.check,
        "reason": rule.reason,
        "severity": rule.severity.value,
        "owasp_llm": list(rule.owasp),
        "mitre_atlas": list(rule.atlas),
        "cwe": list(rule.cwe),
        "measured": rule.measured,
        "retired": rule.retired,
        "title": {w.language: w.check(rule.check) for w in both},
        "says": {w.language: described(rule, w) for w in both},
        "why": {w.language: told(rule, w)[0] for w in both},
        "todo": {w.language: told(rule, w)[1] for w in both},
    }


def _reasons(rule: Rule) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = checks().get(rule.check or COMMON, {}).get("reasons", {})
    return found
