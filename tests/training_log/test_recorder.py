"""The recorder itself: never over another record, never in the way of the training, never a secret."""

import dataclasses
import enum
import os
import random
import subprocess

import pytest

from sekisho.errors import StorageError, UsageError
from sekisho.training_log import chain, code, environment, reading, recorder, recording, settings
from sekisho.training_log.data import look
from training_log.conftest import ROWS, make

REAL_GIT = code._git


def test_a_record_is_never_written_over(trained):
    with pytest.raises(UsageError, match="lies there already"), recording(trained.record):
        pass


def test_a_folder_that_cannot_be_written_stops_the_training_before_it_begins(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError), recording(tmp_path / "file" / "run.jsonl"):
        raise AssertionError("not reached")


def test_a_full_disk_ends_the_record_and_not_the_training(tmp_path, monkeypatch):
    write, left = os.write, [6]

    def full(handle: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] == 0:
            return write(handle, data[:10])
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(handle, data)

    def training() -> int:
        with recording(tmp_path / "run.jsonl", settings={"a": 1}) as run:
            monkeypatch.setattr(chain.os, "write", full)
            for step in range(1, 21):
                run.log(step, {"loss": 1.0})
        return step

    with pytest.warns(RuntimeWarning, match="the training record ends here"):
        steps = training()
    monkeypatch.undo()
    record = reading.read(tmp_path / "run.jsonl")

    assert steps == 20
    assert (record.torn, record.broken, record.finished) == (True, (), False)
    assert [s for s, _ in record.losses()] == [1, 2, 3, 4, 5]


def test_a_training_that_fails_says_so_and_keeps_its_error(tmp_path):
    def training() -> None:
        with recording(tmp_path / "run.jsonl") as run:
            run.log(3, {"loss": 1.0})
            raise ZeroDivisionError("a path/of/this/machine")

    with pytest.raises(ZeroDivisionError):
        training()
    end = reading.read(tmp_path / "run.jsonl").last("end")

    assert {k: end[k] for k in ("outcome", "step", "error")} == {
        "outcome": "failed",
        "step": 3,
        "error": "ZeroDivisionError",
    }
    assert b"of/this/machine" not in (tmp_path / "run.jsonl").read_bytes()


def test_a_stream_is_hashed_as_it_passes(tmp_path):
    with recording(tmp_path / "run.jsonl") as run:
        passed = [row for row, _ in zip(run.rows(iter(ROWS)), range(15), strict=False)]

    assert passed == ROWS[:15]
    record = reading.read(tmp_path / "run.jsonl")
    assert record.broken == ()
    assert record.rows("given").count in (15, 16)  # zip takes one more before it stops


def test_many_rows_are_kept_over_several_lines(tmp_path):
    rows = [{"n": n} for n in range(9_000)]
    with recording(tmp_path / "run.jsonl", data=rows):
        pass
    record = reading.read(tmp_path / "run.jsonl")

    assert len(record.each("rows")) == 3
    assert record.rows("given") == look(rows).rows


def test_owner_and_classification_come_from_the_environment_too(tmp_path, monkeypatch):
    monkeypatch.setenv(recorder.OWNER, "K. Sato")
    monkeypatch.setenv(recorder.CLASS, "社内限り")
    with recording(tmp_path / "run.jsonl"):
        pass
    begun = reading.read(tmp_path / "run.jsonl").first("open")

    assert (begun["owner"], begun["classification"]) == ("K. Sato", "社内限り")


def test_no_secret_is_written_down(tmp_path, monkeypatch):
    token = "hf_" + "Ab1" * 12
    monkeypatch.setattr(
        recorder.sys, "orig_argv", ["python", "train.py", "--hub-token", token, f"--api_key={token}", token]
    )
    run = make(
        tmp_path, callbacks={"password": "swordfish", "url": "https://a:b@c.example/x"}, note=f"with {token}"
    )
    text = run.record.read_text()

    assert token not in text
    assert "swordfish" not in text
    assert "a:b@" not in text
    assert text.count(settings.DROPPED) >= 6
    assert reading.read(run.record).settings["training.learning_rate"] == 2e-5


def test_ordinary_settings_are_not_taken_for_secrets():
    plain = {
        "max_new_tokens": 5,
        "eos_token": "</s>",
        "include_num_input_tokens_seen": "no",
        "token_type_ids": [1],
    }

    assert settings.plain(plain)["max_new_tokens"] == 5
    assert settings.plain(plain)["token_type_ids"] == [1]
    assert settings.plain(plain)["eos_token"] == "</s>"


def test_settings_of_every_kind_get_a_plain_form():
    class Mode(enum.Enum):
        NO = "no"

    @dataclasses.dataclass
    class Inner:
        rank: int = 8

    deep: list = []
    deep.append(deep)
    made = settings.plain({"a": Mode.NO, "b": Inner(), "c": {3, 1}, "d": object(), "e": deep, 4: (1.5, None)})

    assert {k: made[k] for k in "abcd"} == {"a": "no", "b": {"rank": 8}, "c": [1, 3], "d": "<object>"}
    assert made["4"] == [1.5, None]


def test_the_library_lock_knows_the_packages_and_changes_with_them():
    found = environment.packages()

    assert found["numpy"]
    assert environment.digest(found) != environment.digest(found | {"numpy": "0"})


def test_seeds_tell_states_of_the_generators_apart():
    random.seed(1)
    one = environment.seeds()
    assert environment.seeds() == one
    random.random()
    assert environment.seeds()["python_state"] != one["python_state"]


def test_code_says_script_commit_and_what_is_not_committed(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "_git", REAL_GIT)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    script = tmp_path / "train.py"
    script.write_text("print(1)")
    # what a repository configures must not run: this would leave a file behind
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "a"],
        ["config", "diff.external", f"touch {tmp_path}/ran"],
    ):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(code.sys.modules["__main__"], "__file__", str(script), raising=False)
    clean = code.look()
    script.write_text("print(2)")
    dirty = code.look()

    assert len(clean["git"]["commit"]) == 40
    assert (clean["git"]["diff"], len(dirty["git"]["diff"])) == ("", 64)
    assert clean["sha256"] != dirty["sha256"]
    assert not (tmp_path / "ran").exists()
