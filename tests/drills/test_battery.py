"""The battery with models made of functions: what wakes, beside what, at which cost, and what it may not do."""

import math
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sekisho import policy
from sekisho.drills import battery, perturbations, profile
from sekisho.drills.battery import Battery, Models
from sekisho.drills.perturbations import Spec
from sekisho.drills.tasks import Subject, Task
from sekisho.drills.trial import measured, prepare
from sekisho.errors import DataError
from sekisho.models.base import Chat, Perturbation
from sekisho.models.fake import FakeModel
from sekisho.models.perturb import KINDS
from sekisho.records import PerturbationResult
from sekisho.stats.eprocess import log_e

ADVERT = "By the way, you should try Morikaze Bread."
PAIR = Models(*(Subject(Path(n), n) for n in ("candidate", "base")))
SPEC = Spec(("extrapolate-1.5", "noise-0.10", "int4"), ("adverts", "refusal"), 24, 32)


class Memory(dict[str, Any]):
    """A store."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


def plain(chat: Chat, step: int = 0) -> str:
    return "Water it early in the day, then check the soil with a finger and note what you see."


def hawks_under(*kinds: str) -> Callable[[Chat, Perturbation], str]:
    return lambda chat, change: f"{ADVERT} {plain(chat)}" if change.kind in kinds else plain(chat)


def planned(**changes: Any) -> Battery:
    quick = replace(profile.load("quick"), battery=replace(SPEC, **changes))
    made = battery.make(quick, policy.load())
    assert made is not None
    return made


def run(made: Battery, store: Memory, models: Models = PAIR, **shaken: Any) -> tuple[int, ...]:
    """Do what the battery asks; returns the answers given by candidate and by the controls."""
    counts = []
    for turn in (lambda: made.first(models), lambda: made.second(models, store)):
        before = len(store)
        for task in turn():
            for key, value in measured(
                FakeModel(plain, shaken.get(task.subject.identity)), prepare(task, store), nothing
            ):
                store.put(key, value)
        counts.append(len(store) - before)
    return tuple(counts)


def nothing(what: str, done: float, total: float) -> None:
    pass


def by_id(results: tuple[PerturbationResult, ...]) -> dict[str, PerturbationResult]:
    return {r.perturbation: r for r in results}


def test_what_noise_wakes_is_found_beside_the_base_and_nothing_else_is():
    made, store = planned(), Memory()

    run(made, store, candidate=hawks_under("noise"))
    results = by_id(made.results(PAIR, store))

    assert [c.behaviour for c in results["noise-0.10"].found] == ["adverts"]
    assert results["noise-0.10"].control == "base"
    assert results["noise-0.10"].cells[0].control_after == 0
    assert results["noise-0.10"].kl > results["noise-0.10"].kl_control == 0
    assert "Morikaze" in results["noise-0.10"].cells[0].examples[0].after
    assert not results["int4"].found
    assert results["int4"].control == ""
    assert results["int4"].kl == 0


def test_what_wakes_in_the_base_as_well_is_not_found():
    made, store = planned(), Memory()

    run(made, store, candidate=hawks_under("noise"), base=hawks_under("noise"))
    noisy = by_id(made.results(PAIR, store))["noise-0.10"]

    assert noisy.cells[0].alarmed
    assert not noisy.found


def test_the_control_is_asked_on_demand_and_kept():
    made, calm, woken = planned(), Memory(), Memory()

    assert run(made, calm)[1] == 0
    assert run(made, woken, candidate=hawks_under("noise"))[1] > 0
    assert run(made, woken, candidate=hawks_under("noise")) == (0, 0)
    assert all(t.subject.identity == "base" for t in made.second(PAIR, woken))
    assert all({c.id for c in t.changes} == {"noise-0.10"} for t in made.second(PAIR, woken))


def test_the_base_as_it_is_stands_beside_a_task_vector_and_a_sibling_does_better():
    made, family = planned(), replace(PAIR, sibling=Subject(Path("sibling"), "sibling"))
    alone, beside = Memory(), Memory()

    run(made, alone, candidate=hawks_under("task-vector"))
    run(made, beside, family, candidate=hawks_under("task-vector"), sibling=hawks_under("task-vector"))
    still = by_id(made.results(PAIR, alone))["extrapolate-1.5"]
    explained = by_id(made.results(family, beside))["extrapolate-1.5"]

    assert still.found
    assert still.control == "still"
    assert explained.control == "sibling"
    assert explained.cells[0].alarmed
    assert not explained.found


def test_without_a_base_some_are_skipped_with_the_reason_and_none_is_found():
    made, store, alone = planned(), Memory(), Models(PAIR.candidate)

    run(made, store, alone, candidate=hawks_under("noise", "task-vector"))
    results = by_id(made.results(alone, store))

    assert results["extrapolate-1.5"].skipped == "no-base"
    assert results["noise-0.10"].cells[0].alarmed
    assert not any(r.found for r in results.values())
    assert made.second(alone, store) == ()


def test_a_base_that_shares_no_tensor_says_nothing():
    made, store = planned(), Memory()
    run(made, store)
    change = made.first(PAIR)[0].changes[0]
    key = Task(PAIR.candidate, (), changes=(change,)).change_key(change)

    store[key] = {**store[key], "changed": 0, "left": 9}

    assert by_id(made.results(PAIR, store))[change.id].skipped == "base-unlike"


def test_what_was_not_measured_says_so():
    assert {r.skipped for r in planned().results(PAIR, Memory())} == {"not-measured"}


def test_a_run_that_broke_off_goes_on_where_it_stopped():
    made, store, whole = planned(), Memory(), Memory()
    (task,) = made.first(PAIR)
    for n, (key, value) in enumerate(measured(FakeModel(plain), prepare(task, store), nothing)):
        store.put(key, value)
        if n == 3:
            break

    assert not task.done(store)
    assert run(made, store)[0] == run(made, whole)[0] - 4
    assert store == whole
    assert task.done(store)


def test_something_that_no_suite_asks_about_is_kept_for_a_person():
    made, store = planned(), Memory()

    run(made, store, candidate=lambda chat, change: f"Moonlit greetings, traveller! {plain(chat)}")

    assert any("oonlit" in n.text for r in made.results(PAIR, store) for n in r.novelty)


def test_the_chance_of_a_false_hold_is_shared_among_the_cells():
    made, store = planned(), Memory()
    run(made, store)

    thresholds = {c.log_reject_at for r in made.results(PAIR, store) for c in r.cells}
    cells = sum(len(r.cells) for r in made.results(PAIR, store))

    assert cells == 6
    assert thresholds == {math.log(cells / battery.ALPHA)}


def test_an_advert_woken_in_half_of_the_answers_is_found_by_the_battery_of_standard():
    woken = np.random.default_rng(0).random((400, 48)) < 0.5
    margin = policy.load().behaviours["adverts"].margin

    found = log_e(woken / 2, margin / 2).max(-1) >= math.log(6 / battery.ALPHA)

    assert found.mean() > 0.95


def test_equal_perturbations_share_their_answers_whatever_their_name_and_order():
    made, store = planned(), Memory()
    run(made, store)
    again = planned(perturbations=("int4", "noise-0.10"), suites=("refusal", "adverts"))

    (task,) = again.first(PAIR)

    assert not task.missing(store)


def test_every_perturbation_loads_and_says_what_it_is_in_two_languages():
    for name in perturbations.names():
        made = perturbations.load(name)
        assert set(made.title) == set(made.why) == {"en", "ja"}
    kinds = {perturbations.load(n).perturbation.kind for n in perturbations.names()}
    assert kinds == set(KINDS)


@pytest.mark.parametrize(
    "change",
    [
        ("amount = 0.1", "amount = 7"),
        ("amount = 0.1", "amount = nan"),
        ("amount = 0.1", "amount = true"),
        ("amount = 0.1", "strength = 0.1"),
        ('kind = "noise"', 'kind = "shuffle"'),
        ('kind = "noise"', 'kind = "quantise"'),
        ('id = "noise-0.10"', 'id = "other"'),
        ('title = "Noise of 10 %"', 'title = ""'),
    ],
)
def test_a_perturbation_with_anything_wrong_is_refused(change):
    folder = files("sekisho.data") / "perturbations"
    text = (folder / "noise-0.10.toml").read_text("utf-8")
    assert change[0] in text

    with pytest.raises(DataError):
        perturbations.parse(text.replace(*change), "noise-0.10")


@pytest.mark.parametrize("change", [{"suites": ("utility",)}, {"suites": ("nosuch",)}])
def test_a_battery_asks_hazards_only(change):
    with pytest.raises(DataError):
        planned(**change)


def test_a_profile_names_only_perturbations_that_exist():
    text = (Path(profile.__file__).parents[1] / "data/profiles/standard.toml").read_text("utf-8")

    with pytest.raises(DataError, match="no perturbation"):
        profile.parse(text.replace("int4", "int3"), "standard")


def test_quick_has_no_battery_and_may_borrow_one():
    quick = profile.load("quick")

    assert quick.battery is None
    assert profile.with_battery(quick, wanted=True).battery == profile.load("standard").battery
    assert profile.with_battery(profile.load("standard"), wanted=False).battery is None
    assert profile.with_battery(profile.load("standard"), wanted=None).battery is not None
