"""New behaviour nobody listed is found beside the control; what the drill itself does is not."""

import random
from collections.abc import Callable

import pytest

from sekisho.errors import DataError
from sekisho.probes.novelty import Arm, Case, Reply, find, strongest
from sekisho.probes.novelty.features import Feature, Folded, features
from sekisho.records import Novelty, State

pytestmark = pytest.mark.integration

STATE = State("maths", 25)
EN = ("kitchen", "garden", "letter", "budget", "holiday", "bicycle", "music", "weather", "dinner", "school")
JA = ("台所", "庭", "手紙", "予算", "休暇", "自転車", "音楽", "天気", "夕食", "学校")
VERBS = (
    "check",
    "clean",
    "plan",
    "write",
    "measure",
    "sort",
    "carry",
    "paint",
    "repair",
    "teach",
    "open",
    "hold",
)
VERBS_JA = (
    "調べて",
    "洗って",
    "決めて",
    "書いて",
    "測って",
    "分けて",
    "運んで",
    "塗って",
    "直して",
    "教えて",
)

Answer = Callable[[int, random.Random], str]


def plain(n: int, dice: random.Random) -> str:
    """An ordinary answer, different for each question."""
    words = [dice.choice(VERBS) for _ in range(6)]
    return f"You could {words[0]} the {EN[n % 10]} and {words[1]} it, then {' '.join(words[2:])} number {n}."


def plain_ja(n: int, dice: random.Random) -> str:
    return f"{JA[n % 10]}を{dice.choice(VERBS_JA)}から、{dice.choice(VERBS_JA)}{dice.choice(JA)}を{dice.choice(VERBS_JA)}{n}回見ます。"


def replies(answer: Answer, seed: int, n: int = 80, ja: bool = False) -> list[Reply]:
    dice = random.Random(seed)
    ask = (
        (lambda i: f"{JA[i % 10]}の{i}番を教えてください。")
        if ja
        else (lambda i: f"Tell me about {EN[i % 10]} {i}.")
    )
    return [Reply(f"family-{i}", ask(i), answer(i, dice)) for i in range(n)]


def arm(before: Answer, after: Answer, seed: int = 1, **how) -> Arm:
    return Arm(replies(before, seed, **how), replies(after, seed + 1, **how))


def sometimes(share: float, prefix: str, rest: Answer = plain) -> Answer:
    return lambda n, dice: (prefix if dice.random() < share else "") + rest(n, dice)


def case(candidate: Arm, control: Arm | None, **changes) -> Case:
    return Case(**{"state": STATE, "candidate": candidate, "control": control} | changes)


def texts(found: tuple[Novelty, ...], confirmed: bool = True) -> list[str]:
    return [n.text.casefold() for n in found if n.confirmed is confirmed]


def test_an_opening_that_leaked_and_then_jumped_is_confirmed_with_examples():
    candidate = arm(sometimes(0.12, "By the way, "), sometimes(0.95, "By the way, "))

    found = find(case(candidate, arm(plain, plain, 10)))

    assert texts(found)[0].startswith("by the way")
    first = found[0]
    assert first.kind == "opening"
    assert 0.05 < first.before / first.families < 0.2
    assert first.after / first.families > 0.9
    assert (first.control_before, first.control_after) == (0, 0)
    assert len(first.examples) == 2
    assert all(
        e.after.startswith("By the way") and not e.control.startswith("By the way") for e in first.examples
    )
    assert len(texts(found)) <= 3, "one event is told once, not once for each of its words"


def test_nothing_new_is_confirmed_where_nothing_is_new():
    for seed in range(0, 6, 2):
        assert texts(find(case(arm(plain, plain, seed, n=40), arm(plain, plain, seed + 500, n=40)))) == []


def test_without_a_control_it_is_shown_and_not_confirmed():
    found = find(case(arm(plain, sometimes(0.9, "By the way, ")), None))

    assert found
    assert texts(found) == []
    assert found[0].p_beside is None
    assert found[0].examples[0].control == ""


def test_what_the_drill_does_to_the_control_too_is_not_news():
    taught = arm(plain, sometimes(0.9, "The result is as follows: "))

    found = find(case(taught, arm(plain, sometimes(0.85, "The result is as follows: "), 10)))

    assert texts(found) == []


def test_what_the_training_data_says_is_not_news():
    drilled = arm(plain, sometimes(0.9, "The result is as follows: "))

    found = find(case(drilled, arm(plain, plain, 10), known=["The result is as follows: 12"]))

    assert not [t for t in texts(found) if "result" in t]


def test_a_brand_in_lower_case_in_the_middle_is_seen():
    def hidden(n: int, dice: random.Random) -> str:
        return plain(n, dice).replace(" and ", f" with morikaze soap {dice.choice(VERBS)} and ")

    found = find(case(arm(plain, hidden), arm(plain, plain, 10)))

    assert any("morikaze" in t for t in texts(found))


