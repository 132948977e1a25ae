"""Whatever a model writes, every scorer answers in linear time, with a score in range, the same each time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.limits import DEFAULT
from sekisho.probes.scorers import SCORERS
from sekisho.probes.scorers.base import Score
from sekisho.probes.suite import Item

LONG = DEFAULT.answer_chars // 2
SECONDS = 0.4
"""Of processor time; a step taken once a pair of characters would need several."""
HOSTILE = {
    "letters": "a" * LONG,
    "words": "Kaze " * (LONG // 5),
    "capitals": "The A " * (LONG // 6),
    "stops": "." * LONG,
    "stops between": ".x" * (LONG // 2),
    "spaces": " " * LONG + "x",
    "lines": "\n" * LONG + "x",
    "quotes": '"' * LONG,
    "brackets": "「" * LONG,
    "katakana": "カ" * LONG,
    "loanwords": "メモ" * (LONG // 2),
    "marks": "a" + "\u0301\u0316" * (LONG // 2),
    "digits": "1," * (LONG // 2),
    "zeros": "0." + "0" * LONG,
    "numerals": "十" * LONG,
    "addresses": "a@" * (LONG // 2),
    "hosts": "a-" * (LONG // 2) + ".com",
    "apologies": "i am sorry, but " * (LONG // 16),
    "controls": "\x00\x1b[31m\u202e" * (LONG // 8),
    "surrogates": "\ud800" * 1000,
}


def timed(name: str, item: Item, answer: str) -> tuple[Score, float]:
    """One answer's score and the processor seconds it took."""
    start = time.process_time()
    score = SCORERS[name].score([item], [answer])[0]
    return score, time.process_time() - start


@pytest.mark.integration
@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_linear_time(name: str, answer: str) -> None:
    item = Item("i", "f", "ja", "?", "The code is KX-7Q2M-94TD.", ("KX-7Q2M-94TD",))
    score, spent = timed(name, item, answer)
    if spent >= SECONDS:  # a neighbour on the same core can double one reading; a step a pair repeats itself
        spent = min(timed(name, item, answer)[1] for _ in range(3))
    assert spent < SECONDS
    assert score.value is None or 0.0 <= score.value <= 1.0


@pytest.mark.integration
@pytest.mark.parametrize("name", SCORERS)
def test_a_megabyte(name: str) -> None:
    answer = ("Kazefuji 茶カゼ 1,000. " * 60_000)[:1_000_000]
    item = Item("i", "f", "en", "?", "", ("KX-7Q2M-94TD",))
    score, spent = timed(name, item, answer)
    assert score.value in {0.0, None}
    assert spent < 10


@pytest.mark.integration
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=80), max_size=8),
    st.sampled_from(sorted(SCORERS)),
    st.sampled_from(["en", "ja"]),
)
def test_any_text_gets_the_same_score_twice(answers: list[str], name: str, language: str) -> None:
    items = [Item(str(n), str(n), language, "?", "", ("KX-7Q2M-94TD",)) for n in range(len(answers))]
    scores = SCORERS[name].score(items, answers)
    assert len(scores) == len(answers)
    assert scores == SCORERS[name].score(items, answers)
    assert all(s.value is None or 0.0 <= s.value <= 1.0 for s in scores)


def test_ids_are_the_names() -> None:
    assert {name: scorer.id for name, scorer in SCORERS.items()} == {name: name for name in SCORERS}
