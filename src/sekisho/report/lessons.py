"""The lessons as pages: self-contained HTML without script or network, and the words around the quiz."""

import math
from typing import Any, Final

from sekisho.lessons.quiz import Mark
from sekisho.lessons.reading import Course, Lesson, Text
from sekisho.report import html
from sekisho.report.views import glossary, page
from sekisho.report.words import Words, said_in

SHEETS: Final = ("style.css", "terms.css", "view.css", "lesson.css")


def say(section: str, key: str, language: str, /, **facts: str) -> str:
    """One sentence of `locale/parts/lessons.toml`, filled; the key itself where there is none."""
    return said_in("lessons", section, key, language, **facts)


def least(course: Course) -> int:
    """How many answers must be right."""
    return math.ceil(course.share * len(course.right) - 1e-9)  # a share written in decimals


def name(lesson: Lesson, language: str) -> str:
    """File name of a lesson's page."""
    return f"{lesson.number}-{lesson.id}.{language}.html"


def start(language: str) -> str:
    """File name of the first page."""
    return f"index.{language}.html"


def pages(course: Course, language: str) -> dict[str, str]:
    """Every page by its file name. Raises UsageError for another language."""
    made = {start(language): _render("lessons.html", course, None, language)}
    return made | {name(x, language): _render("lesson.html", course, x, language) for x in course.lessons}


def around(course: Course, lesson: Lesson | None, language: str) -> dict[str, Any]:
    """Everything that the template of one lesson, or of the list of all, needs besides style."""
    text = lesson.text(language) if lesson else None
    terms = glossary.used(_sentences(text), language) if text else ()
    return {
        "course": course,
        "lesson": lesson,
        "text": text,
        "language": language,
        "terms": terms,
        "pieces": page.marker(terms, language),
        "first": _first(course, lesson),
        "beside": _beside(course, lesson),
        "least": least(course),
        "name": lambda x: name(x, language),
        "start": start(language),
        "words": Words(language),
        "tell": lambda section, key, **facts: say(
            section, key, language, **{k: str(v) for k, v in facts.items()}
        ),
    }


def told(made: Mark, course: Course, language: str) -> tuple[str, ...]:
    """The result in sentences, each wrong answer with its reason."""
    key = "passed" if made.passed else "failed"
    facts = {"right": str(made.right), "of": str(made.of), "least": str(least(course))}
    asked = course.asked(language)
    wrong = (
        say(
            "said",
            "wrong",
            language,
            n=str(n),
            lesson=asked[n - 1][0].text(language).title,
            because=asked[n - 1][1].because,
        )
        for n in made.wrong
    )
    return (say("said", key, language, **facts), *wrong)


def _render(template: str, course: Course, lesson: Lesson | None, language: str) -> str:
    made = html.page(template, sheets=SHEETS, **around(course, lesson, language))
    return made.rstrip("\n") + "\n"


def _first(course: Course, lesson: Lesson | None) -> int:
    """Number of a lesson's first question among all."""
    return 1 + sum(len(x.right) for x in course.lessons if lesson and x.number < lesson.number)


def _beside(course: Course, lesson: Lesson | None) -> tuple[Lesson | None, Lesson | None]:
    """The lessons before and after."""
    by_number = {x.number: x for x in course.lessons}
    number = lesson.number if lesson else 0
    return by_number.get(number - 1), by_number.get(number + 1)


def _sentences(text: Text) -> tuple[str, ...]:
    """What words are explained in: titles apart."""
    return (text.aim, *(x for p in text.parts for x in (*p.texts, *p.points)))
