"""The conversation with a child that lies, dies or outlives its parent; no torch, the child is a small script."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sekisho import worker
from sekisho.errors import ModelError, StorageError
from sekisho.models import local, replies
from sekisho.models.base import Chat, Finetune, Message
from sekisho.models.local import LocalModel

pytestmark = pytest.mark.integration

CHATS: tuple[Chat, ...] = ((Message("user", "Hello"),), (Message("user", "So?"),))
HELLO = {"ok": {"speed": 5.0, "network": "namespace"}}
JOB = Finetune((), {}, (2, 4))


def checkpoint(step: int, **changes: object) -> dict[str, object]:
    whole = {"step": step, "loss": 1.0, "displacement": 0.1, "tokens": 5, "losses": [[1, 2.0]]}
    return {"checkpoint": whole | changes}


Play = Callable[..., LocalModel]


@pytest.fixture
def play(monkeypatch, tmp_path: Path) -> Iterator[Play]:
    """Open a model whose child says the given lines, one per request, and then does `last`."""
    monkeypatch.setattr(local, "_require_libraries", lambda: None)
    monkeypatch.setattr(local, "FAREWELL_S", 1.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    opened = []

    def start(*lines: object, last: str = "sys.stdin.read()") -> LocalModel:
        said = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        code = (
            "import sys, os, time, signal\n"
            f"for line in {said!r}:\n    sys.stdin.readline()\n    print(line, flush=True)\n"
            f"sys.stdin.readline()\n{last}"
        )

        def instead(folder: str, errors) -> "subprocess.Popen[bytes]":
            pipe = subprocess.PIPE
            return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=errors)

        opened.append(LocalModel(tmp_path / "tiny", instead))
        return opened[-1]

    yield start
    for model in opened:
        model.kill()
        model.close()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "reply",
    [
        {"ok": ["one"]}, {"ok": ["one", "two", "three"]}, {"ok": ["one", 2]}, {"ok": None}, {}, {"checkpoint": {}},
        {"ok": "ab"}, {"progress": [1]}, {"progress": [2, 1]}, {"progress": ["a", "b"]}, {"progress": 7}, [], "nonsense",
        "[" * 100_000,
    ],
    ids=lambda v: str(v)[:40],
)  # fmt: skip
def test_a_malformed_answer_is_an_error_of_one_line(reply, play: Play) -> None:
    model = play(HELLO, reply)

    with pytest.raises(ModelError) as error:
        model.generate(CHATS)

    assert "\n" not in str(error.value)


def test_halves_of_letters_are_replaced(play: Play) -> None:
    assert play(HELLO, {"ok": ["a\ud800b", "日本"]}).generate(CHATS) == ("a?b", "日本")


@pytest.mark.parametrize(
    "hello",
    [{"ok": 3}, {"ok": {}}, {"ok": {"speed": 1.0}}, {"ok": {"speed": "5", "network": "x"}}, {"error": "no"}],
)
def test_a_child_that_does_not_introduce_itself_is_no_model(hello, play: Play) -> None:
    with pytest.raises(ModelError):
        play(hello)


@pytest.mark.parametrize("speed", ["NaN", "Infinity", "-1", "1e-300", "1e300"])
def test_a_speed_that_is_none_gives_no_forecast(speed: str, play: Play) -> None:
    assert play(f'{{"ok": {{"network": "x", "speed": {speed}}}}}').speed == 0.0


@pytest.mark.parametrize(
    "second",
    [
        checkpoint(2), checkpoint(3), checkpoint(4, loss=None), checkpoint(4, losses=[[1]]), checkpoint(4, tokens=-1),
        {"checkpoint": []}, checkpoint(4, tokens=float("nan")),
    ],
    ids=lambda v: str(v)[:40],
)  # fmt: skip
def test_checkpoints_come_in_order_or_not_at_all(second, play: Play) -> None:
    steps = play(HELLO, checkpoint(2), second).finetune(JOB)

    assert next(steps).step == 2
    with pytest.raises(ModelError):
        next(steps)


def test_checkpoints_beyond_the_last_are_refused(play: Play) -> None:
    steps = play(HELLO, checkpoint(2), checkpoint(4), checkpoint(4)).finetune(JOB)

    with pytest.raises(ModelError, match="malformed"):
        list(steps)


def test_a_finetune_given_up_on_a_dead_child_says_nothing_of_its_own(play: Play) -> None:
    model = play(HELLO, checkpoint(2))
    steps = model.finetune(JOB)
    next(steps)
    model.kill()

    steps.close()

    with pytest.raises(ModelError, match="was killed"):
        model.generate(CHATS)


def test_a_child_that_runs_out_of_memory_is_said_to(play: Play) -> None:
    model = play(HELLO, last="os.kill(os.getpid(), signal.SIGKILL)")

    with pytest.raises(ModelError, match="most likely because memory ran out"):
        model.generate(CHATS)


def test_the_last_words_of_a_child_are_told(play: Play) -> None:
    with pytest.raises(ModelError, match="status 1: ZeroDivisionError"):
        play(HELLO, last="1/0").generate(CHATS)


def test_a_silent_child_is_ended_and_said_to_be_silent(play: Play, monkeypatch) -> None:
    model = play(HELLO, last="time.sleep(60)")
    timer = local.threading.Timer
    monkeypatch.setattr(local.threading, "Timer", lambda _, do: timer(0.1, do))

    with pytest.raises(ModelError, match="was silent for"):
        model.generate(CHATS)


def test_a_child_that_breaks_off_the_conversation_is_ended(play: Play) -> None:
    model = play(HELLO, "nonsense", last="time.sleep(60)")

    with pytest.raises(ModelError, match="broke off the conversation: a reply is not JSON"):
        model.generate(CHATS)

    assert model._child.wait(10) == -9


def test_no_room_for_a_folder_is_a_storage_error(monkeypatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local, "_require_libraries", lambda: None)
    monkeypatch.setattr(local.tempfile, "TemporaryDirectory", full)

    with pytest.raises(StorageError, match="No space left"):
        LocalModel(Path("x"))


def test_numbers_are_numbers() -> None:
    assert replies.numbers([1, 2.5], 2) == (1.0, 2.5)
    for value in ([1], [True, 1], ["1", 2], {}, None, [10**400, 1]):
        with pytest.raises(ModelError):
            replies.numbers(value, 2)


@pytest.mark.parametrize("broken", [False, True], ids=["asked to close", "left alone"])
def test_a_child_that_ends_takes_its_folder_along(broken: bool, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "trainer").mkdir(parents=True)
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "sekisho.worker", str(folder)]
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe)

    child.communicate(b"" if broken else b'{"op": "close"}\n', timeout=60)

    assert not folder.exists()


def test_a_folder_that_cannot_be_deleted_at_once_is_tried_again(tmp_path: Path, monkeypatch) -> None:
    folder, rmtree, tries = tmp_path / "work", shutil.rmtree, []
    folder.mkdir()

    def second_time_lucky(path: str, *, ignore_errors: bool) -> None:
        tries.append(path)
        if len(tries) > 1:
            rmtree(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(worker.shutil, "rmtree", second_time_lucky)

    worker._clear(str(folder))

    assert (len(tries), folder.exists()) == (2, False)


def test_a_child_at_work_ends_with_its_parent_and_takes_its_folder_along(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "left").write_text("x")
    code = (
        "import threading, sys, time; from sekisho import worker\n"
        f"threading.Thread(target=worker._end_with_parent, args=({str(folder)!r},), daemon=True).start()\n"
        "print('up', flush=True)\nwhile True: sum(range(10**5))"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    time.sleep(0.1)
    assert child.poll() is None

    child.stdin.close()

    assert child.wait(20) == 1
    assert not folder.exists()
    child.stdout.close()
