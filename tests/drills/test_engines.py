"""The same small grid of real trials on every engine: equal results, and a killed process costs its own trial only."""

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from artefacts import tiny_model
from sekisho import static
from sekisho.drills import ray_grid, tasks
from sekisho.drills.grid import Grid
from sekisho.drills.ray_grid import RayGrid
from sekisho.drills.tasks import Subject, Task
from sekisho.drills.trial import Engine, prepare
from sekisho.models.local import LocalModel, LocalModels
from sekisho.probes import suite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`"),
]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra `ray`")


class Memory(dict[str, Any]):
    def put(self, key: str, value: Any) -> None:
        self[key] = value


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> list[Task]:
    folder = tiny_model(tmp_path_factory.mktemp("engines") / "tiny")
    subject = Subject(folder, static.identify(folder))
    paper = tasks.paper(suite.load("adverts").only(("en",), 3), seed=0, max_new_tokens=8)
    drill = tasks.drill("null")
    return [Task(subject, ((0, paper),)), Task(subject, ((drill.recipe.checkpoints[-1], paper),), drill)]


@pytest.fixture(scope="module")
def expected(work: list[Task]) -> Memory:
    """By a new interpreter for every trial."""
    store = Memory()
    assert Grid(LocalModel, store, 1).run(work, lambda *_: None) == ()
    return store


@pytest.fixture
def forks() -> Iterator[LocalModels]:
    with closing(LocalModels()) as opener:
        yield opener


def plain(store: Memory) -> dict[str, Any]:
    return {k: [*map(list, v.pop("losses")), v] if isinstance(v, dict) else v for k, v in _copied(store)}


def _copied(store: Memory) -> Iterator[tuple[str, Any]]:
    for key, value in store.items():
        yield key, dict(value) if isinstance(value, dict) else value


def test_forks_give_what_interpreters_give(work: list[Task], expected: Memory, forks: LocalModels) -> None:
    store = Memory()

    assert Grid(forks, store, 2).run(work, lambda *_: None) == ()

    assert plain(store) == plain(expected)
    assert forks._zygote._process is not None
    assert forks._zygote._process.poll() is None, "it fell back to interpreters"


def test_a_fork_is_confined_like_an_interpreter(work: list[Task], forks: LocalModels) -> None:
    with closing(forks(work[0].subject.path)) as forked, closing(LocalModel(work[0].subject.path)) as own:
        pids = [forked._child.pid, own._child.pid]  # type: ignore[attr-defined]
        assert forked.network == own.network
        here, there = (Path(f"/proc/{p}/ns/net").readlink() for p in ("self", pids[0]))
        assert (forked.network == "namespace") == (here != there)
        limits = [Path(f"/proc/{p}/limits").read_text() for p in pids]
        assert limits[0] == limits[1]
        assert len({len(list(Path(f"/proc/{p}/fd").iterdir())) for p in pids}) == 1
        assert [os.getsid(p) for p in pids] == pids


def test_a_fork_that_is_killed_is_begun_again(work: list[Task], expected: Memory, forks: LocalModels) -> None:
    store, struck = Memory(), []

    def opener(path: Path) -> LocalModel:
        model = forks(path)
        if not struck:
            struck.append(model)
            os.kill(model._child.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        return model

    assert Grid(opener, store, 1).run(work, lambda *_: None) == ()

    assert plain(store) == plain(expected)


def test_forks_end_with_the_process_that_forked_them(work: list[Task]) -> None:
    forks = LocalModels()
    model = forks(work[0].subject.path)
    assert forks._zygote._process is not None

    forks._zygote._process.kill()

    assert model._child.wait(20) == -signal.SIGKILL
    model.close()
    forks.close()


def test_what_a_node_sends_is_what_this_machine_keeps(work: list[Task], expected: Memory) -> None:
    store, versions = Memory(), ray_grid._versions()

    for task in work:
        for what, key, value in ray_grid.on_a_node(prepare(task, store), versions, static.identify):
            assert what == "kept", value
            store.put(key, value)

    assert plain(store) == plain(expected)


@needs_ray
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_gives_what_this_machine_gives(work: list[Task], expected: Memory) -> None:
    store = Memory()
    with closing(_ray(store)) as engine:
        assert engine.run(work, lambda *_: None) == ()
    del engine
    gc.collect()  # what Ray leaves open is warned of here, not as an error in a test that comes later

    assert plain(store) == plain(expected)


def _ray(store: Memory) -> Engine:
    return RayGrid(store, 100_000, identify=static.identify)
