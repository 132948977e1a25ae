"""The checklist for people and programs: text for a terminal, JSON, and the sentences that every view uses."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sekisho.checklist.engine import Checklist, Result
from sekisho.checklist.items import FilledBy
from sekisho.checklist.sources import Answer, Filled
from sekisho.report.grounds import behaviour_title
from sekisho.report.visible import one_line
from sekisho.report.words import Words, part, said_in
from sekisho.report.wrap import paragraph

MARKS: Final = {Answer.YES: "[o]", Answer.NO: "[x]", Answer.UNKNOWN: "[?]"}
"""One width in every terminal, and no colour needed."""


def sentences() -> Mapping[str, Any]:
    """All of `locale/parts/checklist.toml`."""
    return part("checklist")


def say(section: str, key: str, language: str, **facts: str) -> str:
    """One sentence, filled; the key itself where there is none."""
    return said_in("checklist", section, key, language, **facts)


def said(filled: Filled, words: Words) -> str:
    """Why the answer is what it is, with checks and behaviours by their names."""
    facts = {k: one_line(v, 200) for k, v in filled.facts}
    if "checks" in facts:
        facts["checks"] = words.listed(words.check(c) for c in facts["checks"].split(","))
    if "behaviours" in facts:
        facts["behaviours"] = words.listed(behaviour_title(b, words) for b in facts["behaviours"].split(","))
    return say("said", filled.code, words.language, **{k: v or "–" for k, v in facts.items()})


def given(filled: Filled, words: Words) -> str:
    """Who answered and when; empty where nobody did."""
    if not filled.who:
        return ""
    if not filled.when:
        return one_line(filled.who, 80)
    return say("ui", "given", words.language, who=one_line(filled.who, 80), when=words.moment(filled.when))


def todo(result: Result, words: Words) -> str:
    """What to do next; empty for a yes."""
    if result.answer is Answer.YES:
        return ""
    return result.item.text("no" if result.answer is Answer.NO else "unknown", words.language)


def waiting(made: Checklist) -> tuple[str, ...]:
    """Ids of required items that a person can settle with one line."""
    return tuple(r.item.id for r in made.results if r.open and r.by_person)


def summary(made: Checklist, words: Words) -> str:
    """How many required items have which answer."""
    counts = {a.value: str(made.count(a)) for a in Answer}
    n = str(sum(r.required for r in made.results))
    return say("ui", "profile", words.language, profile=made.profile, n=n, **counts)


def by_hand(made: Checklist, words: Words) -> str:
    """Which items wait for a person."""
    left = waiting(made)
    key = "by_hand" if left else "by_hand_none"
    return say("ui", key, words.language, items=words.listed(left))


def text(made: Checklist, language: str = "en", width: int = 80, *, only_open: bool = False) -> str:
    """Every item (or those still open), its answer and what to do, in lines that fit a terminal. Raises UsageError for an unknown language."""
    words = Words(language)
    lines = [say("ui", "title", language), paragraph(summary(made, words), width)]
    if not made.inspected:
        lines.append(paragraph(say("ui", "no_dossier", language), width))
    lines.append(paragraph(by_hand(made, words), width))
    group = ""
    for result in (r for r in made.results if r.open or not only_open):
        if result.item.group != group:
            group = result.item.group
            lines += ["", say("group", group, language)]
        lines += _item(result, words, width)
    lines += ["", paragraph(say("ui", "limit", language), width)]
    if waiting(made):
        lines.append(paragraph(say("ui", "answer_how", language), width))
    return "\n".join(lines) + "\n"


def plain(made: Checklist, language: str = "en") -> dict[str, Any]:
    """The same as JSON values."""
    words = Words(language)
    return {
        "profile": made.profile,
        "complete": made.complete,
        "counts": {a.value: made.count(a) for a in Answer},
        "items": [_plain(r, words) for r in made.results],
    }


def _plain(result: Result, words: Words) -> dict[str, Any]:
    item, filled = result.item, result.said
    return {
        "id": item.id, "group": item.group, "filled_by": item.filled_by.value, "required": result.required,
        "question": item.text("question", words.language), "answer": result.answer.value, "code": filled.code,
        "facts": dict(filled.facts), "sentence": said(filled, words), "refs": list(filled.refs), "who": filled.who,
        "when": filled.when, "todo": todo(result, words), "evidence": item.evidence,
    }  # fmt: skip


def _item(result: Result, words: Words, width: int) -> Iterator[str]:
    head = f" {MARKS[result.answer]} {result.item.id} "
    rest = " " * len(head)
    yield paragraph(result.item.text("question", words.language), width, first=head, rest=rest)
    for line in _lines(result, words):
        yield paragraph(line, width, first=rest, rest=rest)


def _lines(result: Result, words: Words) -> Iterator[str]:
    language, item = words.language, result.item
    tags = [] if result.required else [say("ui", "optional", language)]
    tags += [] if item.filled_by is FilledBy.TOOL else [say("filled_by", item.filled_by, language)]
    tagged = say("ui", "tagged", language, text=words.listed(tags)) if tags else ""
    yield f"{say('answer', result.answer, language)}{tagged}{words.say('ui', 'colon')}{said(result.said, words)}"
    if result.beside is not None:
        yield beside(result, words)
    if result.open:
        yield say("ui", "todo", language, text=todo(result, words))
    if result.answer is not Answer.UNKNOWN and given(result.said, words):
        yield say("ui", "tagged", language, text=given(result.said, words)).strip()


def beside(result: Result, words: Words) -> str:
    """What facts, or a person, say besides what decides; empty where there is nothing."""
    other = result.beside
    if other is None:
        return ""
    if other.code.startswith("person"):
        answer = say("answer", other.answer, words.language)
        return say("ui", "beside_person", words.language, who=one_line(other.who, 80), answer=answer)
    return say("ui", "beside_tool", words.language, text=said(other, words))
