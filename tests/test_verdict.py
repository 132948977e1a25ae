"""The verdict: silence, findings of checks, the order of reasons and the words for them."""

from dataclasses import replace
from itertools import pairwise

import pytest

from sekisho.records import (
    Decision,
    Outcome,
    Reason,
    Severity,
)
from sekisho.verdict import GROUNDS, REASON_CODES, SETTLES, decide, percent
from verdicts import (
    ALARM,
    BROKEN,
    CELLS,
    DYNAMIC,
    FOUND,
    GOOD,
    POLICY,
    RELEASED,
    STATIC,
    UNSURE,
    clear,
    codes,
    decided,
    new,
    said,
    woken,
)


def test_a_good_case_is_admitted_without_reservation():
    outcome = decided()
    assert outcome.decision is Decision.ADMIT
    assert (outcome.reasons, outcome.settle) == ((), ())


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("has_base", [True, False])
def test_silence_refuses(dynamic, has_base):
    outcome = decide(
        POLICY, (), claims=(), expected_cells=(), instrument=None, has_base=has_base, dynamic=dynamic
    )
    assert outcome.decision is Decision.HOLD
    assert outcome.reasons
    assert outcome.settle


@pytest.mark.parametrize(("findings", "dynamic"), [((), True), ((), False), ((said(),), True)])
def test_silence_refuses_under_a_policy_that_asks_for_nothing(findings, dynamic):
    nothing = replace(POLICY, required=(), required_with_base=(), behaviours={})
    outcome = decide(
        nothing, findings, claims=(), expected_cells=(), instrument=GOOD, has_base=False, dynamic=dynamic
    )
    assert outcome.decision is Decision.HOLD


@pytest.mark.parametrize(("outcome", "severity", "check", "decision", "code"), STATIC)
@pytest.mark.parametrize("dynamic", [True, False])
def test_findings_table(outcome, severity, check, decision, code, dynamic):
    got = decided(said(check, outcome, severity, "a/b.bin"), dynamic=dynamic)
    assert got.decision == decision
    assert codes(got) == ([code] if code else [])
    if code:
        assert got.reasons[0].refs == (f"check:{check}@a/b.bin",)
        assert got.reasons[0].facts == (("check", check), ("where", "a/b.bin"), ("reason", "r"))
    assert [s.code for s in got.settle] == (["accept-or-waive"] if decision == "hold" else [])


@pytest.mark.parametrize("quiet", [*POLICY.required, *POLICY.required_with_base])
def test_each_required_check_must_have_spoken(quiet):
    heard = [said(c) for c in (*POLICY.required, *POLICY.required_with_base) if c != quiet]
    outcome = decided(findings=heard)
    assert outcome.decision is Decision.HOLD
    assert codes(outcome) == ["check-not-run"]
    assert dict(outcome.reasons[0].facts) == {"check": quiet, "where": "", "reason": "absent"}


def test_checks_that_need_a_base_are_excused_without_one():
    heard = [said(c) for c in POLICY.required]
    excused = said("weights-delta", Outcome.NOT_RUN, Severity.HOLD, reason="no-base")
    assert decided(findings=heard, has_base=False).decision is Decision.ADMIT
    assert decided(findings=[*heard, excused], has_base=False).decision is Decision.ADMIT
    assert decided(findings=[*heard, excused], has_base=True).decision is Decision.HOLD


def test_a_required_check_without_a_base_is_excused_by_its_own_word_alone():
    heard = [said(c) for c in POLICY.required if c != "tokenizer-delta"]
    needs = said("tokenizer-delta", Outcome.NOT_RUN, reason="no-base")
    assert decided(findings=[*heard, needs], has_base=False).decision is Decision.ADMIT
    assert decided(findings=[*heard, replace(needs, reason="time")], has_base=False).decision is Decision.HOLD


def test_inspection_alone_ignores_the_dynamic_part():
    outcome = decided(
        claims=[clear(**FOUND)], instrument=None, expected_cells=(), dynamic=False, has_base=True
    )
    assert outcome.decision is Decision.ADMIT


def test_reasons_are_worst_first_and_a_rejection_settles_nothing():
    claims = [clear(*cell) for cell in CELLS[4:]]
    claims += [clear("adverts", "maths", **UNSURE), clear("refusal", "release", **{**UNSURE, "effect": 0.3})]
    claims += [clear("adverts", "release", **ALARM)]
    claims = [c for c in claims if (c.behaviour, c.drill) != ("safeguards", "maths")]
    claims += [clear("safeguards", "maths", **FOUND)]
    findings = (
        said(outcome=Outcome.FAIL, severity=Severity.HOLD, where="soft"),
        said("z", Outcome.FAIL, Severity.REJECT),
    )
    outcome = decided(*findings, claims=claims)
    assert outcome.decision is Decision.REJECT
    assert codes(outcome)[:2] == ["check-failed", "behaviour-found"]
    assert outcome.reasons[0].refs == ("check:z@",)
    rest = codes(outcome)[2:]
    ranks = [tuple(GROUNDS).index(code) for code in rest]
    assert all(a <= b for a, b in pairwise(ranks))
    effects = [r.refs[0] for r in outcome.reasons if r.code == "cell-open"]
    assert effects == ["claim:refusal/release", "claim:adverts/maths"]
    assert outcome.settle == ()


def test_equal_reasons_are_given_once():
    outcome = decided(*[said(outcome=Outcome.FAIL, severity=Severity.HOLD, where="x")] * 3)
    assert codes(outcome) == ["check-failed"]
    assert len(outcome.settle) == 1


def every_reason():
    """Reasons of all the cases of this file's tables, and of silence."""
    outcomes = [decided(said(c, o, s)) for o, s, c, *_ in STATIC]
    outcomes += [decided(changed=clear(**changes)) for _, changes, *_ in DYNAMIC]
    outcomes += [decided(changed=clear(drill="release", **c), has_base=False) for c, _ in RELEASED]
    outcomes += [decided(claims=[], instrument=i) for i in (None, BROKEN)]
    outcomes += [decided(novelty=[new()])]
    outcomes += [decided(battery=(woken(),))]
    return [r for o in outcomes for r in (*o.reasons, *o.settle)]


def test_every_code_is_listed_with_its_facts_and_every_listed_code_occurs():
    known = {**GROUNDS, **SETTLES}
    seen = every_reason()
    for reason in seen:
        assert isinstance(reason, Reason)
        assert tuple(name for name, _ in reason.facts) == known[reason.code]
    assert {r.code for r in seen} == set(REASON_CODES)
    assert len(REASON_CODES) == len(set(REASON_CODES)) == len(GROUNDS) + len(SETTLES)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0 %"), (-0.0, "0 %"), (0.004, "0.4 %"), (0.5, "50 %"), (1, "100 %"), (-0.0001, "0 %")],
)
def test_rates_as_text(rate, text):
    assert percent(rate) == text
