"""Worker threads when something goes wrong: every failure reaches the caller, every model is ended, nothing hangs."""

import _thread
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sekisho import conductor
from sekisho.drills import costs, grid, tasks
from sekisho.drills.grid import Grid
from sekisho.drills.tasks import Subject, Task
from sekisho.errors import ModelError, ProcessDiedError, StorageError
from sekisho.evidence.cells import Cells
from sekisho.probes import suite

LONG = 20.0
"""Seconds after which a test that hangs fails instead."""


class Model:
    """Answers when told to, unless it is killed first."""

    def __init__(self, go: threading.Event | None = None) -> None:
        self.go, self.working = go, threading.Event()
        self.killed, self.closed = threading.Event(), 0

    def generate(self, chats, sampling=None, progress=None) -> tuple[str, ...]:
        self.working.set()
        while self.go is not None and not self.go.wait(0.01):
            if self.killed.is_set():
                raise ModelError("it was killed")
        return tuple("yes" for _ in chats)

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        self.closed += 1


class Memory(dict[str, Any]):
    """A store."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


def work(name: str) -> Task:
    paper = tasks.paper(suite.load("adverts").only(("en",), 2), seed=0, max_new_tokens=8)
    return Task(Subject(Path(name), name), ((0, paper),))


def nothing(what: str, done: float, total: float) -> None:
    pass


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """No thread outlives its test."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
        assert not thread.is_alive()


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), SystemExit(1), OSError(5, "I/O")])
def test_whatever_ends_a_worker_reaches_the_caller(error: BaseException) -> None:
    class Broken(Model):
        def generate(self, *_: Any) -> tuple[str, ...]:
            raise error

    broken = Broken()

    with pytest.raises(type(error)):
        Grid(lambda _: broken, Memory(), 1).run([work("a")], nothing)

    assert broken.closed == 1


def test_a_full_disk_stops_the_other_worker_at_once() -> None:
    busy, quick = Model(threading.Event()), Model()

    class Full(Memory):
        def put(self, key: str, value: Any) -> None:
            assert busy.working.wait(LONG)
            raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        Grid({Path("a"): busy, Path("b"): quick}.__getitem__, Full(), 2).run([work("a"), work("b")], nothing)

    assert busy.killed.is_set()
    assert (busy.closed, quick.closed) == (1, 1)


def test_a_model_that_does_not_open_lets_the_other_finish_its_task() -> None:
    go, store = threading.Event(), Memory()
    busy = Model(go)

    def opener(path: Path) -> Model:
        if path.name == "a":
            return busy
        assert busy.working.wait(LONG)
        threading.Timer(0.3, go.set).start()
        raise ModelError("unknown architecture")

    with pytest.raises(ModelError, match="unknown architecture"):
        Grid(opener, store, 2).run([work("a"), work("b"), work("b")], nothing)

    assert work("a").done(store)
    assert not busy.killed.is_set()


def test_a_model_that_was_being_opened_at_the_stop_is_closed() -> None:
    late, opening = Model(), threading.Event()

    def opener(path: Path) -> Model:
        opening.set()
        running.stop()
        return late

    running = Grid(opener, Memory(), 1)
    with pytest.raises(ModelError, match="was stopped"):
        running.run([work("a")], nothing)

    assert (late.closed, late.working.is_set()) == (1, False)


def test_an_interrupt_ends_every_model_and_keeps_what_was_finished() -> None:
    store, models = Memory(), []

    class Interrupting(Model):
        def generate(self, chats, sampling=None, progress=None) -> tuple[str, ...]:
            _thread.interrupt_main()
            return super().generate(chats, sampling, progress)

    def opener(path: Path) -> Model:
        models.append(Interrupting(threading.Event()) if len(models) == 1 else Model())
        return models[-1]

    with pytest.raises(KeyboardInterrupt):
        Grid(opener, store, 1).run([work("a"), work("b")], nothing)

    assert [work(n).done(store) for n in "ab"] == [True, False]
    assert models[1].killed.is_set()
    assert [m.closed for m in models] == [1, 1]


def test_an_interrupt_does_not_wait_for_a_slow_opener(monkeypatch) -> None:
    monkeypatch.setattr(grid, "GRACE_S", 0.05)
    go, late = threading.Event(), Model()

    def opener(path: Path) -> Model:
        _thread.interrupt_main()
        assert go.wait(LONG)
        return late

    with pytest.raises(KeyboardInterrupt):
        Grid(opener, Memory(), 1).run([work("a")], nothing)

    assert late.closed == 0
    go.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(LONG)
    assert late.closed == 1


