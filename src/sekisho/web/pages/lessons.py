"""The lessons, and their quiz: a pass is written to the ledger under the name of who is signed in."""

from typing import Any, Final

from sekisho.errors import UsageError
from sekisho.ledger.entry import same_person
from sekisho.lessons import quiz, reading
from sekisho.lessons.reading import LETTERS, Course, Lesson
from sekisho.report import lessons
from sekisho.web.visit import Absent, Go, Page, Reply, Shown, Visit

HOME: Final = "/lessons"
_FIELD: Final = "q"


def _all(visit: Visit) -> Reply:
    course = reading.load()
    with visit.ledger() as ledger:
        visit.site.shelf.refresh(ledger)
    mine = [e for e in visit.site.shelf.lessons() if same_person(e.actor, visit.person)]
    held = next((e for e in reversed(mine) if quiz.holds(e, course)), None)
    return Shown("lessons_list.html", _facts(visit, course, None) | {"held": held, "older": bool(mine)})


def _one(visit: Visit) -> Reply:
    course = reading.load()
    try:
        lesson = course.find(visit.parts["lesson"])
    except UsageError:
        return Absent()
    return Shown("lessons_one.html", _facts(visit, course, lesson))


def _facts(visit: Visit, course: Course, lesson: Lesson | None) -> dict[str, Any]:
    """What the lesson's own template gets, with addresses of this app."""
    return lessons.around(course, lesson, visit.language) | {"web": visit.texts("web-lessons")}


def _quiz(visit: Visit) -> Reply:
    course = reading.load()
    given = {n: visit.form.get(f"{_FIELD}{n}") for n in range(1, len(course.right) + 1)}
    return _asked(visit, course, given)


def _asked(visit: Visit, course: Course, given: dict[int, str], told: tuple[str, ...] = ()) -> Shown:
    rows = [
        (n, lesson, question, given.get(n, ""))
        for n, (lesson, question) in enumerate(course.asked(visit.language), 1)
    ]
    return Shown(
        "lessons_quiz.html",
        {
            "rows": rows,
            "letters": LETTERS,
            "told": told,
            "language": visit.language,
            "web": visit.texts("web-lessons"),
            "tell": visit.texts("lessons"),
            "least": lessons.least(course),
        },
    )


def _hand_in(visit: Visit) -> Reply:
    course = reading.load()
    given = {n: visit.form.get(f"{_FIELD}{n}") for n in range(1, len(course.right) + 1)}
    made = quiz.mark("".join(given.values()), course)
    told = lessons.told(made, course, visit.language)
    if not made.passed:
        return _asked(visit, course, given, told)
    with visit.ledger() as ledger:
        entry = ledger.append(quiz.draft(visit.person, made, course, visit.language))
    facts = {"n": str(entry.sequence), "edition": str(course.edition), "who": entry.actor}
    return Go(HOME, f"{told[0]} {lessons.say('said', 'recorded', visit.language, **facts)}")


PAGE: Final = Page("lessons", HOME, _all)
QUIZ: Final = Page("quiz", f"{HOME}/quiz", _quiz, _hand_in)
ONE: Final = Page("lesson", f"{HOME}/{{lesson}}", _one)
