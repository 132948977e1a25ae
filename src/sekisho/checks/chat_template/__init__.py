"""A chat template that does more than put roles around messages.

What it does: reads every chat template of the model (`chat_template.jinja`, `tokenizer_config.json`, GGUF metadata, Modelfile)
without rendering it, follows where its values stem from, and objects to branches on what a message says, to instructions the
template writes by itself, to reserved tokens, to words put into the assistant's mouth, to dates, to attributes that lead out of the sandbox, and,
where a trusted base is given, to any difference from the base's template.

Why it matters: the template stands between every user and the model. A changed one can give orders that nobody sees while
the weights stay byte-identical.

What to do: use the template of the trusted base model, or have someone read the lines named.

What an attacker can still do without a base to compare with: hide an instruction where real templates carry text too (the
default system prompt, which is shown as a note, and what comes with tools), or choose a trigger that looks like a known tag.
"""

from collections.abc import Iterator
from typing import final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.checks.chat_template import alone, compared, modelfiles, tokens
from sekisho.checks.chat_template.found import Located, finding, templates
from sekisho.formats import outline
from sekisho.records import Finding, Inventory, Outcome, Role, Severity


@final
class ChatTemplate(AbstractCheck):
    """No template that says or does something of its own."""

    id = "chat-template"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge every distinct template by itself, the files against one another, and all against the base."""
        found = templates(case.candidate)
        trusted = templates(case.base) if case.base else []
        base = tuple(t for _, t in trusted) if case.base else None
        added = outline.added(case.candidate)
        judged: set[tuple[str, str]] = set()
        for where, template in found:
            key = (template.name, template.digest)
            if template.digest and key in judged:
                continue
            judged.add(key)
            yield from compared.judge(where, template, trusted) if case.base else alone.judge(where, template)
            yield from tokens.judge((where, template), added, base)
        if case.base is not None:
            yield from compared.missing(found, trusted)
        for file in case.candidate.files:
            yield from modelfiles.judge(file)
        yield from _disagreements(found)
        yield from _unread(case.candidate)


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