def test_a_progress_that_raises_is_an_error_and_no_hang() -> None:
    def notice(what: str, done: float, total: float) -> None:
        raise ValueError("no bar for this")

    class Telling(Model):
        def generate(self, chats, sampling=None, progress=None) -> tuple[str, ...]:
            progress(1, 2)
            return super().generate(chats, sampling, progress)

    with pytest.raises(ValueError, match="no bar"):
        Grid(lambda _: Telling(), Memory(), 2).run([work("a")], notice)


@pytest.mark.integration
def test_a_model_opened_ahead_and_never_taken_is_closed(tmp_path: Path, monkeypatch) -> None:
    from artefacts import tiny_model

    ahead = Model()

    class Reluctant(conductor.Unwatched):
        def forecast(self, seconds: float) -> None:
            raise StorageError("no more")

    opened: Callable[[Path], Model] = lambda _: ahead  # noqa: E731
    options = replace(conductor.Options(cache=tmp_path / "cache"), opener=opened)

    with pytest.raises(StorageError):
        conductor.vet(tiny_model(tmp_path / "m"), options=options, watch=Reluctant())

    assert ahead.closed == 1


def test_one_worker_where_the_system_does_not_say_how_much_memory_is_free(monkeypatch) -> None:
    monkeypatch.setattr(costs.os, "sysconf_names", {"SC_PAGE_SIZE": 30})

    assert costs.workers(1_000) == 1


class Mortal(Model):
    """Its process dies at the longer of two papers, as often as `lives` says."""

    def __init__(self, lives: list[str]) -> None:
        super().__init__()
        self.lives, self.asked = lives, 0

    def generate(self, chats, sampling=None, progress=None) -> tuple[str, ...]:
        self.asked += 1
        if self.lives and len(chats) > len(two_papers("a").papers[0][1].chats):
            raise ProcessDiedError(self.lives.pop())
        return super().generate(chats, sampling, progress)


def two_papers(name: str) -> Task:
    asked = suite.load("adverts")
    papers = [tasks.paper(asked.only(("en",), n), seed=0, max_new_tokens=8) for n in (2, 3)]
    return Task(Subject(Path(name), name), tuple((0, p) for p in papers))


def test_a_trial_whose_process_died_is_begun_again_from_what_is_kept() -> None:
    lives, store, models = ["killed"], Memory(), []

    def opener(path: Path) -> Mortal:
        models.append(Mortal(lives))
        return models[-1]

    assert Grid(opener, store, 1).run([two_papers("a")], nothing) == ()

    assert two_papers("a").done(store)
    assert [m.asked for m in models] == [2, 1]
    assert [m.closed for m in models] == [1, 1]


def test_a_trial_that_dies_twice_is_a_value_and_the_others_go_on() -> None:
    lives, store = ["killed", "killed again"], Memory()

    def opener(path: Path) -> Model:
        return Mortal(lives) if path.name == "a" else Model()

    failures = Grid(opener, store, 1).run([two_papers("a"), work("b"), work("c")], nothing)

    assert [(f.task.subject.identity, f.died, f.message) for f in failures] == [("a", True, "killed")]
    assert not two_papers("a").done(store)
    assert [work(n).done(store) for n in "bc"] == [True, True]


def test_a_process_that_dies_while_its_model_is_opened_counts_as_dead() -> None:
    def opener(path: Path) -> Model:
        if path.name == "a":
            raise ProcessDiedError("no memory for it")
        return Model()

    store = Memory()
    (failure,) = Grid(opener, store, 2).run([work("a"), work("b")], nothing)

    assert (failure.died, failure.message) == (True, "no memory for it")
    assert work("b").done(store)


def test_every_trial_has_a_process_of_its_own() -> None:
    opened: list[Path] = []

    def opener(path: Path) -> Model:
        opened.append(path)
        return Model()

    Grid(opener, Memory(), 1).run([work("a"), two_papers("a"), work("b")], nothing)

    assert len(opened) == 3


def test_a_full_disk_is_one_line_and_leaves_the_ledger_whole(tmp_path: Path) -> None:
    cells = Cells(tmp_path / "cells.sqlite")
    pages = cells._db.execute("PRAGMA page_count").fetchone()[0]
    cells._db.execute(f"PRAGMA max_page_count = {pages + 3}")
    cells.put("before", "kept")

    class Wordy(Model):
        def generate(self, chats, sampling=None, progress=None) -> tuple[str, ...]:
            return tuple("word " * 20_000 for _ in chats)

    with pytest.raises(StorageError, match="full") as error:
        Grid(lambda _: Wordy(), cells, 1).run([work("a")], nothing)
    cells.close()

    assert "\n" not in str(error.value)
    again = Cells(tmp_path / "cells.sqlite")
    assert (again.get("before"), work("a").done(again)) == ("kept", False)
    assert again._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again.close()
