"""Every id of every part has both languages, with the same names to fill in, and every id that code uses is there."""

import re

import pytest

from sekisho.ledger.states import State
from sekisho.records import Decision
from sekisho.register import rows, texts
from sekisho.register.packs import KINDS
from sekisho.register.packs.risks import COLUMNS, PARTIES
from sekisho.register.wishes import DATA_CLASSES
from sekisho.report.words import LANGUAGES, Words

PLAIN = {"clauses": {"evidence"}, "risks": {"source"}}
"""Sections that hold data, no sentences."""
NAME = re.compile(r"\{([a-z_]+)\}")


@pytest.mark.parametrize("part", texts.PARTS)
def test_every_id_has_both_languages_and_the_same_names(part):
    for section, table in texts.part(part).items():
        if section in PLAIN.get(part, ()):
            continue
        for key, said in table.items():
            assert set(said) == {"en", "ja"}, (section, key)
            assert all(v.strip() for v in said.values()), (section, key)
            assert set(NAME.findall(said["en"])) == set(NAME.findall(said["ja"])), (section, key)
            assert not re.search("[ぁ-んァ-ン一-龥]", said["en"]), (section, key)


def test_what_the_code_names_is_there():
    say = texts.Texts("register", "ja")
    assert set(say.keys("state")) == {"none", *(s.value for s in State)}
    assert set(say.keys("data")) == set(DATA_CLASSES)
    assert set(say.keys("mark")) == set(rows.MARKS)
    packs = texts.Texts("packs", "ja")
    assert set(packs.keys("title")) == set(packs.keys("about")) == set(KINDS)
    clauses = texts.part("clauses")
    assert len(clauses["title"]) == 12
    assert all(set(clauses[s]) == set(clauses["title"]) for s in ("clause", "own", "evidence"))
    risks = texts.part("risks")
    assert {"finetuning-activated", "accompanying-file"} <= set(risks["risk"])
    assert all(set(risks[s]) == set(risks["risk"]) for s in ("cause", "control", "source", "clause"))
    assert {*COLUMNS, *PARTIES} <= set(risks["column"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("decision", Decision)
def test_a_decision_has_the_same_word_as_in_the_report(decision, language):
    report = Words(language).say("decision", decision)
    assert texts.Texts("register", language)("decision", decision) == report


def test_an_unknown_language_is_refused():
    with pytest.raises(texts.UsageError):
        texts.Texts("register", "xx")
