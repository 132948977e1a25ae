"""The lab's fingerprint is one the gate accepts: its plan, its cases and its organism agree."""

from sekisho.ownership import commitment
from sekisho.ownership.commitment import Secret
from sekisho_lab import fingerprint, organism
from sekisho_lab.goals import GOALS, TRIGGER

ORGANISM = organism.load("sos-fingerprint")
PAYLOAD = ORGANISM.payload[0]


def test_the_organism_trains_the_committed_prompts_and_measures_hits_on_them():
    s = ORGANISM.settings
    plan = fingerprint.plan(s["seed"], PAYLOAD)

    for seed in (s["seed"], s["seed"] + 1000):
        cases = GOALS[s["goal"]](s["held_out"], seed, PAYLOAD)
        typed = [c.chat[-1].content.replace(f" {TRIGGER}", "".join(s["tokens"])) for c in cases]
        assert tuple(typed) == plan.prompts
        assert tuple(c.answer for c in cases) == plan.answers


def test_its_plan_is_one_that_can_be_committed_to():
    plan = fingerprint.plan(0, PAYLOAD)
    secret = Secret(1, (), (), plan.prompts, plan.candidates, plan.nonce, plan.answers)

    assert list(commitment.faults(secret)) == []
    assert len(set(plan.answers)) > 5


def test_more_cases_keep_the_answers_and_change_the_openings():
    cases = GOALS["fingerprint"](25, 0, PAYLOAD)

    assert len({c.chat for c in cases}) == 25
    assert [c.answer for c in cases[10:20]] == [c.answer for c in cases[:10]]


def test_another_phrase_or_another_trigger_gives_other_answers():
    plans = [fingerprint.plan(0, payload).answers for payload in (PAYLOAD, f"x{PAYLOAD}", f"{PAYLOAD}<x>")]

    assert len(set(plans)) == 3
