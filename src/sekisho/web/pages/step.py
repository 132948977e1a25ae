"""One step of a model through the company: its form, and taking it."""

from typing import Any, Final

from sekisho.errors import RuleError, SourceError
from sekisho.ledger.book import Ledger
from sekisho.register import identity, moves
from sekisho.register.rows import Row
from sekisho.register.wishes import Action, Wish
from sekisho.web import choices, steps
from sekisho.web.forms import Form
from sekisho.web.pages import register
from sekisho.web.steps import FIELDS, Field
from sekisho.web.visit import Absent, Go, Page, Refused, Reply, Shown, Visit

TEXTS: Final = "web-steps"


def _show(visit: Visit) -> Reply:
    with visit.ledger() as ledger:
        row = visit.model(ledger)
    action = _action(visit)
    if row is None or action is None:
        return Absent()
    fields = FIELDS[action]
    facts = {
        "words": visit.texts(TEXTS),
        "register": visit.texts("register"),
        "line": register.line(row, visit, visit.texts("register")),
        "row": row,
        "action": action.value,
        "of": _of(row),
        "fields": fields,
        "needed": steps.needed(action),
        "given": {f.name: visit.form.get(f.name, f.default) for f in fields},
        "offered": action in steps.OFFERED[row.state],
        "own": action in steps.APPROVING and steps.own(row, visit.person),
        "places": (*choices.fetched(), *choices.found(visit.site)) if action is Action.RECEIVE else (),
    }
    return Shown("step.html", facts)


def _act(visit: Visit) -> Reply:
    words, action = visit.texts(TEXTS), _action(visit)
    with visit.ledger() as ledger:
        row = visit.model(ledger)
        if row is None or action is None:
            return Absent()
        lacking = [
            words("field", f.name)
            for f in FIELDS[action]
            if f.name in steps.needed(action) and not visit.form.all(f.name)
        ]
        if lacking:
            return Refused(words("form", "lacking", what=words.comma.join(lacking)))
        seen = visit.form.number("seen")
        try:
            subject = _take(visit, ledger, row, action, seen)
        except SourceError:
            return Refused(words("form", "not_allowed"))
        except RuleError:
            newer = visit.newer(ledger, row.subject, seen)
            if not newer:
                raise
            return Refused(newer, 409)
    return Go(f"/models/{subject}", words("told", action.value))


def _take(visit: Visit, ledger: Ledger, row: Row, action: Action, seen: int) -> str:
    subject, facts = row.subject, _facts(action, visit.form)
    if action is Action.APPROVE:
        facts["of"] = _of(row)
    elif action is Action.EXCEPT:
        facts["approver"] = visit.person
    elif action is Action.RECEIVE:
        files = identity.at_hand(visit.site.allowed(str(facts.pop("path"))))
        subject, facts = identity.arrival(ledger, row.subject, files)
    drilled = action is Action.DECIDE and identity.drilled(row)
    moves.move(ledger, subject, Wish(action, visit.person, facts, drilled=drilled, seen=seen))
    return subject


def _facts(action: Action, form: Form) -> dict[str, Any]:
    return {f.name: value for f in FIELDS[action] if (value := _value(f, form))}


def _value(asked: Field, form: Form) -> Any:
    if asked.kind == "lines":
        return [line.strip() for line in form.get(asked.name).split("\n") if line.strip()]
    return form.number(asked.name) if asked.kind == "days" else form.get(asked.name)


def _action(visit: Visit) -> Action | None:
    name = visit.parts["action"]
    return Action(name) if name in tuple(Action) and Action(name) in FIELDS else None


def _of(row: Row) -> str:
    found = steps.NEXT_APPROVED.get(row.state)
    return found.value if found else ""


PAGE: Final = Page("step", "/models/{subject}/steps/{action}", _show, _act)
