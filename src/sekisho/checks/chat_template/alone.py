"""What a template must not do, whatever model it belongs to."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.chat_template import probes, writings
from sekisho.checks.chat_template.found import finding
from sekisho.formats.chat_template import Template
from sekisho.formats.rules import TEMPLATE
from sekisho.records import Finding, Outcome, Severity

_HUGE: Final = 100_000
_SHOWN: Final = 8
"""Findings of one kind per template."""
_BY_NUMBER: Final = re.compile(r"%c|\{[^{}]*:c\}")
"""A text put together from character numbers."""


def judge(where: str, template: Template) -> Iterator[Finding]:
    """Say everything that can be said without a base."""
    yield from unreadable(where, template)
    yield from escapes(where, template)
    yield from islice(probes.judge(where, template), _SHOWN)
    yield from islice(writings.judge(where, template), _SHOWN)
    yield from islice(_unknown(where, template), _SHOWN)
    if template.largest_range > _HUGE:
        detail = "{where}: the template repeats something {count} times."
        yield finding(where, "huge-loop", Severity.HOLD, detail, ("count", f"{template.largest_range:,}"))


def unreadable(where: str, template: Template) -> Iterator[Finding]:
    """Report a template that could not be followed, and characters that nobody sees."""
    if template.problem:
        detail = f"{where}: the template cannot be followed: {template.problem}."
        facts = (("problem", template.problem),)
        yield Finding("chat-template", Outcome.CANNOT_TELL, Severity.HOLD, where, "unparsable", detail, facts)
    for character, line in template.invisible[:_SHOWN]:
        place = f"{where}:{line}" if line else where
        detail = "{where}: the template contains the invisible character {character}."
        yield finding(place, "invisible-character", Severity.REJECT, detail, ("character", character))


def escapes(where: str, template: Template) -> Iterator[Finding]:
    """Report attributes that lead out of the sandbox, however they are spelled."""
    found = dict.fromkeys(
        (a.name, a.line) for a in template.attributes if _escapes(a.name, computed=a.computed)
    )
    inside = [(d, 0) for text in template.texts for d in sorted(TEMPLATE["dunders"]) if d in text]
    known = {name for name, _ in found}
    found.update(dict.fromkeys(pair for pair in inside if pair[0] not in known))
    for name, line in islice(found, _SHOWN):
        place = f"{where}:{line}" if line else where
        detail = "{where}: the template reaches for {attribute}, which leads out of the sandbox."
        yield finding(place, "dunder-access", Severity.REJECT, detail, ("attribute", name))
    for text in (t for t in template.texts if _BY_NUMBER.search(t)):
        detail = "{where}: the template puts text together from character numbers: {literal}."
        yield finding(where, "obfuscated-text", Severity.HOLD, detail, ("literal", text))


def _escapes(name: str, *, computed: bool) -> bool:
    dunder = name.startswith("__") or name in TEMPLATE["dunders"] or name in TEMPLATE["escapes"]
    return dunder or (computed and ("__" in name or name == "?"))


def _unknown(where: str, template: Template) -> Iterator[Finding]:
    kinds = {".": "methods", "|": "filters", "?": "tests"}
    for name, line in template.calls:
        kind = kinds.get(name[0], "functions")
        plain = name[1:] if kind != "functions" else name
        if name.startswith("%"):
            detail = "{where}: the template reads another file with {name}."
            yield finding(f"{where}:{line}", "other-file", Severity.HOLD, detail, ("name", name[1:]))
        elif plain not in TEMPLATE[kind]:
            detail = "{where}: the template calls {name}, which nobody knows."
            yield finding(f"{where}:{line}", "unknown-function", Severity.HOLD, detail, ("name", name))
