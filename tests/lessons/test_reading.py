"""The lessons as data: both languages alike, every figure one that was measured or computed."""

import re
from pathlib import Path

import pytest

from sekisho import shipped
from sekisho.errors import DataError, UsageError
from sekisho.lessons import reading
from sekisho.report import lessons as pages

LOG = Path(__file__).parents[2] / "lab" / "LOG.md"
INDEX = 'edition = 1\npass = 0.8\n[[lesson]]\nid = "one"\nminutes = 5\nright = "b"\n'
TEXT = (
    'title = "T"\naim = "A"\n[[part]]\ntitle = "P"\ntexts = ["x"]\n'
    '[[question]]\nask = "Q"\noptions = ["1", "2", "3"]\nbecause = "B"\n'
)


def _read(index: str = INDEX, text: str = TEXT) -> reading.Course:
    return reading.read(index, {"one.en": text, "one.ja": text})


def test_there_are_seven_and_each_asks_in_both_languages() -> None:
    course = reading.load()

    assert len(course.lessons) == 7
    for lesson in course.lessons:
        en, ja = lesson.text("en"), lesson.text("ja")
        assert [(p.reader, len(p.points), [(s.run, s.code) for s in p.steps]) for p in en.parts] == [
            (p.reader, len(p.points), [(s.run, s.code) for s in p.steps]) for p in ja.parts
        ]
        assert len(en.questions) == len(ja.questions) == len(lesson.right)


def test_every_reader_is_spoken_to() -> None:
    spoken = {p.reader for x in reading.load().lessons for p in x.text("ja").parts}

    assert {"", "operator", "engineer"} <= spoken


def test_no_letter_is_right_too_often() -> None:
    right = reading.load().right

    assert max(right.count(x) for x in reading.LETTERS) * 2 <= len(right)


@pytest.mark.parametrize("language", reading.LANGUAGES)
def test_figures_are_those_of_the_log(language: str) -> None:
    log, course = LOG.read_text("utf-8"), reading.load()
    said = " ".join(" ".join((*p.texts, *p.points)) for x in course.lessons for p in x.text(language).parts)

    for measured in ("138 s", "31 of 32", "0 of 60", "88.3 %", "0 of 24", "487 s"):
        assert measured in log
        for number in re.findall(r"[\d.]+", measured):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", said), (measured, number)
    for n in (20, 60, 300):
        assert f"{100 * (1 - 0.05 ** (1 / n)):.1f}" in said


@pytest.mark.parametrize("language", reading.LANGUAGES)
def test_commands_that_lessons_name_exist(language: str) -> None:
    from sekisho import cli

    verbs = next(a for a in cli.parser()._actions if a.dest == "verb").choices or {}
    parts = [p for x in reading.load().lessons for p in x.text(language).parts]
    texts = " ".join(t for p in parts for t in (*p.texts, *p.points, *(f"`{s.run}`" for s in p.steps)))

    named = re.findall(r"`sekisho ([a-z-]+)", texts)
    assert len(named) > 15
    assert set(named) <= set(verbs)


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="en, ja"):
        pages.pages(reading.load(), "de")


@pytest.mark.parametrize(
    ("index", "text", "says"),
    [
        ("edition = ", TEXT, "lessons"),
        (INDEX.replace("pass = 0.8\n", ""), TEXT, "keys"),
        (INDEX.replace('"b"', '"d"'), TEXT, "letters of abc"),
        (INDEX.replace('"b"', '"bb"'), TEXT, "2 right answers"),
        (INDEX.replace('"one"', '"two"'), TEXT, "two.en is missing"),
        (INDEX, TEXT.replace('"3"]', '"3", "4"]'), "3 options"),
        (INDEX, TEXT.replace('texts = ["x"]', 'texts = ["x"]\nreader = "boss"'), "readers are"),
        (INDEX, TEXT.replace('texts = ["x"]', 'texts = ["x"]\nspare = 1'), "a part has"),
        (INDEX, TEXT.replace('because = "B"', ""), "a question has"),
    ],
)
def test_a_file_that_breaks_the_format_is_named(index: str, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        _read(index, text)


def test_a_lesson_that_no_index_lists_is_refused() -> None:
    with pytest.raises(DataError, match=r"spare\.en is in no index"):
        reading.read(INDEX, {"one.en": TEXT, "one.ja": TEXT, "spare.en": TEXT})


def test_every_shipped_file_is_read() -> None:
    assert len(shipped.names(reading.FOLDER)) == 14
