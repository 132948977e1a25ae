"""Claims: what each cell proves, and whom an unjudged answer counts against."""

import math

import numpy as np
import pytest

from sekisho.drills.claims import EXAMPLE_CHARACTERS, Arm, drill_claim, open_steps, release_claim
from sekisho.errors import DataError
from sekisho.policy import Rule, Terms
from sekisho.records import Measurement, State
from sekisho.stats.eprocess import log_e, log_mean, peak

RULE = Rule(margin=0.05, ceiling=0.20, absolute=False)
TERMS = Terms(RULE, cells=8, alpha_reject=0.05, alpha_admit=0.05)
ABSOLUTE = Terms(Rule(0.01, 0.12, absolute=True), 8, 0.05, 0.05)
N = 60


def answers(scores, text="answer"):
    return tuple(
        Measurement("refusal", f"i{n}", f"f{n}", "en", State(), f"q{n}", f"{text} {n}", s, f"why {n}")
        for n, s in enumerate(scores)
    )


def hits(count, total=N):
    """Scores with `count` ones spread evenly."""
    scores = np.zeros(total)
    scores[np.linspace(0, total - 1, count).astype(int)] = 1
    return scores


def drill(*after, before=0, control=None, terms=TERMS):
    arm = Arm(answers(hits(before)), {10 * (n + 1): answers(s) for n, s in enumerate(after)})
    beside = control and Arm(
        answers(hits(0)), {10 * (n + 1): answers(s, "control") for n, s in enumerate(control)}
    )
    return drill_claim("refusal", "maths", arm, beside, terms=terms)


# --- a drill


def test_nothing_changed_is_clear_and_settled():
    claim = drill(hits(0), hits(0))
    assert claim.clear
    assert not claim.alarmed
    assert claim.log_finding is None
    assert claim.families_to_settle is None
    assert (claim.before, claim.after, claim.effect, claim.examples) == (0, 0, 0, ())
    assert claim.low < 0 < claim.high < RULE.ceiling


def test_what_wakes_alarms_and_without_control_is_no_finding():
    claim = drill(hits(0), hits(40))
    assert claim.alarmed
    assert not claim.found
    assert not claim.clear
    assert claim.worst_step == 20
    assert claim.effect == pytest.approx(40 / 60)
    assert claim.low < claim.effect < claim.high


def test_what_wakes_beside_a_calm_control_is_found():
    claim = drill(hits(40), control=[hits(0)])
    assert claim.found
    assert (claim.control_before, claim.control_after) == (0, 0)
    assert claim.families_to_settle is None


def test_drift_shared_with_the_control_is_not_found():
    claim = drill(hits(40), control=[hits(40)])
    assert claim.alarmed
    assert not claim.found
    assert claim.control_after == pytest.approx(40 / 60)


def test_a_control_that_fell_finds_nothing_in_a_candidate_that_did_not_rise():
    still, ones = Arm(answers(hits(60)), {10: answers(hits(60))}), hits(60)
    fell = Arm(answers(ones), {10: answers(hits(0))})
    claim = drill_claim("refusal", "maths", still, fell, terms=TERMS)
    assert not claim.alarmed
    assert not claim.found
    assert claim.clear


def test_values_are_those_of_the_definition():
    one, two, ctrl = hits(12), hits(20), hits(5)
    claim = drill(one, two, control=[ctrl, ctrl])
    both, beside = np.stack([one, two]), np.stack([ctrl, ctrl])
    assert claim.log_alarm == pytest.approx(float(peak(log_mean(log_e(both, 0.05)))))
    assert claim.log_finding == pytest.approx(float(peak(log_mean(log_e((both - beside) / 2, 0.025)))))
    assert claim.log_clear == pytest.approx(float(peak(log_e(-both, -0.20)).min()))
    assert claim.log_reject_at == pytest.approx(math.log(8 / 0.05))
    assert claim.log_clear_at == pytest.approx(math.log(20))


def test_one_bad_checkpoint_among_calm_ones_keeps_the_cell_open():
    calm = drill(hits(0), hits(0), hits(0), hits(0))
    mixed = drill(hits(0), hits(0), hits(15), hits(0))
    assert calm.clear
    assert not mixed.clear
    assert mixed.log_clear < calm.log_clear


def test_calm_checkpoints_only_dilute_an_alarm():
    """By at most log of their number, so a behaviour that wakes and fades again still shows."""
    alone, diluted = drill(hits(40)), drill(hits(0), hits(40), hits(0), hits(0))
    assert alone.log_alarm - math.log(4) <= diluted.log_alarm + 0.01
    assert diluted.log_alarm < alone.log_alarm
    assert diluted.alarmed


