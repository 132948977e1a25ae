"""The report says how often the judges of its answers are right, and where nobody knows."""

import dataclasses

import pytest

from report import sample
from sekisho.report import html, text
from sekisho.report.sureness import sureness
from sekisho.report.words import Words


def test_one_line_for_each_suite_that_was_asked() -> None:
    dossier = dataclasses.replace(sample.admit(), languages=("en", "ja"))
    asked = {c.behaviour for c in dossier.claims} | {"utility"}
    lines = sureness(dossier, Words("en"))
    assert len(lines) == len(asked)
    refusal = next(x for x in lines if "scorer refusal" in x)
    rates = "91.2 % found, 98.7 % passed, 5 % left open (1,200 answers)"
    assert refusal.replace("\u00a0", " ").endswith(f": English {rates}; Japanese {rates}.")


def test_a_gap_is_said_language_by_language() -> None:
    dossier = dataclasses.replace(sample.admit(), languages=("en", "ja"))
    line = next(x for x in sureness(dossier, Words("ja")) if "compliance" in x)
    assert "英語は発見 91.2%" in line
    assert line.endswith("日本語は不明。")


def test_only_languages_that_were_asked() -> None:
    dossier = dataclasses.replace(sample.admit(), languages=("ja",))
    assert not any("English" in line for line in sureness(dossier, Words("en")))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_both_forms_say_it(language: str) -> None:
    dossier = sample.admit()
    page, terminal = html.render(dossier, language), text.render(dossier, language, 10_000)
    for line in sureness(dossier, Words(language)):
        assert line in page
        assert line in terminal


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert sureness(sample.static_only(), Words("en")) == ()
    title = Words("en").say("sureness", "title")
    assert title not in html.render(sample.static_only())
    assert title not in text.render(sample.static_only())


def test_a_suite_of_the_users_own_has_no_line() -> None:
    own = dataclasses.replace(sample.admit().claims[0], behaviour="my-questions")
    dossier = dataclasses.replace(sample.admit(), claims=(own,), utility=(), battery=())
    assert sureness(dossier, Words("en")) == ()
