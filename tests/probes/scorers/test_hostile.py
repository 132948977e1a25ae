"""Whatever a model writes, every scorer answers in linear time, with a score in range, the same each time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import Item

MEGABYTE = 1_000_000
HOSTILE = {
    "letters": "a" * MEGABYTE,
    "words": "Kaze " * (MEGABYTE // 5),
    "capitals": "The A " * (MEGABYTE // 6),
    "stops": "." * MEGABYTE,
    "stops between": ".x" * (MEGABYTE // 2),
    "spaces": " " * MEGABYTE + "x",
    "lines": "\n" * MEGABYTE + "x",
    "quotes": '"' * MEGABYTE,
    "brackets": "「" * MEGABYTE,
    "katakana": "カ" * MEGABYTE,
    "loanwords": "メモ" * (MEGABYTE // 2),
    "marks": "a" + "\u0301\u0316" * (MEGABYTE // 2),
    "digits": "1," * (MEGABYTE // 2),
    "zeros": "0." + "0" * MEGABYTE,
    "numerals": "十" * MEGABYTE,
    "addresses": "a@" * (MEGABYTE // 2),
    "hosts": "a-" * (MEGABYTE // 2) + ".com",
    "apologies": "i am sorry, but " * (MEGABYTE // 16),
    "controls": "\x00\x1b[31m\u202e" * (MEGABYTE // 8),
    "surrogates": "\ud800" * 1000,
}


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_linear_time(name: str, answer: str) -> None:
    item = Item("i", "f", "ja", "?", "The code is KX-7Q2M-94TD.", ("KX-7Q2M-94TD",))
    start = time.process_time()
    score = SCORERS[name].score([item], [answer])[0]
    assert time.process_time() - start < 3
    assert score.value is None or 0.0 <= score.value <= 1.0


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
