"""Lessons in the browser: the same texts, and a quiz whose pass carries the name of who is signed in."""

import pytest

from sekisho import standing
from sekisho.lessons import reading

COURSE = reading.load()


def given(letters):
    return {f"q{n}": letter for n, letter in enumerate(letters, 1)}


@pytest.mark.parametrize("language", reading.LANGUAGES)
def test_every_lesson_is_a_page_with_its_commands(mori, language):
    mori.get(f"/lessons?lang={language}")
    for lesson in COURSE.lessons:
        assert f"/lessons/{lesson.id}" in mori.shown.text
    for lesson in COURSE.lessons:
        page = mori.get(f"/lessons/{lesson.id}")
        assert page.status_code == 200
        assert lesson.text(language).title in mori.text
        assert page.text.count('class="run"') == sum(len(p.steps) for p in lesson.text(language).parts)


def test_a_lesson_that_is_not_there_is_no_page(mori):
    assert mori.get("/lessons/none").status_code == 404


def test_a_pass_carries_the_name_of_who_is_signed_in(mori, ledger):
    mori.get("/lessons/quiz")
    page = mori.send("/lessons/quiz", **given(COURSE.right))

    assert page.url.path == "/lessons"
    (entry,) = standing.lessons(ledger)
    assert entry.actor == "mori"
    assert "Passed: 14 of 14" in mori.text
    mori.get("/lessons")
    assert "mori passed on 2026-11-22" in mori.text


def test_a_failed_quiz_says_why_keeps_the_answers_and_writes_nothing(mori, ledger):
    mori.get("/lessons/quiz")
    page = mori.send("/lessons/quiz", **given("a" * 14))

    assert page.status_code == 200
    assert "Not passed" in mori.text
    assert page.text.count(" checked") == 14
    assert standing.lessons(ledger) == ()


def test_a_question_left_out_is_told(mori, ledger):
    mori.get("/lessons/quiz")
    page = mori.send("/lessons/quiz", **given(COURSE.right[:13]))

    assert page.status_code == 400
    assert "14 letters are needed" in mori.text
    assert page.text.count(" checked") == 13


def test_a_pass_fills_c27_in_the_browser(mori, desk):
    desk.to("requested")
    mori.get("/lessons/quiz")
    mori.send("/lessons/quiz", **given(COURSE.right))
    mori.get(f"/models/{'ab' * 32}/checklist?profile=deep")

    assert "Passed by mori (edition 1)" in mori.text
