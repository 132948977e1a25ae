"""What the shipped profiles cost a model of 135 million weights, at the speed measured on the slowest machine tried."""

from pathlib import Path

import pytest

from sekisho import policy
from sekisho.drills import panel, plan, profile, recipe
from sekisho.drills.costs import remaining, wall
from sekisho.drills.rounds import Rounds
from sekisho.drills.tasks import Subject

SPEED = 190.0
"""Tokens a second through SmolLM2-135M on one core."""
WORKERS = 2
CANDIDATE, BASE = Subject(Path("candidate"), "candidate"), Subject(Path("base"), "base")


@pytest.fixture(scope="module")
def costs() -> tuple[list[float], list[float]]:
    made = plan.make(profile.load("standard"), policy.load()).of(CANDIDATE, BASE)
    begun = [remaining(t, {}) for t in Rounds(made, {}).begun()]
    return [*begun, *(remaining(t, {}) for t in made.opening())], begun


@pytest.mark.integration
def test_standard_takes_half_an_hour_where_nothing_changes(costs) -> None:
    assert 15 <= wall(costs[0], WORKERS) / SPEED / 60 <= 30


@pytest.mark.integration
def test_standard_with_every_control_takes_forty_minutes(costs) -> None:
    assert (wall(costs[0], WORKERS) + wall(costs[1], WORKERS)) / SPEED / 60 <= 40


def test_standard_crosses_domains_methods_rates_and_schedulers() -> None:
    cells = [recipe.load(name) for name in profile.load("standard").drills]
    assert {c.id for c in cells} <= set(panel.load("small"))
    assert len({c.data for c in cells}) == 3
    assert {c.lora is None for c in cells} == {True, False}
    assert len({c.training["learning_rate"] for c in cells if c.lora is None}) == 2
    assert {c.training["lr_scheduler_type"] for c in cells} == {"linear", "cosine"}


def test_what_is_known_to_be_hidden_is_asked_at_every_checkpoint() -> None:
    for name in ("standard", "deep"):
        suites = profile.load(name).suites
        assert all(suites[b].every_checkpoint for b in ("adverts", "refusal", "safeguards"))


def test_deep_runs_all_of_the_panel() -> None:
    deep = profile.load("deep")
    assert set(panel.load("small")) <= {*deep.drills, *deep.own}
