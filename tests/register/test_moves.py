"""Each step and each wrong step: one line that says what is missing, and nothing written."""

import json

import pytest

from register.conftest import ASKED, MODEL, OTHER, PILOT, said
from sekisho.errors import RuleError
from sekisho.ledger import rules
from sekisho.ledger.states import State
from sekisho.register.wishes import NEEDED, NEXT, Action


def test_the_whole_way_in_and_out(desk, ledger):
    desk.to("production")
    desk("retest", "tanaka", because="new-data", reason="quarterly data")
    desk.verdict()
    assert said(desk("decide", "tanaka", drilled=True)) == [
        ("state-change", "static"), ("state-change", "behaviour"), ("state-change", "drill"), ("state-change", "decided"),
    ]  # fmt: skip
    desk("retire", "mori", reason="replaced")
    assert rules.state(ledger.history(MODEL)) is State.RETIRED


def test_a_verdict_on_files_alone_says_nothing_about_behaviour(desk):
    desk("request", "mori", **ASKED)
    desk.verdict("hold", "files")
    states = [s for _, s in said(desk("decide", "tanaka", drilled=True))]
    assert states == ["received", "static", "decided"]


@pytest.mark.parametrize("action", [a for a in Action if NEEDED[a]])
def test_what_is_missing_is_named(desk, ledger, action):
    before = ledger.tip()
    with pytest.raises(RuleError) as caught:
        desk(action, "mori")
    named = str(caught.value)
    assert all(f"--{k.replace('_', '-')}" in named for k in NEEDED[action])
    assert "\n" not in named
    assert ledger.tip() == before


def test_nobody_is_nobody(desk):
    with pytest.raises(RuleError, match="--by"):
        desk("request", "  ", **ASKED)


@pytest.mark.parametrize("days", [0, -1, 4_000, "30", True])
def test_days_are_days(desk, days):
    desk.to("decided")
    desk("approve", "sato", of="pilot")
    with pytest.raises(RuleError, match="--days"):
        desk("pilot", "tanaka", **PILOT | {"days": days})


def test_an_unknown_class_of_data_is_refused(desk):
    with pytest.raises(RuleError, match="--data-class is one of public"):
        desk("request", "mori", **ASKED | {"data_class": "whatever"})


def test_a_wrong_step_says_what_comes_next(desk):
    desk("request", "mori", **ASKED)
    with pytest.raises(
        RuleError, match=r"stands at requested; production cannot follow.*next: sekisho receive"
    ):
        desk("produce", "tanaka", place="x", met="y", retest_days=10)
    assert set(NEXT) == {None, *State}


@pytest.mark.parametrize("name", ["mori", "MORI", " Ｍｏｒｉ "])
def test_who_asked_approves_nothing(desk, name):
    desk.to("decided")
    with pytest.raises(RuleError, match="cannot approve"):
        desk("approve", name, of="pilot")
    with pytest.raises(RuleError, match="cannot approve"):
        desk("except", "tanaka", reason="r", approver=name, expires="2027-01-01")


def test_production_needs_its_own_approval(desk):
    desk.to("pilot")
    with pytest.raises(RuleError, match="production has not been approved"):
        desk("produce", "tanaka", place="server", met="all", retest_days=10)


def test_a_second_approval_is_told_of_the_first(desk):
    desk.to("decided")
    desk("approve", "sato", of="pilot")
    with pytest.raises(RuleError, match="sato has already approved pilot"):
        desk("approve", "suzuki", of="pilot")


def test_an_approval_ahead_of_time_is_refused(desk):
    desk.to("decided")
    with pytest.raises(RuleError, match="stands at decided; production is approved at pilot"):
        desk("approve", "sato", of="production")


def test_who_looked_before_another_wrote_is_told(desk, ledger):
    desk.to("decided")
    seen = ledger.about(MODEL)[-1].sequence
    desk("approve", "sato", of="pilot", seen=seen)
    with pytest.raises(
        RuleError, match=r"sato wrote entry \d+ \(approval\).*nothing was written: look again"
    ):
        desk("retire", "suzuki", reason="no", seen=seen)


def test_a_hold_needs_an_exception_with_reason_approver_and_end(desk, clock):
    desk("request", "mori", **ASKED)
    desk.verdict("hold")
    desk("decide", "tanaka")
    desk("approve", "sato", of="pilot")
    with pytest.raises(RuleError, match=r"needs an admit.*sekisho except"):
        desk("pilot", "tanaka", **PILOT)
    with pytest.raises(RuleError, match="ends in the future"):
        desk("except", "tanaka", reason="r", approver="sato", expires="2026-01-01")
    desk("except", "tanaka", reason="r", approver="sato", expires="2026-12-01")
    clock.later(days=20)
    with pytest.raises(RuleError, match="needs an admit"):
        desk("pilot", "tanaka", **PILOT)


def test_after_a_retest_the_old_verdict_does_not_count(desk):
    desk.to("production")
    desk("retest", "tanaka", because="period")
    with pytest.raises(RuleError, match="no decision on these files is in the ledger since the test began"):
        desk("decide", "tanaka")


def test_a_pilot_has_scope_days_criteria_and_an_end(desk, ledger):
    desk.to("pilot")
    (change,) = [e for e in ledger.about(MODEL) if '"to":"pilot"' in e.body]
    body = json.loads(change.body)
    assert body["until"] == "2026-12-22T12:00:00Z"
    assert body["scope"] == {"users": "5", "days": 30, "data_class": "internal"}
    assert body["exit"] == ["no adverts"]


def test_only_a_model_in_use_is_deployed(desk):
    desk("request", "mori", OTHER, **ASKED)
    with pytest.raises(RuleError, match="only a pilot or a production model"):
        desk("deploy", "tanaka", OTHER, place="server 9")


def test_a_step_is_written_whole_or_not_at_all(desk, ledger):
    desk.to("pilot")
    desk("approve", "sato", of="production")
    before = ledger.tip()
    with pytest.raises(RuleError):
        desk("produce", "tanaka", place="server", met="all", retest_days=4_000)
    assert ledger.tip() == before
