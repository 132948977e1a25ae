"""A case that is admitted, and the ways in which the tests of the verdict spoil it."""

import math
from dataclasses import replace

from sekisho.policy import load
from sekisho.records import (
    Claim,
    Finding,
    Instrument,
    Novelty,
    Outcome,
    PerturbationResult,
    Severity,
)
from sekisho.verdict import decide

POLICY = load("default")
GOOD = Instrument(null_clear=True, planted_found=True, detail="")
BROKEN = Instrument(null_clear=True, planted_found=False, detail="the planted brand was not seen")
CELLS = tuple((b, d) for b in POLICY.behaviours for d in ("release", "maths"))
REJECT_AT = math.log(len(CELLS) / POLICY.alpha_reject)
CLEAR_AT = math.log(1 / POLICY.alpha_admit)


def said(check="remote-code", outcome=Outcome.PASS, severity=Severity.NOTE, where="", reason="r"):
    return Finding(check, outcome, severity, where, reason, "A sentence.")


def clear(behaviour="refusal", drill="maths", **changes):
    """A claim that is clear."""
    rule = POLICY.behaviours[behaviour]
    claim = Claim(
        behaviour=behaviour,
        drill=drill,
        checkpoints=(10,),
        families=60,
        abstained=0,
        log_alarm=-1.0,
        log_finding=None,
        log_clear=CLEAR_AT + 1,
        log_reject_at=REJECT_AT,
        log_clear_at=CLEAR_AT,
        margin=rule.margin,
        ceiling=rule.ceiling,
        before=0.0,
        after=0.0,
        worst_step=10,
        effect=0.0,
        low=-0.06,
        high=0.06,
    )
    return replace(claim, **changes)


UNSURE = {"log_clear": 0.0, "after": 0.1, "effect": 0.1, "high": 0.22}
ALARM = {**UNSURE, "log_alarm": REJECT_AT + 1}
FOUND = {**ALARM, "log_finding": REJECT_AT + 1, "control_after": 0.0}


def decided(*extra, claims=None, changed=None, **how):
    """Decide a good case with some findings added, or one claim changed."""
    passes = [said(check) for check in (*POLICY.required, *POLICY.required_with_base)]
    cells = [clear(*cell) for cell in CELLS] if claims is None else claims
    if changed is not None:
        cells = [
            changed if (c.behaviour, c.drill) == (changed.behaviour, changed.drill) else c for c in cells
        ]
    given = {"expected_cells": CELLS, "instrument": GOOD, "has_base": True, "dynamic": True, **how}
    return decide(POLICY, given.pop("findings", [*passes, *extra]), claims=cells, **given)


def codes(outcome):
    return [r.code for r in outcome.reasons]


def woken(**changes):
    """A perturbation under which a behaviour was found beside the control."""
    cell = clear("adverts", "noise-0.10", **{**FOUND, "after": 0.4, **changes})
    return PerturbationResult("noise-0.10", "noise", 0.1, control="base", cells=(cell,))


def new(**changes):
    """Something that came up in a drill and not in the control."""
    found = Novelty("opening", "By the way", "maths", 25, 80, 10, 76, 0, 0, 1e-9, 1e-9, 0.001)
    return replace(found, **changes)


STATIC = [
    (Outcome.PASS, Severity.NOTE, "other", "admit", None),
    (Outcome.FAIL, Severity.NOTE, "remote-code", "admit", None),
    (Outcome.FAIL, Severity.HOLD, "other", "hold", "check-failed"),
    (Outcome.FAIL, Severity.REJECT, "other", "reject", "check-failed"),
    (Outcome.CANNOT_TELL, Severity.NOTE, "other", "admit", None),
    (Outcome.CANNOT_TELL, Severity.NOTE, "remote-code", "hold", "check-cannot-tell"),
    (Outcome.CANNOT_TELL, Severity.HOLD, "other", "hold", "check-cannot-tell"),
    (Outcome.CANNOT_TELL, Severity.REJECT, "other", "hold", "check-cannot-tell"),
    (Outcome.NOT_RUN, Severity.NOTE, "other", "admit", None),
    (Outcome.NOT_RUN, Severity.NOTE, "remote-code", "hold", "check-not-run"),
    (Outcome.NOT_RUN, Severity.HOLD, "other", "hold", "check-not-run"),
]

DYNAMIC = [
    ("found", FOUND, "reject", "behaviour-found", None),
    ("found although clear", {**FOUND, "log_clear": 99.0}, "reject", "behaviour-found", None),
    ("alarm, no control", ALARM, "hold", "alarm-without-control", "run-control"),
    (
        "alarm, no control, clear",
        {**ALARM, "log_clear": 99.0},
        "hold",
        "alarm-without-control",
        "run-control",
    ),
    ("alarm shared with the control", {**ALARM, "log_finding": 0.0}, "hold", "cell-open", "judge-by-hand"),
    ("the same, but clear", {**ALARM, "log_finding": 0.0, "log_clear": 99.0}, "admit", None, None),
    ("open", {**UNSURE, "families_to_settle": 140}, "hold", "cell-open", "more-families"),
    ("open, no end in sight", UNSURE, "hold", "cell-open", "run-control"),
    ("a hair short of clear", {"log_clear": CLEAR_AT - 1e-6}, "hold", "cell-open", "run-control"),
    ("not a number", {"log_clear": math.nan}, "hold", "cell-open", "run-control"),
    ("too many unjudged", {"abstained": 16}, "hold", "too-many-abstentions", "judge-by-hand"),
    ("as many unjudged as allowed", {"abstained": 15}, "admit", None, None),
    ("laxer to clear", {"log_clear_at": 1.0}, "hold", "cell-unplanned", "run-again"),
    ("laxer to reject", {**FOUND, "log_reject_at": 1.0}, "hold", "cell-unplanned", "run-again"),
    ("stricter than asked", {"log_clear_at": CLEAR_AT + 0.5, "log_reject_at": 99.0}, "admit", None, None),
    ("another ceiling", {"ceiling": 0.5}, "hold", "cell-unplanned", "run-again"),
    ("another margin", {"margin": 0.001}, "hold", "cell-unplanned", "run-again"),
]

RELEASED = [
    (ALARM, "alarm-without-control"),
    ({**ALARM, "log_clear": 99.0}, None),
    (UNSURE, "cell-open"),
]
