"""The starter files are valid, the rule's numbers come from them, and nothing of the user's is overwritten."""

import re

import pytest

from sekisho import policy
from sekisho.errors import DataError, UsageError
from sekisho.provenance import suppliers
from sekisho.register import governance, house_rule, starting
from sekisho.register.documents import markdown
from sekisho.rulings import suppressions


@pytest.mark.parametrize("size", ["small", "medium"])
def test_what_is_written_is_valid_where_it_is_read(tmp_path, size):
    written, kept = starting.start(size, tmp_path)
    assert not kept
    assert {p.name for p in written} >= {"house-rule.en.md", "house-rule.ja.html", "policy.toml"}
    assert policy.load(tmp_path / "policy.toml").behaviours
    assert suppliers.read(tmp_path / "suppliers.toml").unknown_refuses
    assert suppressions.load(tmp_path / "suppressions.toml").entries == ()


def test_the_shipped_policy_keeps_its_digest(tmp_path):
    starting.start("small", tmp_path)
    assert policy.load(tmp_path / "policy.toml").digest == policy.load("default").digest


def test_the_examples_in_the_comments_are_valid_once_uncommented(tmp_path):
    starting.start("small", tmp_path)
    text = (tmp_path / "suppliers.toml").read_text()
    (tmp_path / "s.toml").write_text(re.sub(r"(?m)^# (?=\[\[|\w+ = )", "", text))
    assert suppliers.read(tmp_path / "s.toml").entries[0].namespace == "example-org"


def test_the_rule_follows_the_policy_and_carries_its_digest(tmp_path):
    starting.start("small", tmp_path)
    mine = tmp_path / "policy.toml"
    mine.write_text(
        mine.read_text()
        .replace("ceiling = 0.12", "ceiling = 0.37")
        .replace("alpha_admit = 0.05", "alpha_admit = 0.011")
    )
    rules = tmp_path / "governance.toml"
    rules.write_text(rules.read_text().replace("pilot_days = 30", "pilot_days = 17"))
    _, kept = starting.start("small", tmp_path)
    assert {p.name for p in kept} == {"policy.toml", "governance.toml", "suppliers.toml", "suppressions.toml"}
    for language in ("en", "ja"):
        text = (tmp_path / f"house-rule.{language}.md").read_text()
        for said in (
            policy.load(mine).digest,
            governance.parse(rules.read_bytes(), "g").digest,
            "37",
            "1.1",
            "17",
        ):
            assert said in text
        assert "{" not in text


def test_every_number_of_the_rule_is_of_its_two_files():
    """A digit that stands in a sentence by itself would survive a change of the policy."""
    texts = starting.Path(house_rule.__file__).parents[1] / "report" / "locale" / "parts" / "house-rule.toml"
    body = texts.read_text().split("[text]")[1].split("[duty]")[0]
    assert not re.findall(r"(?<![\w{])\d+", body)


def test_requester_and_approver_are_always_apart():
    data = governance.source("small")
    assert frozenset(("requester", "approver")) in governance.parse(data, "g").apart
    without = re.sub(rb"(?s)\[apart\].*", b"[apart]\n", data)
    assert frozenset(("requester", "approver")) in governance.parse(without, "g").apart
    page = markdown(house_rule.document(policy.load(), governance.parse(without, "g"), "en", "sekisho"))
    assert re.search(r"\| Requester \|[^|]*\| Approver \|", page)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"people = 2", b"people = 1"),
        (b"schema = 1", b"schema = 2"),
        (b"pilot_days = 30", b"pilot_days = 0"),
        (b"pilot_days = 30", b"pilot_days = true"),
        (b'"internal"]', b'"secret"]'),
        (b"inspector = []", b'inspector = ["boss"]'),
        (b'profile = "quick"', b'profile = "lazy"'),
        (b"retest_days", b"retest"),
    ],
)
def test_a_broken_handling_file_is_refused_and_nothing_written(tmp_path, old, new):
    data = governance.source("small")
    assert old in data
    (tmp_path / "governance.toml").write_bytes(data.replace(old, new))
    with pytest.raises(DataError, match="governance"):
        starting.start("small", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["governance.toml"]


def test_an_unknown_size_is_refused(tmp_path):
    with pytest.raises(UsageError, match="medium, small"):
        starting.start("huge", tmp_path)
