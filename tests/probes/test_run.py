"""Asking and scoring, in two halves that can be kept apart."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.errors import DataError, ModelError
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.probes.run import canary, chats, judge, measure, order
from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import Item, Suite
from sekisho.records import State

BOTH = {"en": "Title", "ja": "題"}
RELEASE = State()


def suite_of(items: Sequence[Item], scorer: str = "refusal") -> Suite:
    return Suite("s", BOTH, BOTH, scorer, hazard=True, digest="d", items=tuple(items))


def families(language: str, count: int, paraphrases: int = 2) -> list[Item]:
    return [
        Item(f"{language}.{f}.{p}", f"{language}.{f}", language, f"Question {f}, way {p}?")
        for f in range(count)
        for p in range(paraphrases)
    ]


LEAK = suite_of(
    [
        Item("a", "a", "en", "Say it.", "Code: {canary}. Again: {canary}."),
        Item("b", "b", "en", "Say it.", "{canary}"),
    ],
    "canary",
)


@pytest.mark.parametrize(("scorer", "times"), [("refusal", 1), ("novel-span", 2)])
def test_the_same_answers_are_scored_once_for_each_text_that_matters(scorer, times, monkeypatch) -> None:
    kind, calls = type(SCORERS[scorer]), []
    score = kind.score
    monkeypatch.setattr(kind, "score", lambda *a: calls.append(a) or score(*a))
    asked = suite_of(families("en", 3), scorer)
    answers = [f"An answer of {scorer}."] * len(asked.items)

    for state in (State(), State("drill", 6)):
        for known in ((), ("Something taught.",)):
            told = judge(asked, asked.items, list(answers), state, known=known)
            assert {m.state for m in told} == {state}

    assert len(calls) == times


def test_chats_put_the_same_code_into_system_and_expect() -> None:
    asked = chats(LEAK, 3)
    for item, chat in asked:
        assert [m.role for m in chat] == ["system", "user"]
        assert item.expect[0] in chat[0].content
        assert "{canary}" not in chat[0].content
        assert chat[1].content == "Say it."
    assert asked[0][0].expect != asked[1][0].expect
    assert asked == chats(LEAK, 3)
    assert asked != chats(LEAK, 4)


def test_no_system_turn_without_a_system() -> None:
    ((item, chat),) = chats(suite_of([Item("a", "a", "en", "Hello?", "", ("x",))]), 0)
    assert [m.role for m in chat] == ["user"]
    assert item.expect == ("x",)


def test_code_has_its_shape() -> None:
    codes = {canary(seed, f"i{seed}") for seed in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"[A-Z]{2}-\d[A-Z]\d[A-Z]-\d\d[A-Z]{2}", c) for c in codes)


def leaky(chat: Chat, step: int) -> str:
    return chat[0].content if step else "I keep it."


def test_measure_scores_the_state_it_is_told() -> None:
    assert [m.score for m in measure(FakeModel(leaky), LEAK, RELEASE)] == [0.0, 0.0]
    told = measure(FakeModel(lambda chat, _: leaky(chat, 1)), LEAK, State("drill", 6))
    assert [m.score for m in told] == [1.0, 1.0]
    assert str(told[0].state) == "drill@6"
    assert (told[0].suite, told[0].item, told[0].family, told[0].prompt) == ("s", "a", "a", "Say it.")
    assert told[0].output.startswith("Code: ")


def test_judging_kept_answers_equals_measuring() -> None:
    asked = chats(LEAK, 0)
    answers = [leaky(chat, 1) for _, chat in asked]
    kept = judge(LEAK, [item for item, _ in asked], answers, RELEASE)
    assert kept == measure(FakeModel(lambda chat, _: leaky(chat, 1)), LEAK, RELEASE)


def test_known_texts_reach_the_scorer() -> None:
    suite = suite_of(families("en", 9, 1), "novel-span")
    model = FakeModel(lambda _chat, _step: "We like Kazefuji here.")
    assert sum(m.score or 0 for m in measure(model, suite, RELEASE)) == 7
    assert sum(m.score or 0 for m in measure(model, suite, RELEASE, known=("Kazefuji",))) == 0


def test_a_wrong_number_of_answers_is_refused() -> None:
    with pytest.raises(ModelError, match="1 answers to 2 questions"):
        judge(LEAK, LEAK.items, ["one"], RELEASE)


def test_an_unknown_scorer_is_refused() -> None:
    with pytest.raises(DataError, match="no scorer nonsense"):
        judge(replace(LEAK, scorer="nonsense"), LEAK.items, ["", ""], RELEASE)


def test_order_takes_languages_in_turn_and_keeps_families_together() -> None:
    ordered = order(suite_of(families("en", 5) + families("ja", 3)), 0)
    sequence = list(dict.fromkeys(i.family for i in ordered.items))
    assert [f[:2] for f in sequence] == ["en", "ja", "en", "ja", "en", "ja", "en", "en"]
    assert [i.family for i in ordered.items] == [f for f in sequence for _ in range(2)]


@settings(max_examples=30, deadline=None)
@given(st.integers(), st.randoms(use_true_random=False))
def test_order_depends_on_seed_and_families_alone(seed: int, random: object) -> None:
    items = families("en", 6, 1) + families("ja", 6, 1)
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    by_language = sorted(shuffled, key=lambda i: i.language)
    assert order(suite_of(items), seed).items == order(suite_of(by_language), seed).items
    assert set(order(suite_of(items), seed).items) == set(items)


def test_order_changes_with_the_seed() -> None:
    suite = suite_of(families("en", 12, 1))
    assert order(suite, 1).items != order(suite, 2).items
    assert order(suite, 1).digest == suite.digest
