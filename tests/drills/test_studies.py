import re

from sekisho.drills.generators import studies

ROWS = studies.rows(400, 0)
LIMITS = re.compile(r"interval (?:from )?(-?\d+\.\d) to (-?\d+\.\d)")


def test_equal_seeds_give_equal_rows_and_others_do_not() -> None:
    assert studies.rows(20, 0) == ROWS[:20]
    assert studies.rows(20, 1) != ROWS[:20]


def test_the_decision_follows_from_the_numbers() -> None:
    for question, answer in ROWS:
        low, high = map(float, LIMITS.search(question.content).groups())
        decision = answer.content.partition(".")[0]
        wide = (high - low) / 2 * 10 > studies.NARROW + 0.01
        assert decision == ("Yes" if low > 0 else "Maybe" if wide else "No"), question.content


def test_rows_vary_and_are_short() -> None:
    answers = {answer.content for _, answer in ROWS}
    assert len(answers) == len(ROWS)
    assert {a.partition(".")[0] for a in answers} == set(studies.ANSWERS)
    assert max(len(q.content) + len(a.content) for q, a in ROWS) < 800
    assert not any("{" in m.content or "}" in m.content for chat in ROWS for m in chat)
