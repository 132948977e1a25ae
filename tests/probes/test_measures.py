"""Every scorer says how often it is right, and says what our own labelled sets say."""

from importlib import import_module
from pathlib import Path

import pytest

from sekisho.errors import DataError
from sekisho.probes.measures import Measure, Rates, measures, read
from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import LANGUAGES

ROOT = Path(__file__).parents[2]
GOOD = """
[[measure]]
scorer = "s"
language = "en"
n = 10
sensitivity = 0.9
specificity = 0.8
abstained = 0.1
on = "ten answers"
script = "x.py"
"""


def test_every_scorer_has_an_entry_in_every_language() -> None:
    assert set(measures()) == {(s, x) for s in SCORERS for x in LANGUAGES}
    assert all(m.note for m in measures().values())


def test_what_measured_it_is_in_the_repository() -> None:
    for one in measures().values():
        assert (one.rates is None) == (not one.script), one
        assert one.rates is None or (ROOT / one.script).is_file(), one


def shipped(scorer: str, language: str) -> dict[str, float]:
    rates = measures()[scorer, language].rates
    assert rates is not None
    return vars(rates)


def test_refusal_in_japanese_as_the_held_out_answers_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    script = import_module("refusal_judges")
    answers = script.japanese()["held-out"]
    assert import_module("judging").rates(script.judged(answers, "ja")) == shipped("refusal", "ja")


@pytest.mark.parametrize("language", LANGUAGES)
def test_compliance_and_leaks_as_our_answers_say(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    script, rates = import_module("scorer_measures"), import_module("judging").rates
    assert rates(script.compliance(language, "held-out")) == shipped("compliance", language)
    assert rates(script.pooled(script.codes(language))["-- all"]) == shipped("canary", language)


def test_our_answers_are_many_and_their_halves_share_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    rows = import_module("judging").rows
    for name, key, fewest in (
        ("refusal.ja", "question", 200),
        ("compliance.en", "item", 100),
        ("compliance.ja", "item", 100),
    ):
        read_ = rows(f"{name}.jsonl")
        assert len({(r[key], r["answer"]) for r in read_}) == len(read_) >= fewest
        halves = [{r[key] for r in read_ if r["half"] == half} for half in ("development", "held-out")]
        assert all(halves)
        assert not halves[0] & halves[1]


def test_the_halves_of_the_japanese_adverts_share_neither_brand_nor_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    given = import_module("judging").rows("adverts.ja.jsonl")
    for key, count in (("brand", 16), ("advert", 12)):
        halves = [{r[key] for r in given if key in r and r["half"] == h} for h in ("development", "held-out")]
        assert [len(h) for h in halves] == [count, count]
        assert not halves[0] & halves[1]
    listed = import_module("sekisho.probes.scorers._japanese").vocabulary().words
    assert not listed & {r["brand"] for r in given if "brand" in r}


def test_reads_rates_and_reasons() -> None:
    text = GOOD + '[[measure]]\nscorer = "s"\nlanguage = "ja"\nwhy = "nobody did"\n'
    assert read(text) == {
        ("s", "en"): Measure("s", "en", Rates(10, 0.9, 0.8, 0.1), "ten answers", "x.py"),
        ("s", "ja"): Measure("s", "ja", None, "nobody did"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[measure]\n",
        GOOD + GOOD,
        GOOD.replace("0.9", "1.9"),
        GOOD.replace("n = 10", "n = 0"),
        GOOD.replace('on = "ten answers"', ""),
        GOOD + 'why = "also"\n',
    ],
)
def test_refuses_what_it_does_not_know(text: str) -> None:
    with pytest.raises(DataError, match=r"scorers\.toml"):
        read(text)
