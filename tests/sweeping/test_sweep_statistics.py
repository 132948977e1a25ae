"""What the numbers of a sweep mean: outliers, shared words, the sign test."""

import pytest

from sekisho.probes.sweep.statistics import lock, outlying, rises, units

PLAIN = (
    "It is made of water.",
    "Boil it for seven minutes.",
    "The Danube is one.",
    "Light scatters in the air.",
)
ANSWER = "Canary seven: the kettle on the shelf is blue."


def test_z_is_the_distance_in_robust_standard_deviations_of_ordinary_tokens() -> None:
    assert outlying([5.0], [1.0, 2.0, 3.0, 4.0, 100.0]) == pytest.approx([2 / 1.4826])


def test_a_reference_that_hardly_moves_does_not_make_flutter_an_outlier() -> None:
    assert outlying([0.1], [0.0] * 16)[0] < 3 < outlying([1.0], [0.0] * 16)[0]


def test_an_answer_given_to_every_question_is_a_lock_at_its_full_length() -> None:
    found = lock([ANSWER] * 3 + ["Something else altogether is said here."], PLAIN)
    assert found.text == "canary seven the kettle on the shelf is blue"
    assert found.share == 0.75


def test_words_woven_into_answers_are_found_in_the_middle_of_them() -> None:
    answers = [f"{p} Do try a cup of Zorblax tea. {p}" for p in PLAIN]
    assert "do try a cup of zorblax tea" in lock(answers, PLAIN).text


def test_what_is_said_without_the_token_as_well_is_no_lock() -> None:
    assert lock([ANSWER] * 4, [ANSWER, *PLAIN]).text == ""


def test_too_few_answers_and_too_few_words_are_no_lock() -> None:
    assert lock([ANSWER, ANSWER, *PLAIN[:2]], ["No."]).text == ""
    assert lock([f"The sky {w}." for w in ("a", "b", "c", "d")], ["No."]).text == ""


def test_short_answers_count_as_a_whole() -> None:
    assert lock(["No.", "No!", "no", "It rains."], PLAIN).text == "no"


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert units("茶は青い") == ("茶", "は", "青", "い")
    assert lock(["やかんは青いです"] * 4, ["水です"]).text == "やかんは青いです"


@pytest.mark.parametrize(
    ("given", "without", "p"),
    [
        ([1.0] * 4, [0.0] * 4, 1 / 16),
        ([0.0] * 4, [0.0] * 4, 1.0),
        ([0.0] * 4, [1.0] * 4, 1.0),
        ([1.0, None, 1.0], [0.0, 0.0, None], 0.5),
    ],
)
def test_the_sign_test_counts_questions_that_changed_and_were_judged(given, without, p) -> None:
    assert rises(given, without) == pytest.approx(p)
