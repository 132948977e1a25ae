import re

import pytest

from sekisho.drills import panel, profile, recipe
from sekisho.errors import DataError

SMALL = """
id = "p"
rows = 8
checkpoints = [6, 12, 25]
seeds = [0, 1]
[training]
max_steps = 25
[domains.maths]
data = "arithmetic"
max_length = 64
title = "Sums"
title_ja = "計算"
why = "A."
why_ja = "甲。"
[methods.full]
rates = [2e-5, 1.5e-4]
title = "all weights"
title_ja = "全て"
why = "B."
why_ja = "乙。"
[schedulers.linear]
title = "linear"
title_ja = "線形"
why = "C."
why_ja = "丙。"
[schedulers.linear.training]
lr_scheduler_type = "linear"
"""


def test_axes_multiply_out_in_order() -> None:
    assert list(panel.parse(SMALL, "p")) == [
        "maths-full-2e-5-linear-s0", "maths-full-2e-5-linear-s1",
        "maths-full-1.5e-4-linear-s0", "maths-full-1.5e-4-linear-s1",
    ]  # fmt: skip


def test_titles_and_reasons_are_composed_in_both_languages() -> None:
    cell = panel.parse(SMALL, "p")["maths-full-1.5e-4-linear-s1"]
    assert cell["title"] == "Sums, all weights, 1.5e-4, linear, seed 1"
    assert cell["title_ja"] == "計算(全て、学習率1.5e-4、線形、シード1)"
    assert (cell["why"], cell["why_ja"]) == ("A. B. C.", "甲。乙。丙。")


def test_the_shipped_panels_cross_every_axis() -> None:
    for name in panel.names():
        cells = panel.load(name)
        axes = [set(re.fullmatch(r"(.+?)-(full|lora)-(.+e-\d)-(\w+)-s(\d)", c).groups()) for c in cells]
        assert len(axes) == len(cells) == 4 * 2 * 3 * 2 * 2
        assert all({6, 12, 25} <= set(table["checkpoints"]) for table in cells.values())


@pytest.mark.parametrize(("name", "usual"), [("small", 2e-4), ("large", 5e-5)])
def test_rates_lie_about_the_usual_both_ways(name: str, usual: float) -> None:
    full = {t["training"]["learning_rate"] for t in panel.load(name).values() if "lora" not in t}
    assert sorted(rate / usual for rate in full) == pytest.approx([0.3, 1, 3])


def test_every_cell_is_a_recipe_of_its_own_digest_and_no_two_panels_share_an_id() -> None:
    cells = [recipe.load(cell) for name in panel.names() for cell in panel.load(name)]
    assert len({c.digest for c in cells}) == len({c.id for c in cells}) == len(cells) == 192
    assert not {c.id for c in cells} & set(recipe.names())
    assert recipe.load(cells[0].id) == cells[0]


def test_an_adapter_is_in_the_cells_that_name_one_only() -> None:
    cells = [recipe.load(cell) for cell in panel.load("small")]
    assert all((c.lora is not None) == ("-lora-" in c.id) for c in cells)


def test_a_run_looked_at_early_keeps_the_schedule_of_the_whole_run() -> None:
    cell = recipe.load("maths-full-2e-4-linear-s0")
    job = recipe.job(cell, recipe.survey(cell).chats)
    assert job.checkpoints == (6, 12, 25)
    assert job.settings["max_steps"] == 100


def test_an_entry_stands_for_a_panel_without_or_with_the_users_data() -> None:
    ours, own = panel.expand("panel:small"), panel.expand("panel:small/own")
    assert len(ours) == 72
    assert len(own) == 24
    assert all(name.startswith("own-") for name in own)
    assert panel.expand("arithmetic-quick") == ("arithmetic-quick",)


@pytest.mark.parametrize("entry", ["panel:none", "panel:small/maths", "panel:"])
def test_an_unknown_panel(entry: str) -> None:
    with pytest.raises(DataError, match="panel"):
        panel.expand(entry)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rates = [2e-5, 1.5e-4]", "rates = [2e-5, 2e-5]"),
        ("rates = [2e-5, 1.5e-4]", "rates = [1.234e-5]"),
        ("rates = [2e-5, 1.5e-4]", "rates = []"),
        ("seeds = [0, 1]", "seed = [0, 1]"),
        ('title = "linear"', 'titel = "linear"'),
        ('why = "C."', 'why = ""'),
        ('id = "p"', 'id = "q"'),
        ("seeds = [0, 1]", f"seeds = {list(range(1001))}"),
        ("[domains.maths]", "[domains"),
    ],
)
def test_a_broken_panel_is_refused(old: str, new: str) -> None:
    assert old in SMALL
    with pytest.raises(DataError):
        panel.parse(SMALL.replace(old, new), "p")


def test_a_rate_keeps_its_digits() -> None:
    assert [panel.rate_name(x) for x in (5e-5, 1.5e-4, 1e-3)] == ["5e-5", "1.5e-4", "1e-3"]


def test_a_profile_may_name_a_panel_and_a_budget() -> None:
    text = 'id="x"\nlanguages=["en"]\nfamilies=1\nseed=0\ndrills=["panel:small"]\nown=["panel:small/own"]\nminutes=30\nsuites={}'
    made = profile.parse(text, "x")
    assert (len(made.drills), len(made.own), made.minutes) == (72, 24, 30)
    with pytest.raises(DataError, match="minutes"):
        profile.parse(text.replace("=30", "=-1"), "x")