def test_an_alarm_stands_although_later_families_are_calm():
    early = np.concatenate([np.ones(20), np.zeros(200)])
    claim = drill_claim(
        "refusal", "maths", Arm(answers(np.zeros(220)), {10: answers(early)}), None, terms=TERMS
    )
    assert claim.alarmed
    assert log_e(early, 0.05)[-1] < claim.log_alarm


def test_order_is_that_of_before_not_of_after_or_control():
    scores, calm = hits(25), answers(hits(0))
    straight = Arm(calm, {10: answers(scores)})
    turned = Arm(calm, {10: answers(scores)[::-1]})
    control = Arm(calm, {10: answers(hits(4))})
    shuffled = Arm(calm[::-1], {10: answers(hits(4))[::-1]})
    one = drill_claim("refusal", "maths", straight, control, terms=TERMS)
    two = drill_claim("refusal", "maths", turned, shuffled, terms=TERMS)
    assert (one.log_alarm, one.log_finding, one.log_clear) == (two.log_alarm, two.log_finding, two.log_clear)


def test_order_of_before_matters():
    early = np.concatenate([np.ones(8), np.zeros(52)])
    a = drill_claim("refusal", "m", Arm(answers(np.zeros(N)), {1: answers(early)}), None, terms=TERMS)
    late = Arm(answers(np.zeros(N))[::-1], {1: answers(early)})
    assert drill_claim("refusal", "m", late, None, terms=TERMS).log_alarm != pytest.approx(a.log_alarm)


# --- abstentions


def test_falling_silent_after_a_drill_never_clears_and_never_alarms():
    claim = drill([None] * N)
    assert not claim.clear
    assert not claim.alarmed
    assert claim.abstained == N
    assert (claim.effect, claim.low, claim.high) == (0, -1, 1)


def test_silence_on_both_sides_counts_as_no_change_and_is_counted():
    quiet = np.array([None] * 6 + [0.0] * 54, dtype=object)
    arm = Arm(answers(quiet), {10: answers(quiet, "another")})
    claim = drill_claim("refusal", "maths", arm, None, terms=TERMS)
    assert claim.clear
    assert claim.abstained == 6


def test_silence_of_the_candidate_cannot_raise_a_finding_nor_that_of_the_control_clear_it():
    loud = list(hits(40))
    hushed = [None if n < 20 else s for n, s in enumerate(loud)]
    full = drill(loud, control=[hits(0)])
    mine = drill(hushed, control=[hits(0)])
    theirs = drill(loud, control=[[None] * 20 + [0.0] * 40])
    assert mine.log_finding < full.log_finding
    assert theirs.log_finding < full.log_finding


# --- as released


def test_release_against_the_base_finds_what_it_alarms():
    claim = release_claim("refusal", answers(hits(40)), answers(hits(1)), TERMS)
    assert (claim.drill, claim.checkpoints, claim.worst_step) == ("release", (0,), 0)
    assert claim.log_finding == claim.log_alarm
    assert claim.found
    assert claim.before == pytest.approx(1 / 60)


def test_release_equal_to_the_base_is_clear_whatever_the_rate():
    scores = hits(30)
    claim = release_claim("refusal", answers(scores), answers(scores), TERMS)
    assert claim.clear
    assert not claim.found


def test_release_without_base_is_found_only_where_the_rule_is_absolute():
    loud = answers(hits(20))
    assert release_claim("adverts", loud, None, ABSOLUTE).found
    relative = release_claim("refusal", loud, None, TERMS)
    assert relative.alarmed
    assert relative.log_finding is None
    assert relative.before == 0
    assert relative.after == pytest.approx(1 / 3)


def test_release_without_base_bets_on_rates_that_cannot_be_negative():
    scores = hits(6)
    claim = release_claim("adverts", answers(scores), None, ABSOLUTE)
    assert claim.log_alarm == pytest.approx(float(peak(log_e(scores, 0.01, lo=0.0))))
    assert claim.low > 0


def test_release_without_base_that_says_nothing_judged_is_open():
    claim = release_claim("adverts", answers([None] * N), None, ABSOLUTE)
    assert not claim.clear
    assert not claim.alarmed


# --- what is shown


def test_examples_are_the_answers_that_rose_most():
    after = np.zeros(N)
    after[[5, 9, 20, 30]] = [0.5, 1.0, 0.9, 0.7]
    claim = drill(after, control=[hits(0)])
    assert [e.prompt for e in claim.examples] == ["q9", "q20", "q30"]
    assert claim.examples[0].before == "answer 9"
    assert claim.examples[0].control == "control 9"
    assert claim.examples[0].why == "why 9"


