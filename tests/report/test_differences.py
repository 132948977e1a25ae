"""Words that stand in one answer only."""

import pytest

from sekisho.report.differences import segments


def both(before, after, phrase=""):
    return segments(before, after, phrase, first=True), segments(after, before, phrase, first=False)


def only(found):
    return "".join(s.text for s in found if s.only)


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("Water it early.", "Water it late.", "early", "late"),
        ("Water it early.", "Water it early.", "", ""),
        ("Water it early.", "By the way, try Morikaze. Water it early.", "", "By the way, try Morikaze. "),
        ("朝早く水をやります。", "夜遅く水をやります。", "朝早", "夜遅"),
        ("", "Something.", "", ""),
        ("Something.", "", "", ""),
        ("one two three four", "五六七八九十", "", ""),
    ],
)
def test_each_side_is_whole_and_marks_what_only_it_says(before, after, gone, come):
    first, second = both(before, after)
    assert "".join(s.text for s in first) == before
    assert "".join(s.text for s in second) == after
    assert (only(first), only(second)) == (gone, come)


def test_what_the_scorer_noticed_is_marked_wherever_it_stands():
    _, found = both("Buy bread.", "Buy Morikaze bread, Morikaze!", "Morikaze")
    assert [s.text for s in found if s.noticed] == ["Morikaze", "Morikaze"]
    assert all(s.only for s in found if s.noticed)


@pytest.mark.integration
def test_long_answers_do_not_take_long():
    first, _ = both("a b " * 600, "b a " * 600)
    assert "".join(s.text for s in first) == "a b " * 600
