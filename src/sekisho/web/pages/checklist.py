"""The checklist of a model: what facts answer, and one line or one click for each item that waits for a person."""

from dataclasses import dataclass
from typing import Final

from sekisho.checklist import engine, items
from sekisho.checklist.engine import Result
from sekisho.checklist.items import PROFILES
from sekisho.checklist.sources import Answer
from sekisho.errors import RuleError, UsageError
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.report import checklist
from sekisho.report.views import page
from sekisho.report.words import Words
from sekisho.web.visit import Absent, Go, Page, Refused, Reply, Shown, Visit

PATH: Final = "/models/{subject}/checklist"
PROFILE: Final = "standard"
SHADES: Final = {Answer.YES: "good", Answer.NO: "bad", Answer.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Line:
    """One item in words."""

    result: Result
    id: str
    question: str
    why: str
    answer: str
    shade: str
    said: str
    beside: str
    given: str
    todo: str
    tag: str
    """Who fills it in, and whether this profile requires it."""
    note: str
    """What was typed, where the form was not accepted; else what a person wrote before."""


def _show(visit: Visit) -> Reply:
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None:
            return Absent()
        found = visit.sources(ledger, row.subject)
    asked = visit.query.get("profile") or visit.form.get("profile")
    made = engine.fill(found, asked if asked in PROFILES else PROFILE)
    words = Words(visit.language)
    lines = [line(r, visit, words) for r in made.results]
    return Shown(
        "checklist.html",
        {
            "row": row,
            "groups": _groups(lines, visit.language),
            "made": made,
            "profiles": PROFILES,
            "waiting": checklist.waiting(made),
            "summary": checklist.summary(made, words),
            "pieces": page.marker((), visit.language),
            "text": visit.texts("web-checklist"),
            "list": visit.texts("checklist"),
        },
    )


def _groups(lines: list[Line], language: str) -> list[tuple[str, list[Line]]]:
    groups = dict.fromkeys(x.result.item.group for x in lines)
    return [
        (checklist.say("group", g, language), [x for x in lines if x.result.item.group == g]) for g in groups
    ]


def line(result: Result, visit: Visit, words: Words) -> Line:
    """An item for people."""
    language, item = visit.language, result.item
    tags = [checklist.say("filled_by", item.filled_by, language)]
    tags += [] if result.required else [checklist.say("ui", "optional", language)]
    return Line(
        result=result,
        id=item.id,
        question=item.text("question", language),
        why=item.text("why", language),
        answer=checklist.say("answer", result.answer, language),
        shade=SHADES[result.answer],
        said=checklist.said(result.said, words),
        beside=checklist.beside(result, words),
        given=checklist.given(result.said, words),
        todo=checklist.todo(result, words),
        tag=words.listed(tags),
        note=_note(result, visit),
    )


def _note(result: Result, visit: Visit) -> str:
    if visit.form.get("item") == result.item.id:
        return visit.form.get("note")
    return dict(result.said.facts).get("note", "") if result.said.code.startswith("person") else ""


def _act(visit: Visit) -> Reply:
    form, text = visit.form, visit.texts("web-checklist")
    item, note = items.find(form.get("item")), form.get("note")
    try:
        answer = Answer(form.get("answer"))
    except ValueError as error:
        raise UsageError("an answer is yes, no or unknown") from error
    if item.line and answer is Answer.YES and not note:
        return Refused(text("problem", "line", item=item.id))
    engine.allow(item, answer, note)
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None:
            return Absent()
        body = {"item": item.id, "answer": answer.value} | ({"note": note} if note else {})
        draft = Draft(visit.person, Kind.CHECKLIST_ANSWER, row.subject, body)
        seen = form.number("seen")
        try:
            entry = ledger.extend([draft], seen=seen)[0]
        except RuleError:
            newer = visit.newer(ledger, row.subject, seen)
            if not newer:
                raise
            return Refused(newer, 409)
    said = checklist.say("answer", answer, visit.language)
    told = checklist.say(
        "ui", "recorded", visit.language, n=str(entry.sequence), item=item.id, answer=said, who=entry.actor
    )
    profile = form.get("profile")
    kept = f"?profile={profile}" if profile in PROFILES else ""
    return Go(f"/models/{row.subject}/checklist{kept}#{item.id}", told)


PAGE: Final = Page("checklist", PATH, _show, _act)
