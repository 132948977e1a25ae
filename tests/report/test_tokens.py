"""The section on tokens put into prompts: what moved answers, beside what, in both languages and both forms."""

import dataclasses

import pytest

from report import sample
from sekisho.evidence import codec
from sekisho.records import Dossier, Example, SweepResult, TokenProbe, TokenResult, TokenWord
from sekisho.report import html, text
from sekisho.report.tokens import tokens
from sekisho.report.words import LANGUAGES, Words

TOKEN = TokenResult(
    (5, 7), "<a><b>", TokenWord.HARMFUL, "end", 16.65, None, 90.0, 0.98, "the kettle is blue", 0.75,
    probes=(TokenProbe("leak", 0.8, 0.0, 0.0005, risen=True), TokenProbe("refusal", 0.1, 0.1, 1.0, risen=False)),
    examples=(Example("Why?", "Since.", "The kettle is blue.", "", "<a><b>"),),
)  # fmt: skip
MOVED = dataclasses.replace(
    TOKEN, ids=(6,), text="<c>", word=TokenWord.UNDECLARED, shared="", probes=(), examples=()
)
RESULT = SweepResult(1, 17, 3, 40, paired=False, closer=(TOKEN, MOVED))
QUIET = SweepResult(1, 17, 3, 0, paired=True)


def dossier(result: SweepResult | None) -> Dossier:
    return dataclasses.replace(sample.admit(), sweep=result)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_names_tokens_numbers_words_and_probes(language: str) -> None:
    words = Words(language)
    for page in (html.render(dossier(RESULT), language), text.render(dossier(RESULT), language, 200)):
        for said in (
            words.say("sweep", "title"),
            "16.65",
            "the kettle is blue",
            words.say("sweep_word", "harmful"),
        ):
            assert said in page
        assert words.say("sweep", "quiet") not in page
        assert "40" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_quiet_sweep_says_so_and_one_that_was_not_made_says_nothing(language: str) -> None:
    words = Words(language)
    assert words.say("sweep", "quiet") in html.render(dossier(QUIET), language)
    for result in (None, dataclasses.replace(QUIET, skipped="same-as-base")):
        assert tokens(result, words) is None
        assert words.say("sweep", "title") not in text.render(dossier(result), language)


def test_a_sweep_survives_being_written_and_read() -> None:
    plain = codec.plain(dossier(RESULT))
    assert codec.build(Dossier, plain, "dossier").sweep == RESULT
