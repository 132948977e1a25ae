"""The lessons as data. One file for each lesson and language; order and right answers are the same for all."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError, UsageError

FOLDER: Final = "lessons"
LANGUAGES: Final = ("en", "ja")
LETTERS: Final = "abc"
"""Every question has as many options."""
READERS: Final = ("", "manager", "operator", "engineer")
"""Whom a part is for; empty for everybody."""


@dataclass(frozen=True)
class Step:
    """Something the reader does at a terminal."""

    say: str
    run: str
    """One command line, as typed in the folder where the lesson began."""
    code: int
    """Its exit code."""
    shows: str
    """What the reader sees, in words."""


@dataclass(frozen=True)
class Part:
    """One titled part of a lesson. Texts hold what is typed between backticks."""

    title: str
    texts: tuple[str, ...]
    points: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    reader: str = ""
    """One of READERS."""


@dataclass(frozen=True)
class Question:
    """One question of the quiz."""

    ask: str
    options: tuple[str, ...]
    """One for each of LETTERS."""
    because: str
    """Why the right answer is right."""


@dataclass(frozen=True)
class Text:
    """A lesson in one language."""

    title: str
    aim: str
    """What the reader knows afterwards, in one sentence."""
    parts: tuple[Part, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Lesson:
    """One lesson."""

    id: str
    number: int
    """From 1."""
    minutes: int
    right: str
    """Letter of the right option, for each question."""
    texts: Mapping[str, Text]
    """By language."""

    def text(self, language: str) -> Text:
        """The lesson in a language. Raises UsageError for another one."""
        if language not in self.texts:
            raise UsageError(f"no lessons in {language!r}; there are {', '.join(self.texts)}")
        return self.texts[language]


@dataclass(frozen=True)
class Course:
    """All lessons."""

    edition: int
    """A result counts for the edition it was reached in."""
    share: float
    """Of the answers that must be right, 0 to 1."""
    lessons: tuple[Lesson, ...]
    digest: str
    """sha256 over every file, hex."""

    @property
    def right(self) -> str:
        """The right letters of all questions in a row."""
        return "".join(x.right for x in self.lessons)

    def asked(self, language: str) -> tuple[tuple[Lesson, Question], ...]:
        """All questions in order, each with its lesson."""
        return tuple((x, q) for x in self.lessons for q in x.text(language).questions)

    def find(self, lesson: str) -> Lesson:
        """The lesson of an id. Raises UsageError."""
        for known in self.lessons:
            if known.id == lesson:
                return known
        raise UsageError(f"no lesson {lesson[:40]!r}; there are {', '.join(x.id for x in self.lessons)}")


@lru_cache
def load() -> Course:
    """Every lesson. Raises DataError where a file breaks the format."""
    index = (files("sekisho.data") / f"{FOLDER}.toml").read_text("utf-8")
    return read(index, {n: shipped.file(FOLDER, n).read_text("utf-8") for n in shipped.names(FOLDER)})


def read(index: str, texts: Mapping[str, str]) -> Course:
    """Build the course from the index and from the file of each `<id>.<language>`. Raises DataError."""
    table = _table(index, FOLDER, {"edition", "pass", "lesson"})
    parsed = {name: _text(text, name) for name, text in texts.items()}
    lessons = tuple(_lesson(row, number, parsed) for number, row in enumerate(table["lesson"], 1))
    wanted = {f"{x.id}.{language}" for x in lessons for language in LANGUAGES}
    if spare := sorted(set(texts) - wanted):
        raise DataError(f"lessons: {spare[0]} is in no index")
    whole = "\0".join([index, *(f"{n}\0{texts[n]}" for n in sorted(texts))])
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return Course(int(table["edition"]), float(table["pass"]), lessons, digest)


def _lesson(row: Mapping[str, Any], number: int, texts: Mapping[str, Text]) -> Lesson:
    if set(row) != {"id", "minutes", "right"}:
        raise DataError("lessons: a lesson of the index has id, minutes and right")
    name, right = str(row["id"]), str(row["right"])
    try:
        own = {language: texts[f"{name}.{language}"] for language in LANGUAGES}
    except KeyError as error:
        raise DataError(f"lessons: {error.args[0]} is missing") from error
    if not right or not set(right) <= set(LETTERS):
        raise DataError(f"lessons: {name}: right answers are letters of {LETTERS}")
    if any(len(t.questions) != len(right) for t in own.values()):
        raise DataError(
            f"lessons: {name}: {len(right)} right answers need as many questions in each language"
        )
    return Lesson(name, number, int(row["minutes"]), right, MappingProxyType(own))


def _text(text: str, name: str) -> Text:
    table = _table(text, name, {"title", "aim", "part", "question"})
    parts = tuple(_part(p, name) for p in table["part"])
    return Text(
        str(table["title"]), str(table["aim"]), parts, tuple(_question(q, name) for q in table["question"])
    )


def _part(row: Mapping[str, Any], name: str) -> Part:
    if not {"title", "texts"} <= set(row) <= {"title", "texts", "points", "step", "reader"}:
        raise DataError(f"lessons: {name}: a part has title and texts, perhaps points, step and reader")
    if row.get("reader", "") not in READERS:
        raise DataError(f"lessons: {name}: readers are {', '.join(READERS[1:])}")
    steps = tuple(_step(s, name) for s in row.get("step", ()))
    return Part(
        str(row["title"]),
        tuple(map(str, row["texts"])),
        tuple(map(str, row.get("points", ()))),
        steps,
        str(row.get("reader", "")),
    )


def _step(row: Mapping[str, Any], name: str) -> Step:
    if set(row) != {"say", "run", "code", "shows"} or "\n" in str(row["run"]):
        raise DataError(f"lessons: {name}: a step has say, run (one line), code and shows")
    return Step(str(row["say"]), str(row["run"]), int(row["code"]), str(row["shows"]))


def _question(row: Mapping[str, Any], name: str) -> Question:
    if set(row) != {"ask", "options", "because"} or len(row["options"]) != len(LETTERS):
        raise DataError(f"lessons: {name}: a question has ask, {len(LETTERS)} options and because")
    return Question(str(row["ask"]), tuple(map(str, row["options"])), str(row["because"]))


def _table(text: str, name: str, keys: set[str]) -> dict[str, Any]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"lessons: {name}: {error}") from error
    if set(table) != keys:
        raise DataError(f"lessons: {name}: its keys are {', '.join(sorted(keys))}")
    return table
