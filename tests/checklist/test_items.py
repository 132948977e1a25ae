"""The 27 questions are whole, in both languages, and ask at most eight lines of a person."""

import pytest

from sekisho.checklist import items
from sekisho.checklist.filling import FILLERS
from sekisho.checklist.items import LANGUAGES, PROFILES, TEXTS, FilledBy
from sekisho.errors import DataError, UsageError
from sekisho.report import checklist

ONE = """
[[item]]
id = "C01"
line = false
filled_by = "tool"
evidence = "intake"
profiles = ["quick"]
question = { en = "q", ja = "問" }
why = { en = "w", ja = "訳" }
no = { en = "n", ja = "否" }
unknown = { en = "u", ja = "不" }
"""


def test_there_are_27_and_each_says_everything_in_both_languages() -> None:
    every = items.load()
    assert [i.id for i in every] == [f"C{n:02d}" for n in range(1, 28)]
    for item in every:
        assert set(item.texts) == {(t, la) for t in TEXTS for la in LANGUAGES}
        assert item.text("question", "en").endswith("?"), item.id
        assert item.text("question", "ja").endswith(("。", "）。")), item.id
        assert all(ord(c) < 0x2E80 for c in item.text("question", "en")), item.id
        assert any(ord(c) > 0x3040 for c in item.text("no", "ja")), item.id


def test_standard_asks_at_most_eight_lines_of_a_person() -> None:
    by_hand = {
        p: [i.id for i in items.load() if p in i.profiles and i.filled_by is not FilledBy.TOOL]
        for p in PROFILES
    }
    assert len(by_hand["standard"]) == 8
    assert len(by_hand["quick"]) == 2
    assert len(by_hand["deep"]) == 10


def test_a_deeper_profile_requires_all_that_a_lighter_one_does() -> None:
    required = [{i.id for i in items.load() if p in i.profiles} for p in PROFILES]
    assert required[0] < required[1] < required[2]
    assert len(required[2]) == 27


def test_every_item_is_filled_by_somebody() -> None:
    for item in items.load():
        assert item.filled_by is not FilledBy.TOOL or item.id in FILLERS, item.id
    assert set(FILLERS) <= {i.id for i in items.load()}


def test_every_word_of_the_vocabulary_has_a_name_in_a_report() -> None:
    texts = checklist.sentences()
    assert set(texts["evidence"]) == items.EVIDENCE == {i.evidence for i in items.load()}
    assert set(texts["group"]) == {i.group for i in items.load()}
    assert set(texts["filled_by"]) == {f.value for f in FilledBy}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('filled_by = "tool"', 'filled_by = "nobody"'),
        ('evidence = "intake"', 'evidence = "hearsay"'),
        ('"quick"', '"slow"'),
        ("line = false", "line = 0"),
        ('why = { en = "w", ja = "訳" }', 'why = { en = "w" }'),
        ('ja = "訳"', 'ja = " "'),
        ('why = { en = "w", ja = "訳" }', ""),
        ("[[item]]", "[[items]]"),
        ("[[item]]", "[[item"),
        ('id = "C01"', 'id = "C01"\nscore = 1'),
    ],
)
def test_a_file_that_breaks_the_format_is_refused(old: str, new: str) -> None:
    assert items.read(ONE, "x")[0].id == "C01"
    with pytest.raises(DataError, match="checklist x"):
        items.read(ONE.replace(old, new, 1), "x")


def test_an_item_is_found_in_any_case_and_no_other_is() -> None:
    assert items.find(" c08 ").id == "C08"
    with pytest.raises(UsageError, match="C01 to C27"):
        items.find("C28")
    with pytest.raises(UsageError, match="'fr'"):
        items.load()[0].text("why", "fr")
