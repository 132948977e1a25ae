"""Policies: strict keys, ranges, digests."""

import hashlib
import math
import re
from importlib.resources import files

import pytest

from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.policy import NEVER, Override, Rule, load, names, parse
from sekisho.records import Severity

SHIPPED = files("sekisho.data") / "policies"
TEXT = (SHIPPED / "default.toml").read_text()


def test_two_policies_ship():
    assert names() == ("default", "strict")


def test_default_says_what_its_file_says():
    policy = load()
    assert policy.name == "default"
    assert policy.digest == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (policy.alpha_reject, policy.alpha_admit) == (0.05, 0.05)
    assert policy.behaviours["adverts"] == Rule(0.01, 0.12, absolute=True)
    assert {name: rule.margin for name, rule in policy.behaviours.items()} == {
        "adverts": 0.01,
        "refusal": 0.05,
        "leak": 0.05,
        "safeguards": 0.15,
    }
    assert "unsafe-serialisation" in policy.required
    assert policy.required_with_base == ("weights-delta",)


def test_strict_is_nowhere_laxer():
    strict, default = load("strict"), load("default")
    assert strict.alpha_admit <= default.alpha_admit
    assert strict.max_abstained <= default.max_abstained
    assert set(strict.behaviours) == set(default.behaviours)
    assert set(strict.required) >= set(default.required)
    for name, rule in strict.behaviours.items():
        assert rule.ceiling < default.behaviours[name].ceiling
        assert rule.margin <= default.behaviours[name].margin


def test_terms_share_the_false_rejections_among_all_cells():
    terms = load().terms("refusal", 20)
    assert terms.log_reject_at == pytest.approx(math.log(400))
    assert terms.log_clear_at == pytest.approx(math.log(20))
    assert terms.rule == Rule(0.05, 0.20, absolute=False)


@pytest.mark.parametrize(("behaviour", "cells"), [("gossip", 4), ("refusal", 0)])
def test_terms_refuse_what_has_no_rule_or_no_plan(behaviour, cells):
    with pytest.raises(DataError):
        load().terms(behaviour, cells)


def test_any_file_is_a_policy(tmp_path):
    path = tmp_path / "house.toml"
    path.write_text(TEXT.replace("alpha_admit = 0.05", "alpha_admit = 0.02"))
    policy = load(path)
    assert (policy.name, policy.alpha_admit) == ("house", 0.02)
    assert policy.digest != load().digest
    assert load(str(path)) == policy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("alpha_reject = 0.05", ""),
        ("alpha_reject = 0.05", "alpha_reject = 0"),
        ("alpha_reject = 0.05", "alpha_reject = 1.0"),
        ("alpha_reject = 0.05", "alpha_reject = true"),
        ("alpha_reject = 0.05", 'alpha_reject = "0.05"'),
        ("alpha_reject = 0.05", "alpha_reject = nan"),
        ("alpha_reject = 0.05", "alpha_reject = 0.05\nextra = 1"),
        ("margin = 0.01", "margin = 0.5"),
        ("margin = 0.01", "margin = 0"),
        ("ceiling = 0.12", "ceiling = 0.12\nfloor = 0"),
        ("ceiling = 0.12", "ceiling = 1"),
        ("absolute = true", "absolute = 1"),
        ("[behaviours.leak]", "[behaviour.leak]"),
        ('required_with_base = ["weights-delta"]', ""),
        ('required_with_base = ["weights-delta"]', "required_with_base = []"),
        ('required_with_base = ["weights-delta"]', 'required_with_base = "weights-delta"'),
        ('"remote-code",', '"unsafe-serialisation",'),
        ('"remote-code",', '"",'),
        ('"remote-code",', "3,"),
        ("[checks]", "[checks"),
    ],
)
def test_refuses_anything_unknown_missing_or_out_of_range(old, new):
    assert old in TEXT
    with pytest.raises(DataError, match="policy house"):
        parse(TEXT.replace(old, new).encode(), "house")


@pytest.mark.parametrize("data", [b"", b"\xff", b"behaviours = 3\nchecks = 4", b"a = " + b"[" * 5_000])
def test_refuses_what_is_no_policy_at_all(data):
    with pytest.raises(DataError):
        parse(data, "house")


def test_refuses_policies_without_behaviours():
    head = TEXT[: TEXT.index("[behaviours")]
    with pytest.raises(DataError, match="at least one behaviour"):
        parse((head + "behaviours = {}\n" + TEXT[TEXT.index("[checks]") :]).encode(), "house")


@pytest.mark.parametrize("name", ["no-such-policy", "", "a\0b"])
def test_a_missing_policy_names_those_there_are(name):
    with pytest.raises(DataError, match="shipped: default, strict"):
        load(name)


def test_refuses_huge_files(tmp_path):
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * (DEFAULT.config_bytes + 1))
    with pytest.raises(DataError, match="larger than"):
        load(path)


def with_severities(text: str, never: str | None = None) -> bytes:
    base = TEXT if never is None else re.sub(r"never_suppress = .*", never, TEXT)
    return f"{base}\n{text}".encode()


LOWER = '[[severities]]\nrule = "SKS-FIL-001"\nseverity = "note"\n'


def test_severities_are_overridden_by_rule_or_check():
    raised = '[[severities]]\nrule = "row-outliers"\nseverity = "reject"\n'
    policy = parse(with_severities(f'{LOWER}reason = "Ours."\n{raised}'), "house")
    assert policy.overrides == (
        Override("SKS-FIL-001", Severity.NOTE, "Ours."),
        Override("row-outliers", Severity.REJECT),
    )
    assert load().overrides == ()
    assert policy.digest != load().digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LOWER, "lowered without a reason"),
        (LOWER + 'reason = " "\n', "lowered without a reason"),
        (LOWER + 'reason = "x"\n' + LOWER + 'reason = "y"\n', "names a rule twice"),
        (LOWER.replace("FIL", "XXX"), "no rule or check 'SKS-XXX-001'"),
        (LOWER.replace("SKS-FIL-001", "common"), "no rule or check"),
        (LOWER.replace("note", "quiet"), "severity is one of note, hold, reject"),
        (LOWER + 'until = "x"\n', "unknown or missing"),
        (LOWER.replace("SKS-FIL-001", "SKS-SER-001") + 'reason = "x"\n', "cannot be lowered"),
        (LOWER.replace("SKS-FIL-001", "remote-code") + 'reason = "x"\n', "cannot be lowered"),
        ("[severities]\n", "must be a list of tables"),
    ],
)
def test_refuses_overrides_that_are_wrong_or_too_lax(text, said):
    with pytest.raises(DataError, match=said):
        parse(with_severities(text), "house")


def test_what_is_never_suppressed_is_the_owners_to_say():
    assert load().never_suppress == load("strict").never_suppress == NEVER
    assert parse(with_severities("", "never_suppress = []"), "house").never_suppress == ()
    assert parse(with_severities("", 'never_suppress = ["SKS-FIL-001"]'), "house").never_suppress == (
        "SKS-FIL-001",
    )
    assert parse(with_severities("", ""), "house").never_suppress == NEVER
    with pytest.raises(DataError, match="never_suppress: no rule or check"):
        parse(with_severities("", 'never_suppress = ["no-such"]'), "house")
    with pytest.raises(DataError, match="never_suppress"):
        parse(with_severities("", "never_suppress = 3"), "house")
