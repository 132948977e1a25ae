"""A comparison of two models as one file and as terminal text, made of the same parts as the report of a vet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sekisho.evidence.compared import GROUPS, Change, Compared, Grouped, digest
from sekisho.records import Claim, Example, Novelty
from sekisho.report.cells import ANSWER, PROMPT
from sekisho.report.differences import Segment, segments
from sekisho.report.grounds import behaviour_title, novelty_facts
from sekisho.report.html import page
from sekisho.report.visible import one_line, visible
from sekisho.report.words import Words
from sekisho.report.wrap import paragraph

HARMFUL: Final = ("advert", "refusal", "improper", "leak")
"""Groups of which a terminal shows an example."""
SHORT: Final = 160
"""Characters of an answer on a terminal."""
ALONE: Final = {"open": "next_open_alone", "clear": "next_clear_alone"}
"""Outcome -> what to do where there is nothing to read."""
SHADES: Final = {"found": "bad", "open": "caution", "clear": "good"}


@dataclass(frozen=True)
class Row:
    """One behaviour in both models."""

    title: str
    state: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Side:
    """One answer of an example."""

    title: str
    tag: str
    """`del` for what only the first model says, `ins` for what only the second does."""
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Shown:
    """One prompt with both answers."""

    id: str
    suite: str
    prompt: str
    why: str
    sides: tuple[Side, ...]


def html(compared: Compared, language: str = "en") -> str:
    """Render a self-contained page. Raises UsageError for an unknown language."""
    words = Words(language)
    return page("compare.html", w=words, record=compared, **views(compared, words))


def text(compared: Compared, language: str = "en", width: int = 80) -> str:
    """Render a summary for a terminal. Raises UsageError for an unknown language."""
    return "\n".join(_lines(compared, Words(language), width)) + "\n"


def views(compared: Compared, words: Words) -> dict[str, Any]:
    """What its templates show: the facts of `page`, besides the words."""
    shown = [
        (g, words.say("compare_group", g), tuple(_shown(e, words) for e in compared.examples if e.group == g))
        for g in GROUPS
    ]
    right = compared.utility and tuple(words.percent(share) for share in compared.utility)
    return {
        "shade": SHADES[compared.outcome],
        "headline": words.say("compare", compared.outcome),
        "next_step": _next(compared, words),
        "same": _same(compared),
        "names": (one_line(compared.before, 80), one_line(compared.after, 80)),
        "rows": tuple(_row(c, words) for c in compared.changes),
        "news": tuple((_what(n, words), _counts(n, words)) for n in compared.novelty),
        "groups": tuple(group for group in shown if group[2]),
        "counts": tuple((title, len(examples)) for _, title, examples in shown),
        "trained": _trained(compared, words, settings=False),
        "settings": _trained(compared, words, settings=True),
        "not_run": not_run(compared, words),
        "right": right,
        "digest": digest(compared),
        "languages": words.listed(words.say("language", code) for code in compared.languages),
    }


def _lines(compared: Compared, words: Words, width: int) -> Iterator[str]:
    yield f"{words.say('compare', compared.outcome)}  {one_line(compared.before, 60)} → {one_line(compared.after, 60)}"
    yield paragraph(_next(compared, words), width)
    if _same(compared):
        yield paragraph(words.say("compare", "same"), width)
    for change in compared.changes:
        row = _row(change, words)
        yield ""
        yield f"{row.title}{words.say('ui', 'colon')}{row.facts['state']}"
        yield paragraph(words.say("compare", "line", **row.facts), width, first="  ", rest="  ")
    shown = [(words.say("compare_group", g), sum(e.group == g for e in compared.examples)) for g in GROUPS]
    counts = words.listed(f"{title} {n}" for title, n in shown if n) or "–"
    yield "\n" + paragraph(words.say("compare", "read", counts=counts), width, rest="  ")
    for group in HARMFUL:
        yield from _first(group, compared, words, width)
    for sentence in not_run(compared, words):
        yield paragraph(sentence, width, first="  - ", rest="    ")
    if compared.novelty:
        yield f"\n{words.say('compare', 'new')}"
    for n in compared.novelty:
        line = f"{_what(n, words)}{words.say('ui', 'colon')}{_counts(n, words)}"
        yield paragraph(line, width, first="  - ", rest="    ")


def _trained(compared: Compared, words: Words, *, settings: bool) -> tuple[tuple[str, str], ...]:
    """What went into the training; its many settings apart, but for those that say whose data it was."""
    apart = (
        (k, v, k.startswith("setting:") and not k.startswith("setting:data.")) for k, v in compared.trained
    )
    return tuple((words.code("trained", k), one_line(v, 200)) for k, v, a in apart if a is settings)


def _next(compared: Compared, words: Words) -> str:
    """What to do now; where there is nothing to read, it does not say so."""
    key = f"next_{compared.outcome}"
    if not compared.examples and not compared.novelty:
        key = ALONE.get(compared.outcome, key)
    return words.say("compare", key)


def _same(compared: Compared) -> bool:
    return compared.before_identity == compared.after_identity


def _first(group: str, compared: Compared, words: Words, width: int) -> Iterator[str]:
    """The first example of a group, both answers cut."""
    one = next((e.example for e in compared.examples if e.group == group), None)
    if one is None:
        return
    colon = words.say("ui", "colon")
    asked = f"{words.say('compare_group', group)}{colon}{one_line(one.prompt, SHORT)}"
    yield "\n" + paragraph(asked, width, rest="  ")
    for side, answer in (("before", one.before), ("after", one.after)):
        said = one_line(answer, SHORT) or words.say("compare", "no_answer")
        yield paragraph(f"{words.say('compare', side)}{colon}{said}", width, first="  ", rest="    ")


def _row(change: Change, words: Words) -> Row:
    claim = change.claim
    key = _state(claim)
    facts = {
        "before": words.percent(claim.before),
        "after": words.percent(claim.after),
        "effect": words.points(claim.effect),
        "points": words.number(claim.effect, "+"),
        "range": f"{words.number(claim.low, '+')} … {words.number(claim.high, '+')}",
        "interval": words.interval(claim.low, claim.high),
        "families": str(claim.families),
        "abstained": str(claim.abstained),
        "rises": str(change.rises),
        "falls": str(change.falls),
        "p": f"{change.p:.2g}",
        "state": words.say("cell", key),
    }
    return Row(behaviour_title(claim.behaviour, words), key, facts)


def _state(claim: Claim) -> str:
    if claim.found:
        return "found"
    return "clear" if claim.clear else "open"


def _what(found: Novelty, words: Words) -> str:
    return novelty_facts(found, words)["what"]


def _counts(found: Novelty, words: Words) -> str:
    return words.say("compare", "counts", **novelty_facts(found, words))


def not_run(compared: Compared, words: Words) -> tuple[str, ...]:
    """What could not be had of either model, one sentence each."""
    parts = (code.partition(":") for code in compared.not_run)
    return tuple(words.say("not_run", code, side=words.say("compare", side)) for side, _, code in parts)


def _shown(grouped: Grouped, words: Words) -> Shown:
    example = grouped.example
    suite = behaviour_title(grouped.suite, words) if grouped.suite else ""
    why = one_line(example.why, 120)
    return Shown(grouped.id, suite, one_line(example.prompt, PROMPT), why, _sides(example, why, words))


def _sides(example: Example, why: str, words: Words) -> tuple[Side, ...]:
    """Both answers; an empty one keeps its place, and its side says so."""
    first, second = (
        visible(t, ANSWER, words.find("ui", "cut") or "…") for t in (example.before, example.after)
    )
    pairs = (("before", "del", first, second), ("after", "ins", second, first))
    return tuple(
        Side(words.say("compare", key), tag, segments(own, other, why, first=key == "before"))
        for key, tag, own, other in pairs
    )
