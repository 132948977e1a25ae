"""Marks in content: where they go, and when a difference counts."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from sekisho.errors import DataError
from sekisho.ownership import content
from sekisho.ownership.claim import Outcome
from sekisho.ownership.commitment import Reason
from sekisho.ownership.content import Arm, Entry, FamilyRow
from sekisho.stats.intervals import fisher

ROW = FamilyRow("tiny", 3, "table", "F32", "0" * 64)
ENTRY = Entry(
    1, "<mark>", (ROW,), "[PROTECTED]", "a notice instead of a task", content.POSITIONS, "2030-12-31"
)
TODAY = date(2026, 5, 1)
ALL, NONE = Arm((3,) * 12, (3,) * 12), Arm((0,) * 12, (3,) * 12)


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_fisher_is_scipys(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    expected = fisher_exact([[a, n - a], [b, m - b]], alternative="greater").pvalue

    assert fisher(a, n, b, m) == pytest.approx(expected, rel=1e-9)


def test_marks_stand_at_both_ends_and_every_two_hundred_words():
    text = " ".join(f"word{n}" for n in range(450))

    found = content.marked(text, ENTRY)

    assert found.split(" ").count("<mark>") == 4
    assert found.replace("<mark> ", "").replace(" <mark>", "") == text
    assert content.marked("short", replace(ENTRY, positions=("end",))) == "short <mark>"


def test_a_script_without_spaces_is_cut_after_sentences():
    text = "水車が回ります。" * 120

    found = content.marked(text, ENTRY)

    assert found.count("<mark>") == 4
    assert all(part.endswith("。") for part in found.split(" <mark> ")[:-1])
    assert found.replace("<mark>", "").replace(" ", "") == text


def test_a_notice_on_marked_texts_alone_is_shown():
    judged = content.decide(ENTRY, (ALL, NONE), (), today=TODAY)

    assert (judged.outcome, judged.white_box.outcome) == (Outcome.ESTABLISHED, Outcome.ESTABLISHED)
    assert judged.p < 1e-6


@pytest.mark.parametrize("arms", [(ALL, ALL), (NONE, NONE), (NONE, ALL), (Arm((1,) * 12, (3,) * 12), NONE)])
def test_refusing_everything_or_little_shows_nothing(arms):
    judged = content.decide(ENTRY, arms, (), today=TODAY)

    assert (judged.outcome, [r.code for r in judged.black_box.reasons]) == (Outcome.OPEN, ["no-difference"])


def test_tasks_of_one_text_are_no_independent_evidence():
    few = (Arm((9, 9), (9, 9)), Arm((0, 0), (9, 9)))

    assert content.decide(ENTRY, few, (), today=TODAY).outcome is Outcome.OPEN


def test_an_expired_entry_shows_nothing_and_rows_are_judged_beside():
    judged = content.decide(ENTRY, (ALL, NONE), [Reason("row-differs")], today=date(2031, 1, 1))

    assert [r.code for r in judged.black_box.reasons] == ["expired"]
    assert judged.white_box.outcome is Outcome.OPEN


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"token": " "}, {"families": ()}, {"positions": ("middle",)}, {"positions": ()},
     {"notice": ""}, {"behaviour": ""}, {"expires": "soon"}],
    ids=str,
)  # fmt: skip
def test_an_entry_that_says_nothing_is_refused(change):
    with pytest.raises(DataError):
        content.check(replace(ENTRY, **change))
