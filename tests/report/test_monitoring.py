"""Sentences of a watch: both languages say the same, and every code has one."""

import re

import pytest

from sekisho.ledger.kinds import WHY_AGAIN
from sekisho.ledger.watches import COMPARED, Trigger
from sekisho.report import monitoring as report

NAME = re.compile(r"\{([a-z_]+)\}")


def test_both_languages_have_every_sentence_with_the_same_names():
    for section, keys in report.sentences().items():
        for key, texts in keys.items():
            assert set(texts) == {"en", "ja"}, (section, key)
            assert set(NAME.findall(texts["en"])) == set(NAME.findall(texts["ja"])), (section, key)
            assert "(" not in texts["ja"], (section, key)


def test_every_reason_for_a_re_test_has_a_sentence():
    assert set(COMPARED.values()) <= set(WHY_AGAIN)
    assert set(report.sentences()["because"]) == set(WHY_AGAIN)
    assert set(report.sentences()["outcome"]) == {"first", "clear", "open", "found"}


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (Trigger("new-data", "aa", "bb"), "The training data changed (aa → bb)"),
        (Trigger("new-data", "", "bb"), "The training data changed (unknown → bb)"),
        (Trigger("period", "30", "31"), "The accepted run is too old (31 days, 30 allowed)"),
        (Trigger("finding", "", ""), "A rise was found, and nobody has accepted a later run"),
        (
            Trigger("new-revision", "a\u202eb\n", "c" * 500),
            "The model's files, revision or server changed (a⟨U+202E⟩b → ",
        ),
    ],
)
def test_a_trigger_is_one_line_that_names_both_sides(trigger, said):
    (line,) = report.triggers([trigger], "en")
    assert line.startswith(said)
    assert "\n" not in line
    assert len(line) < 250
