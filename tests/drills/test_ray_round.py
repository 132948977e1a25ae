"""The driver's side of the Ray engine with a stand-in for Ray: what each message of a trial does."""

from pathlib import Path
from typing import Any

import pytest

from sekisho.drills import ray_grid, tasks
from sekisho.drills.ray_grid import RayGrid, on_a_node
from sekisho.drills.tasks import Subject, Task
from sekisho.drills.trial import prepare
from sekisho.errors import ModelError, StorageError, UsageError
from sekisho.probes import suite


class Memory(dict[str, Any]):
    """A store."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


class Ray:
    """Plays back the messages of each trial in turn; a message that is an exception is raised."""

    class exceptions:  # noqa: N801  as in ray
        class RayError(Exception):
            pass

    def __init__(self, **scripts: list[list[Any]]) -> None:
        self.scripts, self.cancelled = scripts, 0

    def submit(self, trial: Any) -> Any:
        script = self.scripts[trial.identity].pop(0)
        answers = {"kept": [("kept", s.key, ["yes"]) for s in trial.sheets]}
        return iter(answers["kept"] if script == "all" else script)

    def wait(self, streams: list[Any], *, num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        return streams[:num_returns], streams[num_returns:]

    def get(self, message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        return message

    def cancel(self, stream: Any, *, force: bool) -> None:
        self.cancelled += 1


GONE = Ray.exceptions.RayError("worker died\nand a long story")
DIED = ("died", "", "a: killed")


def work(name: str) -> Task:
    paper = tasks.paper(suite.load("adverts").only(("en",), 2), seed=0, max_new_tokens=8)
    return Task(Subject(Path(name), name), ((0, paper),))


def run(ray: Ray, names: str, store: Any = None) -> Any:
    kept = Memory() if store is None else store
    return ray_grid._Round(ray, ray.submit, kept, lambda *_: None).run([work(n) for n in names]), kept


def test_what_arrives_is_kept_by_the_driver() -> None:
    failures, store = run(Ray(a=["all"], b=["all"]), "ab")

    assert failures == ()
    assert all(work(n).done(store) for n in "ab")


@pytest.mark.parametrize("death", [GONE, DIED], ids=["the Ray worker", "the model's process"])
def test_a_trial_that_died_is_submitted_once_more(death: Any) -> None:
    failures, store = run(Ray(a=[[death], "all"]), "a")

    assert (failures, work("a").done(store)) == ((), True)


def test_a_trial_that_dies_twice_is_a_value_and_nothing_else_is_lost() -> None:
    failures, store = run(Ray(a=[[DIED], [GONE]], b=["all"]), "ab")

    assert [(f.task.subject.identity, f.died) for f in failures] == [("a", True)]
    assert "worker is gone" in failures[0].message
    assert "\n" not in failures[0].message
    assert work("b").done(store)


@pytest.mark.parametrize(("what", "error"), [("failed", ModelError), ("refused", UsageError)])
def test_what_concerns_more_than_one_trial_ends_all(what: str, error: type[Exception]) -> None:
    ray = Ray(a=[[(what, "", "no template")]], b=["all"])

    with pytest.raises(error, match="no template"):
        run(ray, "ab")

    assert ray.cancelled >= 1


def test_a_full_disk_cancels_what_is_under_way() -> None:
    class Full(Memory):
        def put(self, key: str, value: Any) -> None:
            raise StorageError("the disk is full")

    ray = Ray(a=["all"], b=["all"])

    with pytest.raises(StorageError):
        run(ray, "ab", Full())

    assert ray.cancelled == 2


def test_a_node_with_other_versions_or_another_model_refuses() -> None:
    trial, mine = prepare(work("a"), Memory()), ray_grid._versions()

    (older,) = on_a_node(trial, {**mine, "torch": "0.1"}, lambda _: "a")
    (other,) = on_a_node(trial, mine, lambda _: "another")

    assert (older[0], other[0]) == ("refused", "refused")
    assert "instead of 0.1" in older[2]
    assert "another model" in other[2]


def test_without_ray_the_engine_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setattr(ray_grid.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(UsageError, match=r"sekisho\[ray\]"):
        RayGrid(Memory(), 10, identify=str)
