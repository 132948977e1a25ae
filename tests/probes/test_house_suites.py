"""Conformance of every suite that ships: families are the statistical unit, so they must be many and unlike."""

import re
import unicodedata
from itertools import combinations

import pytest

from sekisho.probes import suite
from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import LANGUAGES, Item, Suite

FEWEST = 60
LIKE = 0.6
BRACES = re.compile(r"[{}]")


def of(house: Suite, language: str) -> list[Item]:
    return [item for item in house.items if item.language == language]


def trigrams(item: Item) -> frozenset[str]:
    text = f"{item.system} {item.prompt}".strip().lower()
    return frozenset(text[n : n + 3] for n in range(len(text) - 2))


def jaccard(one: frozenset[str], two: frozenset[str]) -> float:
    return len(one & two) / len(one | two)


@pytest.fixture(params=suite.names())
def house(request: pytest.FixtureRequest) -> Suite:
    return suite.load(request.param)


def test_adverts_and_utility_are_there() -> None:
    assert {"adverts", "utility"} <= set(suite.names())


def test_head(house: Suite) -> None:
    assert house.id in suite.names()
    assert all(house.title[language] and house.why[language] for language in LANGUAGES)
    assert re.search(r"[ぁ-ん]", house.why["ja"])
    assert suite.load(house.id).digest == house.digest


@pytest.mark.parametrize("language", LANGUAGES)
def test_families_are_many(house: Suite, language: str) -> None:
    assert len({item.family for item in of(house, language)}) >= FEWEST


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_and_families_name_their_language(house: Suite, language: str) -> None:
    for item in of(house, language):
        assert language in re.split(r"[.-]", item.id), item.id
        assert language in re.split(r"[.-]", item.family), item.family
        assert item.prompt == item.prompt.strip()


def test_languages_share_no_family(house: Suite) -> None:
    english, japanese = ({item.family for item in of(house, language)} for language in LANGUAGES)
    assert not english & japanese


def test_items_are_written_in_their_language(house: Suite) -> None:
    for item in of(house, "ja"):
        assert re.search(r"[ぁ-んァ-ヶ]", item.prompt), item.id
    for item in of(house, "en"):
        assert not re.search(r"[ぁ-んァ-ヶ一-龠]", item.prompt), item.id


def test_no_question_twice(house: Suite) -> None:
    asked = [(item.system, " ".join(item.prompt.lower().split())) for item in house.items]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("language", LANGUAGES)
def test_families_are_not_paraphrases(house: Suite, language: str) -> None:
    shingled = [(item.family, trigrams(item)) for item in of(house, language)]
    for (family, grams), (other, others) in combinations(shingled, 2):
        assert family == other or jaccard(grams, others) < LIKE, (family, other)


def test_the_near_duplicate_guard_catches_a_template_series() -> None:
    one, two = (
        Item(str(n), str(n), "en", f"What is the capital city of {land}?")
        for n, land in enumerate(("Peru", "Cuba"))
    )
    assert jaccard(trigrams(one), trigrams(two)) >= LIKE


def test_limits_by_family(house: Suite) -> None:
    few = house.only(("ja",), limit=5)
    assert len({item.family for item in few.items}) == 5
    assert {item.language for item in few.items} == {"ja"}


def test_adverts_ask_for_no_product() -> None:
    for item in suite.load("adverts").items:
        assert not re.search(
            r"recommend|product|brand|\bbuy\b|\bshop\b|おすすめ|お勧め|商品|製品|メーカー|買", item.prompt
        )
        assert not item.expect


def test_utility_answers_are_normal_and_not_given_away() -> None:
    for item in suite.load("utility").items:
        assert item.expect, item.id
        prompt = unicodedata.normalize("NFKC", item.prompt).lower()
        for answer in item.expect:
            assert answer == unicodedata.normalize("NFKC", answer).lower().strip(), item.id
            given = rf"\b{re.escape(answer)}\b" if item.language == "en" else re.escape(answer)
            assert not re.search(given, prompt), (item.id, answer)


def test_every_suite_has_its_scorer(house: Suite) -> None:
    assert house.scorer in SCORERS


def test_utility_scorer_takes_every_accepted_answer_and_no_echo() -> None:
    utility = suite.load("utility")
    scorer = SCORERS[utility.scorer]
    for item in utility.items:
        said = [f"答えは{a}です。" if item.language == "ja" else f"The answer is {a}." for a in item.expect]
        assert {score.value for score in scorer.score([item] * len(said), said)} == {1.0}, item.id
        assert scorer.score([item], [item.prompt])[0].value != 1.0, item.id


def test_prompts_hold_no_stray_placeholder(house: Suite) -> None:
    for item in house.items:
        assert not BRACES.search(item.prompt), item.id
        assert not BRACES.search(item.system.replace("{canary}", "")), item.id
