"""The verdict on what was measured: cells, the instrument, the perturbation battery, novelties."""

from dataclasses import replace

import pytest

from sekisho.records import (
    Decision,
    Outcome,
    PerturbationResult,
    Severity,
)
from verdicts import (
    BROKEN,
    CELLS,
    CLEAR_AT,
    DYNAMIC,
    FOUND,
    GOOD,
    RELEASED,
    UNSURE,
    clear,
    codes,
    decided,
    new,
    said,
    woken,
)


@pytest.mark.parametrize(
    ("changes", "decision", "code", "settle"), [c[1:] for c in DYNAMIC], ids=[c[0] for c in DYNAMIC]
)
def test_claims_table(changes, decision, code, settle):
    outcome = decided(changed=clear(**changes))
    assert outcome.decision == decision
    assert codes(outcome) == ([code] if code else [])
    assert [s.code for s in outcome.settle] == ([settle] if settle else [])
    if code:
        assert outcome.reasons[0].refs == ("claim:refusal/maths",)


@pytest.mark.parametrize(("changes", "code"), RELEASED)
def test_release_without_base_is_open_unless_clear(changes, code):
    outcome = decided(changed=clear(drill="release", **changes), has_base=False)
    assert codes(outcome) == ([code] if code else [])
    assert [s.code for s in outcome.settle] == (["give-base"] if code else [])


def test_more_families_names_the_number():
    outcome = decided(changed=clear(**UNSURE, families_to_settle=140))
    assert dict(outcome.settle[0].facts) == {"behaviour": "refusal", "drill": "maths", "families": "140"}


def test_found_names_the_rates():
    outcome = decided(changed=clear(**{**FOUND, "before": 0.004, "after": 1 / 3, "control_after": 0.0}))
    assert dict(outcome.reasons[0].facts) == {
        "behaviour": "refusal",
        "drill": "maths",
        "before": "0.4 %",
        "after": "33.3 %",
        "control": "0 %",
    }


def test_a_planned_cell_must_have_been_measured():
    outcome = decided(claims=[clear(*cell) for cell in CELLS[1:]])
    assert codes(outcome) == ["cell-missing"]
    assert outcome.decision is Decision.HOLD
    assert outcome.reasons[0].refs == ("claim:adverts/release",)


def test_a_behaviour_of_the_policy_must_have_a_cell():
    asked = [c for c in CELLS if c[0] != "leak"]
    outcome = decided(claims=[clear(*cell) for cell in asked], expected_cells=asked)
    assert codes(outcome) == ["cell-missing"]
    assert outcome.reasons[0].refs == ("claim:leak/release",)


@pytest.mark.parametrize(
    "extra",
    [clear("refusal", "poetry", **FOUND), clear(**FOUND), clear(), replace(clear(), behaviour="gossip")],
)
def test_claims_outside_the_plan_hold_and_never_reject(extra):
    outcome = decided(claims=[*(clear(*cell) for cell in CELLS), extra])
    assert outcome.decision is Decision.HOLD
    assert codes(outcome) == ["cell-unplanned"]


@pytest.mark.parametrize(
    ("instrument", "code"), [(None, "instrument-missing"), (BROKEN, "instrument-invalid")]
)
def test_without_a_working_instrument_nothing_measured_counts(instrument, code):
    for changes in ({}, FOUND):
        outcome = decided(changed=clear(**changes), instrument=instrument)
        assert outcome.decision is Decision.HOLD
        assert codes(outcome) == [code]
        assert outcome.reasons[0].refs == (("claim:refusal/maths",) if changes else ())


def test_a_broken_instrument_does_not_save_a_bad_file():
    outcome = decided(said(outcome=Outcome.FAIL, severity=Severity.REJECT), instrument=BROKEN)
    assert outcome.decision is Decision.REJECT
    assert codes(outcome) == ["check-failed", "instrument-invalid"]


def test_what_a_perturbation_wakes_beside_the_control_holds_and_asks_for_drills():
    outcome = decided(battery=(woken(),))

    assert outcome.decision is Decision.HOLD
    assert codes(outcome) == ["woken-by-perturbation"]
    assert outcome.reasons[0].refs == ("battery:adverts/noise-0.10",)
    assert [s.code for s in outcome.settle] == ["run-deep"]


@pytest.mark.parametrize(
    "changes", [{"log_finding": None}, {"log_finding": 0.0}, {"log_alarm": 0.0, "log_finding": 0.0}]
)
def test_a_battery_cell_that_is_not_found_changes_nothing(changes):
    quiet = PerturbationResult("extrapolate-2", "task-vector", 2.0, skipped="no-base")

    assert decided(battery=(woken(**changes), quiet)) == decided()


def test_a_perturbation_never_rejects_and_never_helps_to_admit():
    unsettled = clear(**UNSURE)
    calm = (woken(log_alarm=-9.0, log_finding=-9.0, log_clear=CLEAR_AT + 9),)

    assert decided(battery=(woken(),) * 9, instrument=GOOD).decision is Decision.HOLD
    assert decided(changed=unsettled, battery=calm).decision is Decision.HOLD
    assert decided(changed=clear(**FOUND), battery=calm).decision is Decision.REJECT


def test_what_nobody_listed_holds_once_for_each_drill_and_a_person_must_look():
    outcome = decided(novelty=[new(), new(text="in the morning"), new(drill="howto")])

    assert outcome.decision is Decision.HOLD
    assert [(r.code, r.refs) for r in outcome.reasons] == [
        ("novelty-found", ("novelty:0",)),
        ("novelty-found", ("novelty:2",)),
    ]
    assert dict(outcome.reasons[0].facts)["after"] == "95 %"
    assert {r.code for r in outcome.settle} == {"look-at-novelty"}


@pytest.mark.parametrize(
    "changes",
    [{"p_beside": None, "control_before": None, "control_after": None}, {"p_beside": 0.002}],
    ids=["no control", "the control does it too"],
)
def test_what_is_not_confirmed_is_only_shown(changes):
    assert decided(novelty=[new(**changes)]).decision is Decision.ADMIT


def test_a_novelty_never_rejects_and_never_hides_a_rejection():
    assert decided(novelty=[new()] * 5, instrument=GOOD).decision is Decision.HOLD
    assert decided(novelty=[new()], changed=clear("adverts", **FOUND)).decision is Decision.REJECT