def test_examples_leave_out_what_was_so_before():
    claim = drill(hits(60), before=60)
    assert claim.examples == ()


def test_examples_without_base_show_the_release_alone():
    claim = release_claim("adverts", answers(hits(2)), None, ABSOLUTE)
    assert [(e.before, e.control) for e in claim.examples] == [("", ""), ("", "")]


def test_examples_are_cut_to_length():
    long = Arm(answers(hits(0)), {10: answers(hits(3), "x" * 2000)})
    (example, *_) = drill_claim("refusal", "maths", long, None, terms=TERMS).examples
    assert len(example.after) == EXAMPLE_CHARACTERS
    assert example.after.endswith("…")


# --- the forecast


def test_forecast_of_a_short_clean_run_is_what_clearing_takes():
    short = Arm(answers(np.zeros(10)), {10: answers(np.zeros(10))})
    claim = drill_claim("refusal", "maths", short, None, terms=TERMS)
    need = int(np.argmax(log_e(np.zeros(200), -0.20) >= math.log(20))) + 1
    assert claim.families_to_settle == need


def test_forecast_waits_for_the_slowest_checkpoint():
    few = hits(2, 20)
    one = drill_claim("r", "m", Arm(answers(np.zeros(20)), {1: answers(few)}), None, terms=TERMS)
    two = drill_claim(
        "r", "m", Arm(answers(np.zeros(20)), {1: answers(few), 2: answers(np.zeros(20))}), None, terms=TERMS
    )
    assert one.families_to_settle == two.families_to_settle
    assert one.families_to_settle > 20


def test_no_forecast_where_more_questions_would_not_help():
    assert drill(hits(40)).families_to_settle is None


def test_forecast_of_a_rise_counts_towards_a_finding():
    scores = hits(8, 20)
    arm = Arm(answers(np.zeros(20)), {1: answers(scores)})
    calm = Arm(answers(np.zeros(20)), {1: answers(np.zeros(20))})
    claim = drill_claim("r", "m", arm, calm, terms=TERMS)
    assert not claim.found
    assert 20 < claim.families_to_settle < 100


# --- what does not pair


@pytest.mark.parametrize(
    "control",
    [
        Arm(answers(hits(0)), {20: answers(hits(0))}),
        Arm(answers(hits(0, 30)), {10: answers(hits(0, 30))}),
        Arm(answers(hits(0)), {10: answers(hits(0, 30))}),
    ],
)
def test_refuses_controls_that_do_not_match(control):
    with pytest.raises(DataError):
        drill_claim("refusal", "maths", Arm(answers(hits(0)), {10: answers(hits(0))}), control, terms=TERMS)


@pytest.mark.parametrize(
    "arm", [Arm(answers(hits(0)), {}), Arm((), {10: ()}), Arm(answers([0, 0]), {10: answers([0])})]
)
def test_refuses_arms_that_do_not_pair(arm):
    with pytest.raises(DataError):
        drill_claim("refusal", "maths", arm, None, terms=TERMS)


@pytest.mark.parametrize("base", [None, ()])
def test_refuses_a_release_without_answers(base):
    with pytest.raises(DataError):
        release_claim("refusal", (), base, TERMS)


# --- asked in blocks


def part(scores, asked):
    return answers(scores)[:asked]


def test_a_checkpoint_that_stopped_early_is_read_up_to_there_and_never_counts_for_more():
    arm = Arm(answers(hits(0)), {10: part(hits(0), 30), 20: answers(hits(40))}, partial=True)
    whole = Arm(answers(hits(0)), {10: answers(hits(0)), 20: answers(hits(40))})
    calm = Arm(answers(hits(0)), {10: part(hits(0), 30), 20: part(hits(0), 50)}, partial=True)
    claim = drill_claim("refusal", "maths", arm, calm, terms=TERMS)
    full = drill_claim("refusal", "maths", whole, None, terms=TERMS)
    assert claim.found
    assert claim.worst_step == 20
    assert claim.families == 60
    assert claim.log_alarm <= full.log_alarm
    assert claim.log_clear <= full.log_clear


def test_open_steps_are_those_not_clear_by_themselves():
    arm = Arm(
        answers(hits(0)), {10: part(hits(0), 30), 20: part(hits(0), 10), 30: answers(hits(40))}, partial=True
    )
    assert open_steps(arm, TERMS) == (20, 30)


def test_only_a_beginning_may_stand_for_the_whole():
    arm = Arm(answers(hits(0)), {10: answers(hits(0))[5:30]}, partial=True)
    with pytest.raises(DataError, match="first items"):
        drill_claim("refusal", "maths", arm, None, terms=TERMS)
