"""A chat template that does more than put roles around messages.

What it does: reads every chat template of the model (`chat_template.jinja`, `tokenizer_config.json`, GGUF metadata, Modelfile),
follows where its values stem from, and objects to branches on what a message says, to instructions the
template writes by itself, to reserved tokens, to words put into the assistant's mouth, to dates, to attributes that lead out of the sandbox, and,
where a trusted base is given, to any difference from the base's template. Each is then rendered in a confined process with
made-up conversations, days, lengths and every text that it contains or was seen to compare with; it must write what the
same conversation with other words explains.

Why it matters: the template stands between every user and the model. A changed one can give orders that nobody sees while
the weights stay byte-identical.

What to do: use the template of the trusted base model, or have someone read the lines named.

What an attacker can still do without a base to compare with: hide an instruction where real templates carry text too (the
default system prompt, which is shown as a note, and what comes with tools), or choose a trigger that looks like a known tag.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.checks.chat_template import alone, behaviour, compared, modelfiles, tokens, writings
from sekisho.checks.chat_template.found import Located, finding, templates
from sekisho.formats import outline, wording
from sekisho.formats.rendering import Rendering
from sekisho.formats.rules import TEMPLATE
from sekisho.records import Finding, Inventory, Outcome, Role, Severity

_SUSPICIONS: Final = frozenset(
    {
        "conditional-on-content", "conditional-on-length", "conditional-on-date", "rewrites-content", "hidden-instruction",
        "answer-prefill",
    }
)  # fmt: skip
"""Reasons that rest on reading the template; what it then does is told by rendering it."""
_NAME: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_DEFAULTS: Final = ("hidden-instruction", "fixed-preamble")
_TELLING: Final = 12
"""Characters from which a text is told from others in what was rendered."""
_PASSAGE: Final = 12
"""Words from which a text is a passage of the template's own that it takes out again, and nothing that people write."""
_UNABLE: Final = "does not render"
"""A template that takes no plain conversation; it is held for that."""


@final
class ChatTemplate(AbstractCheck):
    """No template that says or does something of its own."""

    id = "chat-template"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge every distinct template by itself, the files against one another, and all against the base."""
        found = templates(case.candidate)
        rendered = case.rendered or {}
        trusted = templates(case.base) if case.base else []
        base = tuple(t for _, t in trusted) if case.base else None
        added = outline.added(case.candidate)
        judged: set[tuple[str, str]] = set()
        for where, template in found:
            key = (template.name, template.digest)
            if template.digest and key in judged:
                continue
            judged.add(key)
            judged_so = (
                compared.judge(where, template, trusted) if case.base else alone.judge(where, template)
            )
            rendering = rendered.get(key)
            read = tuple(softened(judged_so, rendering))
            yield from read
            yield from behaviour.judge(where, template, rendering)
            yield from tokens.judge((where, template), added, base)
        if case.base is not None and (found or not case.adapter_alone):
            yield from compared.missing(found, trusted)
        for file in case.candidate.files:
            yield from modelfiles.judge(file)
        yield from _disagreements(found)
        yield from _unread(case.candidate)


def softened(found: Iterable[Finding], rendering: Rendering | None) -> Iterator[Finding]:
    """What the syntax tree alone suggests is a question for a person where rendering it in full did not confirm it."""
    unable = (
        rendering is not None
        and rendering.problem.startswith(_UNABLE)
        and "Security" not in rendering.problem
    )
    complete = rendering is not None and not (rendering.problem or rendering.cut or rendering.reached)
    for one in found:
        suspected = one.reason in _SUSPICIONS or dict(one.facts).get("attribute") == "?"
        unsure = (complete or unable) and suspected and one.severity is Severity.REJECT
        if rendering is not None and complete and _excused(one, rendering):
            yield replace(one, severity=Severity.NOTE, outcome=Outcome.PASS)
        else:
            yield replace(one, severity=Severity.HOLD) if unsure else one


def _excused(one: Finding, rendering: Rendering) -> bool:
    return _harmless(one, rendering) or _unspoken(one, rendering) or _only_default(one, rendering)


def _unspoken(one: Finding, rendering: Rendering) -> bool:
    """Say whether plain words that may begin an answer did not do so, which no affirmation is excused from."""
    literal = dict(one.facts).get("literal", "")
    if one.reason != "answer-prefill" or behaviour.prefill(rendering):
        return False
    said = literal.endswith("…") or _written(literal, rendering)
    first = literal.split(maxsplit=1)[0].strip(".,!:").lower() if literal.strip() else ""
    return not said and first not in TEMPLATE["affirmations"] and wording.plain(literal)


def _only_default(one: Finding, rendering: Rendering) -> bool:
    """Say whether a text was written where no system message was given, and in no other case: a default like any other."""
    if one.reason not in _DEFAULTS or not rendering.system:
        return False
    literal = dict(one.facts).get("literal", "").rstrip("…")
    shown = {name: writings.quoted(case.text) for name, case in rendering.cases.items()}
    default = shown.get("no-system", "")
    if len(literal) < _TELLING or wording.charged(default):
        return False
    chosen = any(literal in writings.quoted(r.actual) for r in rendering.reactions)
    return literal in default and not (
        chosen or any(literal in text for name, text in shown.items() if name != "no-system")
    )


def _written(literal: str, rendering: Rendering) -> bool:
    """Say whether a text was written in any case, or where the template reacted to something."""
    made = [c.text for c in rendering.cases.values()] + [r.actual for r in rendering.reactions]
    return any(literal in " ".join(text.split()) for text in made)


def _harmless(one: Finding, rendering: Rendering) -> bool:
    """Say whether full rendering, in which nothing came of it, leaves nothing of what reading it suggests.

    A plainly worded text that was never written, and a comparison with a tag or a name that programs have for kinds of content.
    """
    if one.reason == "hidden-instruction":
        return one.severity is Severity.HOLD
    literal = dict(one.facts).get("literal", "")
    if one.reason == "optional-instruction":
        return wording.plain(literal)
    if one.reason == "rewrites-content" and len(literal.split()) > _PASSAGE:
        told = literal.rstrip("…")
        return not _written(told, rendering) and not wording.charged(literal)
    known = literal.lower() in TEMPLATE["familiar"] | TEMPLATE["part_keys"] | TEMPLATE["tag_words"]
    if one.reason == "conditional-on-tag":
        return True
    return one.reason == "conditional-on-content" and (known or _NAME.fullmatch(literal) is not None)


def _disagreements(found: list[Located]) -> Iterator[Finding]:
    first: dict[str, Located] = {}
    for where, template in found:
        chosen, other = first.setdefault(template.name, (where, template))
        if other.digest != template.digest:
            detail = "{where} and {other} hold different templates; transformers takes {other} first, other software may not."
            yield finding(where, "sources-disagree", Severity.HOLD, detail, ("other", chosen))


def _unread(inventory: Inventory) -> Iterator[Finding]:
    for file in inventory.files:
        if file.problem and (file.role is Role.TEMPLATE or file.format == "chat-template"):
            facts = (("problem", file.problem),)
            detail = f"{file.path} could not be read: {file.problem}."
            yield Finding(
                "chat-template", Outcome.CANNOT_TELL, Severity.HOLD, file.path, "not-read", detail, facts
            )
