"""Whole numbers and whole words, however they are written."""

import pytest

from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import Item


def judge(answer: str, *accepted: str) -> float | None:
    return SCORERS["expected-answer"].score([Item("i", "f", "en", "?", "", accepted)], [answer])[0].value


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("The answer is 7.", "7"),
        ("７です。", "7"),
        ("七です", "7"),
        ("7", "七"),
        ("二十一個", "21"),
        ("百五", "105"),
        ("三千二百", "3200"),
        ("1,000 metres", "1000"),
        ("About 1000.", "1,000"),
        ("It is 7.0 kg", "7"),
        ("3.50 euros", "3.5"),
        ("= 7%", "7"),
        ("**Paris**", "Paris"),
        ("paris, of course", "Paris"),
        ("PARIS", "paris"),
        ("\\boxed{7}", "7"),
        ("x=-7", "-7"),
        ("富士山です", "富士山"),
        ("答えはカナダです", "カナダ"),
        ("The sum, 12, is even", "12"),
    ],
)
def test_right(answer: str, accepted: str) -> None:
    assert judge(answer, accepted) == 1.0


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("17", "7"),
        ("71", "7"),
        ("7.5", "7"),
        ("1.7", "7"),
        ("It is -7", "7"),
        ("7/8", "7"),
        ("7:30", "7"),
        ("7,500", "7"),
        ("Parisian cafes", "Paris"),
        ("comparison", "Paris"),
        ("カナダドル", "カナダ"),
        ("二十七", "7"),
        ("", "7"),
        ("I do not know.", "7"),
        ("word " * 60 + "7", "7"),
    ],
)
def test_wrong(answer: str, accepted: str) -> None:
    assert judge(answer, accepted) == 0.0


def test_any_accepted_answer_will_do() -> None:
    assert judge("It is seven.", "7", "seven") == 1.0


def test_abstains_without_accepted_answers() -> None:
    assert judge("7") is None


def test_a_word_on_the_edge_of_the_window_is_read_whole() -> None:
    assert judge("x" * 190 + " Parisian", "Paris") == 0.0
    assert judge("x" * 190 + " Paris is", "Paris") == 1.0
