"""The template against the one of the trusted base."""

from collections.abc import Iterator
from typing import Final

from sekisho.checks.chat_template import alone
from sekisho.checks.chat_template.found import Located, finding
from sekisho.checks.chat_template.writings import quoted
from sekisho.formats import prose
from sekisho.formats.chat_template import Template
from sekisho.records import Finding, Severity

_PHRASE: Final = 2


def judge(where: str, template: Template, trusted: list[Located]) -> Iterator[Finding]:
    """Equal to the base's is fine; anything else is judged by itself and for what it adds."""
    base = next((t for _, t in trusted if t.name == template.name), None)
    if base is not None and base.digest and base.digest == template.digest:
        yield from alone.escapes(where, template)
        detail = "{where}: the template {name} equals the base's."
        yield finding(where, "same-as-base", Severity.NOTE, detail, ("name", template.name))
        return
    yield from alone.judge(where, template)
    if base is None:
        detail = "{where}: the base has no template {name}."
        yield finding(where, "template-added", Severity.HOLD, detail, ("name", template.name))
        return
    yield _difference(where, template, base)


def _difference(where: str, template: Template, base: Template) -> Finding:
    known = {w.lower() for text in _texts(base) for w in prose.unfamiliar(text)}
    added = {text: [w for w in prose.unfamiliar(text) if w.lower() not in known] for text in _texts(template)}
    words = {w.lower() for found in added.values() for w in found}
    if len(words) >= _PHRASE:
        text = max(added, key=lambda t: len(added[t]))
        detail = "{where}: the template says what the base's does not: {literal}."
        return finding(where, "text-added", Severity.REJECT, detail, ("literal", quoted(text)))
    mine = {w.text for w in template.writings} | set(template.texts)
    theirs = {w.text for w in base.writings} | set(base.texts)
    detail = "{where}: the template differs from the base's ({added} texts more, {removed} fewer)."
    counts = (("added", str(len(mine - theirs))), ("removed", str(len(theirs - mine))))
    return finding(where, "differs-from-base", Severity.HOLD, detail, *counts)


def _texts(template: Template) -> set[str]:
    return {w.text for w in template.writings} | set(template.texts)


def missing(found: list[Located], trusted: list[Located]) -> Iterator[Finding]:
    """Templates of the base that the candidate lacks."""
    have = {template.name for _, template in found}
    for where, template in trusted:
        if template.name not in have:
            have.add(template.name)
            detail = "The base has a template {name} (in {place}), this model has none."
            named = (("name", template.name), ("place", where))
            yield finding("", "template-missing", Severity.HOLD, detail, *named)
