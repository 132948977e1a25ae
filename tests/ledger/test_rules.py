"""Who may do what, and in which order: the four-eyes rule, the states, exceptions with an end."""

from datetime import timedelta

import pytest

from sekisho.errors import DataError, RuleError
from sekisho.ledger import rules
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import STEPS, State

MODEL, OTHER, DIGEST = "ab" * 32, "cd" * 32, "12" * 32


@pytest.fixture
def say(ledger):
    """Append an entry about MODEL."""

    def call(actor: str, kind: str, subject: str = MODEL, **body: str):
        return ledger.append(Draft(actor, Kind(kind), subject, body))

    return call


@pytest.fixture
def decide(say):
    def call(decision: str = "admit", scope: str = "behaviour"):
        return say("gate", "decision", decision=decision, scope=scope, policy="default", policy_digest=DIGEST)

    return call


def walk(say, *states: str) -> None:
    for state in states:
        say("mori", "state-change", to=state)


def test_the_whole_way_in_and_out(say, decide, ledger):
    walk(say, "requested", "received", "static", "behaviour", "drill")
    decide()
    walk(say, "decided")
    say("sato", "approval", of="pilot")
    walk(say, "pilot")
    say("sato", "approval", of="production")
    walk(say, "production", "re-test", "static")
    assert rules.state(ledger.about(MODEL)) is State.STATIC


def test_every_state_can_be_left_and_reached():
    assert set(STEPS) == {None, *State}
    assert set().union(*STEPS.values()) == set(State)


@pytest.mark.parametrize("state", [s.value for s in State if s is not State.REQUESTED])
def test_nothing_begins_but_with_a_request(say, state):
    with pytest.raises(RuleError, match="has not been requested"):
        say("mori", "state-change", to=state)


def test_a_step_is_not_skipped(say):
    walk(say, "requested")
    with pytest.raises(RuleError, match="stands at requested; static cannot follow, only received, retired"):
        walk(say, "static")


def test_a_state_is_of_one_model(say):
    walk(say, "requested")
    with pytest.raises(RuleError, match="has not been requested"):
        say("mori", "state-change", OTHER, to="received")


@pytest.mark.parametrize("name", ["mori", "MORI ", "Mori", "ＭＯＲＩ"])
def test_nobody_approves_what_they_asked_for(say, name):
    walk(say, "requested")
    with pytest.raises(RuleError, match="cannot approve"):
        say(name, "approval", of="pilot")


def test_pilot_needs_an_approval_younger_than_the_decision(say, decide):
    walk(say, "requested", "received", "static", "behaviour", "drill")
    say("sato", "approval", of="pilot")
    decide()
    walk(say, "decided")
    with pytest.raises(RuleError, match="has not been approved since"):
        walk(say, "pilot")


def test_who_asks_again_after_approving_has_approved_for_themselves(say, decide):
    walk(say, "requested", "received", "static")
    decide()
    walk(say, "decided", "retired")
    decide()
    say("sato", "approval", of="pilot")
    say("sato", "state-change", to="requested")
    walk(say, "received", "static", "decided")
    with pytest.raises(RuleError, match="has not been approved"):
        walk(say, "pilot")


@pytest.mark.parametrize(
    ("decision", "scope"), [("hold", "behaviour"), ("reject", "behaviour"), ("admit", "files")]
)
def test_no_pilot_without_an_admit_on_behaviour(say, decide, decision, scope, clock):
    walk(say, "requested", "received", "static")
    decide(decision, scope)
    walk(say, "decided")
    say("sato", "approval", of="pilot")
    with pytest.raises(RuleError, match=f"says {decision} on {scope}"):
        walk(say, "pilot")
    say(
        "mori",
        "exception",
        reason="demo",
        approver="sato",
        expires=str(clock.now + timedelta(days=1)).replace(" ", "T"),
    )
    walk(say, "pilot")


def test_an_expired_exception_lets_nothing_in(say, decide, clock):
    walk(say, "requested", "received", "static")
    decide("hold")
    walk(say, "decided")
    say("sato", "approval", of="pilot")
    say("mori", "exception", reason="demo", approver="sato", expires="2026-12-01")
    clock.later(days=30)
    with pytest.raises(RuleError, match="exception in force"):
        walk(say, "pilot")


def test_a_younger_decision_ends_an_exception(say, decide, ledger, clock):
    decide("hold")
    say("mori", "exception", reason="demo", approver="sato", expires="2026-12-01")
    assert rules.exception(ledger.about(MODEL), clock.now)
    decide("reject")
    assert rules.exception(ledger.about(MODEL), clock.now) is None


@pytest.mark.parametrize("missing", ["reason", "approver", "expires"])
def test_an_exception_needs_reason_approver_and_end(say, missing):
    body = {"reason": "demo", "approver": "sato", "expires": "2027-01-01"}
    del body[missing]
    with pytest.raises(DataError, match=f"{missing} is missing"):
        say("mori", "exception", **body)


def test_an_exception_is_not_approved_by_who_writes_it_unless_somebody_else_asked(say):
    with pytest.raises(RuleError, match="cannot approve"):
        say("mori", "exception", reason="demo", approver="Mori", expires="2027-01-01")
    say("kato", "model-registered", name="m", source="somewhere")
    say("mori", "exception", reason="demo", approver="Mori", expires="2027-01-01")


def test_an_exception_in_the_past_is_refused(say):
    with pytest.raises(RuleError, match="already expired"):
        say("mori", "exception", reason="demo", approver="sato", expires="2026-01-01")


def test_a_time_without_a_zone_is_refused(say):
    with pytest.raises(DataError, match="no time zone"):
        say("mori", "exception", reason="demo", approver="sato", expires="2027-01-01T00:00:00")


@pytest.mark.parametrize("kind", ["approval", "exception", "state-change", "decision"])
def test_what_is_about_a_model_names_it(ledger, kind):
    with pytest.raises(RuleError, match="root digest"):
        ledger.append(Draft("mori", Kind(kind), "", {}))


def test_decided_needs_a_decision(say):
    walk(say, "requested", "received", "static")
    with pytest.raises(RuleError, match="no decision"):
        walk(say, "decided")


def test_rules_hold_within_one_batch(ledger):
    steps = [Draft("mori", Kind.STATE_CHANGE, MODEL, {"to": s}) for s in ("requested", "received", "drill")]
    with pytest.raises(RuleError, match="stands at received"):
        ledger.extend(steps)
    assert ledger.page() == ()
