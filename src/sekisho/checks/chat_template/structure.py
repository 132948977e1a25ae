"""Whether every turn stands once, in order, under a header of its own kind, and stays there with tools and while training."""

import re
from collections.abc import Iterator
from typing import Final

from sekisho.checks.chat_template.found import finding
from sekisho.formats import prose
from sekisho.formats.rendering import Case, Rendering
from sekisho.records import Finding, Severity
from sekisho.sandbox import conversations as made

_WORDS: Final = re.compile(r"\w+")
_CLOSING: Final = re.compile(r"\[/\w+\]|</\w+>")
_NEAR: Final = 2
"""Words directly before a message, among which its role is looked for."""
_ROLES: Final = {
    "user": frozenset({"user", "human"}),
    "assistant": frozenset({"assistant", "model", "gpt", "bot"}),
    "system": frozenset({"system", "developer"}),
}
_PHRASE: Final = 2

_DETAILS: Final = {
    "turns-reordered": "{where}: rendered, turns stand in another order than they were taken: {dropped}.",
    "turn-repeated": "{where}: rendered, a message stands in the prompt more than once: {dropped}.",
    "role-swapped": "{where}: rendered, a message of the {role} stands under a header of the {other}: {header}.",
    "drops-in-case": "{where}: rendered with {case}, the prompt lacks what it has otherwise: {dropped}.",
    "tool-result-replaced": "{where}: rendered, what a tool returned is not in the prompt, but {added} is.",
    "tool-missing": "{where}: rendered, the list of tools lacks what was given: {dropped}.",
}
_CASES: Final = {"tools": "tools", "no-generation": "no header for the answer"}


def judge(where: str, rendering: Rendering) -> Iterator[Finding]:
    """Everything that the places of the turns show."""
    main = rendering.cases["main"].text
    spoken = [s for s in rendering.sentinels if places(s, main)]
    turns = [s for s in spoken if s != made.SYSTEM]
    order = [places(s, main)[0] for s in turns]
    if order != sorted(order):
        yield _found(where, "turns-reordered", Severity.HOLD, ("dropped", ", ".join(turns)))
        return
    repeated = [s for s in turns if len(places(s, main)) > 1]
    if repeated:
        yield _found(where, "turn-repeated", Severity.HOLD, ("dropped", ", ".join(repeated)))
    yield from _headers(where, main, spoken)
    for name, shown in _CASES.items():
        case = rendering.cases.get(name)
        lost = [s for s in spoken if case and not case.error and s not in case.text]
        if lost:
            yield _found(where, "drops-in-case", Severity.HOLD, ("case", shown), ("dropped", ", ".join(lost)))
    yield from _tools(where, rendering)


def places(sentinel: str, text: str) -> list[int]:
    """Where a turn stands; one turn's sentinel may begin like another's."""
    return [found.start() for found in re.finditer(re.escape(sentinel) + r"(?!\w)", text)]


def _headers(where: str, main: str, spoken: list[str]) -> Iterator[Finding]:
    """The first message of the user stands under a header of the user's, or under none."""
    first = next((s for s in spoken if s.startswith(made.USER)), None)
    if first is None:
        return
    before = main[: places(first, main)[0]]
    header = before.rpartition(made.SYSTEM)[2]
    words = _WORDS.findall(_CLOSING.sub(" ", header).lower())[-_NEAR:]
    named = [role for w in words for role, names in _ROLES.items() if w in names]
    if named and "user" not in named:
        facts = (("role", "user"), ("other", named[-1]), ("header", header.strip()[-60:]))
        yield _found(where, "role-swapped", Severity.HOLD, *facts)


def _tools(where: str, rendering: Rendering) -> Iterator[Finding]:
    """What a tool returned, and what was said of it."""
    main, tools, called = (rendering.cases.get(n) for n in ("main", "tools", "called"))
    if called is None or called.error or main is None:
        return
    usual = set(prose.unfamiliar(main.text)) | set(prose.unfamiliar(tools.text if tools else ""))
    given = {*made.TOOL.split(), *made.ARGUMENT.split(), made.FUNCTION}
    given.update(word for sentinel in rendering.sentinels for word in sentinel.split())
    added = [w for w in prose.unfamiliar(called.text) if w not in usual and w not in given]
    if made.TOOL not in called.text and len(added) >= _PHRASE:
        yield _found(where, "tool-result-replaced", Severity.HOLD, ("added", " ".join(added)))
    if _lists_part(tools):
        yield _found(where, "tool-missing", Severity.HOLD, ("dropped", made.FUNCTION))


def _lists_part(tools: Case | None) -> bool:
    """Say whether the parameters of a tool are told without its name."""
    return tools is not None and not tools.error and "blick" in tools.text and made.FUNCTION not in tools.text


def _found(where: str, reason: str, severity: Severity, *named: tuple[str, str]) -> Finding:
    return finding(where, reason, severity, _DETAILS[reason], *named)
