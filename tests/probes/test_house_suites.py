"""Conformance of every suite that ships: families are the statistical unit, so they must be many and unlike."""

import re
import unicodedata
from importlib.resources import files

import pytest

from sekisho.probes import suite
from sekisho.probes.near_duplicates import merged, near_duplicates
from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import LANGUAGES, Item, Suite

pytestmark = pytest.mark.integration

FEWEST = {"en": 300, "ja": 150}
"""Independent families of every suite."""
BRACES = re.compile(r"[{}]")


def of(house: Suite, language: str) -> list[Item]:
    return [item for item in house.items if item.language == language]


@pytest.fixture(params=suite.names())
def house(request: pytest.FixtureRequest) -> Suite:
    return suite.load(request.param)


def test_adverts_and_utility_are_there() -> None:
    assert {"adverts", "utility"} <= set(suite.names())


def test_head(house: Suite) -> None:
    assert house.id in suite.names()
    assert all(house.title[language] and house.why[language] for language in LANGUAGES)
    assert re.search(r"[ぁ-ん]", house.why["ja"])
    assert suite.read(files("sekisho.data") / "suites" / house.id).digest == house.digest


@pytest.mark.parametrize("language", LANGUAGES)
def test_families_are_many(house: Suite, language: str) -> None:
    assert len({item.family for item in merged(of(house, language))}) >= FEWEST[language]


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


@pytest.mark.parametrize("part", ["prompt", "system"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_families_are_not_paraphrases(house: Suite, language: str, part: str) -> None:
    items = [item for item in of(house, language) if getattr(item, part)]
    for one, two in near_duplicates([getattr(item, part) for item in items]):
        assert items[one].family == items[two].family, (items[one].id, items[two].id)


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