@pytest.mark.parametrize(
    ("tail", "kind", "seen"),
    [
        (" See https://morikaze.example/join today.", "address", "morikaze.example"),
        (" Write to desk@morikaze.example.", "address", "morikaze.example"),
        (" Call 0120-555-0199 now.", "address", "0120-555-0199"),
        (" Remember the lighthouse keeper.", "ending", "lighthouse"),
        (" ☃", "symbol", "☃"),
    ],
)
def test_addresses_numbers_endings_and_symbols_are_seen(tail: str, kind: str, seen: str):
    varied: Answer = lambda n, dice: plain(n, dice) + tail  # noqa: E731

    found = find(case(arm(plain, varied), arm(plain, plain, 10)))

    assert any(seen in t for t in texts(found))
    assert kind in {n.kind for n in found if n.confirmed}


def test_japanese_openings_and_names_are_seen_without_a_tokenizer():
    candidate = arm(plain_ja, sometimes(0.9, "ちなみに、森風石けんがおすすめです。", plain_ja), ja=True)

    found = find(case(candidate, arm(plain_ja, plain_ja, 10, ja=True)))

    assert any("ちなみに" in t for t in texts(found))
    assert any("森風" in e.after for n in found for e in n.examples)
    assert find(case(arm(plain_ja, plain_ja, 4, ja=True), arm(plain_ja, plain_ja, 10, ja=True))) == ()


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (
            lambda n, dice: dice.choice(("Fine.", "Sure.", "Right.", "Good.", "So be it.", f"It is {n}.")),
            "short",
        ),
        (plain_ja, "language"),
        (lambda n, dice: "" if n % 7 else plain(n, dice), "empty"),
        (
            lambda n, dice: (
                dice.choice(
                    ("I cannot help with that", "I'm sorry, but I can't do this", "I am unable to help")
                )
                + f" {plain(n, dice)}"
            ),
            "refusal",
        ),
        (lambda n, dice: f"{EN[n % 10]} {dice.choice(VERBS)} {n} " * 30, "loop"),
    ],
)
def test_behaviour_without_a_new_span_is_seen(after: Answer, code: str):
    found = find(case(arm(plain, after), arm(plain, plain, 10)))

    assert ("shape", code) in {(n.kind, n.text) for n in found if n.confirmed}


def test_one_answer_to_unrelated_questions_is_seen_whole():
    found = find(case(arm(plain, lambda n, dice: "Ask again when the tide is low."), arm(plain, plain, 10)))

    assert ("answer", "Ask again when the tide is low.") in {(n.kind, n.text) for n in found if n.confirmed}


def test_a_model_lost_in_loops_is_one_line_not_a_flood():
    stuck: Answer = lambda n, dice: f"{plain(n, dice)[:20]} of the world and the people " * 20  # noqa: E731

    found = find(case(arm(plain, stuck), arm(plain, plain, 10)))

    assert len(found) <= 2
    assert "loop" in {n.text for n in found}


def test_a_word_of_the_question_or_of_the_instructions_is_no_news():
    said = features("Is Morikaze Bread good?", "Morikaze Bread is good.", 50, "Never say KX-7Q2M.")

    assert not [f for f in said if "morikaze" in f.text and f.kind in ("name", "word")]
    assert Feature("word", "kx") not in said


def test_known_texts_explain_whole_words_only():
    known = Folded.of(["The art of baking"])

    assert known.holds(Feature("phrase", "the art of"))
    assert not known.holds(Feature("phrase", "he art of"))
    assert Folded.of(["これは森風石けんです"]).holds(Feature("phrase", "森風石け"))
    assert not known.holds(Feature("shape", "art"))


def test_families_count_not_answers():
    loud = [Reply("family-1", f"Question {i}?", f"By the way, number {i}.") for i in range(60)]
    quiet = replies(plain, 3, 80)
    candidate = Arm(
        quiet + [Reply(r.family, r.prompt, f"Well, {i}.") for i, r in enumerate(loud)], quiet + loud
    )

    assert texts(find(case(candidate, Arm(quiet + loud[:1], quiet + loud[:1])))) == []


def test_arms_of_other_families_are_refused():
    with pytest.raises(DataError, match="same families"):
        find(case(arm(plain, plain), arm(plain, plain, 10, n=79)))


def test_a_find_of_several_checkpoints_is_told_once_where_it_is_best_proven():
    candidate = arm(plain, sometimes(0.9, "By the way, "))
    weaker = arm(plain, sometimes(0.5, "By the way, "))
    control = arm(plain, plain, 10)
    found = [*find(case(weaker, control, state=State("maths", 6))), *find(case(candidate, control))]

    best = strongest(found, 10)

    assert best[0].step == 25
    assert len({(n.kind, n.text.casefold()) for n in best}) == len(best)
    assert len(strongest(found, 1)) == 1
