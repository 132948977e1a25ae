"""Folders built to exhaust, to hang or to change under the reader: bounded time and memory, a finding or one clear error, never a pass."""

import os
import resource
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho import inventory, static
from sekisho.errors import SourceError
from sekisho.inventory import problem_code, take
from sekisho.limits import Limits
from sekisho.records import Decision, Outcome

pytestmark = pytest.mark.integration

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="sparse files, pipes and accounts as Linux has them"
)


def codes(folder: Path, limits: Limits | None = None) -> dict[str, str]:
    return {f.path: problem_code(f) for f in take(folder, limits or Limits()).files if f.problem}


@contextmanager
def bounded(seconds: float, mib: int) -> Iterator[None]:
    """Ten times the processor time it takes here, since machines are shared; memory as this process grows."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - started < seconds
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < mib


def test_more_files_than_the_limit_are_cut_off_and_said(tmp_path: Path) -> None:
    for n in range(300):
        (tmp_path / f"{n}.txt").touch()
    cut = codes(tmp_path, Limits(files=100))
    assert cut == {"…": "too-many-files"}


@pytest.mark.slow
def test_a_hundred_thousand_files(tmp_path: Path) -> None:
    for n in range(100_000):
        (tmp_path / f"{n}.txt").touch()
    with bounded(120, 300):
        assert codes(tmp_path)["…"] == "too-many-files"


def test_empty_folders_are_counted(tmp_path: Path) -> None:
    for n in range(60):
        (tmp_path / f"d{n}" / "e").mkdir(parents=True)
    assert codes(tmp_path, Limits(folders=50)) == {"…": "too-many-files"}
    with pytest.raises(SourceError, match="empty"):
        take(tmp_path, Limits(folders=500))


def test_folders_nested_beyond_the_limit_are_named(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / "/".join("d" * 200)).mkdir(parents=True)
    assert codes(model) == {"/".join("d" * 17): "too-deep"}


def test_links_that_go_round_are_named(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / "a").symlink_to("b")
    (model / "b").symlink_to("a")
    (model / "up").symlink_to("..")
    (model / "here").symlink_to(".")
    (model / "sub").mkdir()
    (model / "sub" / "back").symlink_to("../sub")
    assert codes(model) == {
        "a": "symlink-broken", "b": "symlink-broken", "up": "symlink-outside", "here": "symlink-folder",
        "sub/back": "symlink-folder",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "pytorch_model.bin", "x"]
)
def test_pipes_are_never_opened_whatever_their_name(name: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / name).unlink(missing_ok=True)
    os.mkfifo(model / name)
    assert codes(model)[name] == "not-a-file"
    assert static.inspect(model, "none").verdict.decision is Decision.REJECT


def test_a_pipe_alone_is_one_clear_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(SourceError, match="neither a folder nor a file"):
        static.inspect(tmp_path / "p", "none")


def test_a_link_to_a_device_is_not_read(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / "zeros.bin").symlink_to("/dev/zero")
    assert codes(model) == {"zeros.bin": "symlink-outside"}


@LINUX
@pytest.mark.parametrize(
    "name", ["model.gguf", "weights.bin", "config.json", "README.md", "loader.py", "a.npy", "x.pkl"]
)
def test_a_sparse_file_of_terabytes_is_named_at_once(name: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / name).touch()
    os.truncate(model / name, 2**42)
    with bounded(20, 200):
        seen = static.inspect(model, "none")
    assert seen.verdict.decision is not Decision.ADMIT
    assert any(f.where == name and f.outcome is not Outcome.PASS for f in seen.findings)


def test_the_bytes_of_all_files_are_bounded(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    assert codes(model, Limits(model_bytes=1_000)) == {"…": "over-limit"}


@LINUX
def test_a_file_that_says_it_is_empty_and_is_not(tmp_path: Path) -> None:
    """As those of /proc do: read to an end that is counted, never taken for what its size says."""
    fact = take(Path("/proc/self/status")).files[0]
    assert problem_code(fact) in ("unreadable", "changed")


def change_after(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let something happen once the first file was read."""
    read, done = inventory._file, []

    def reads(*given: object) -> object:
        fact = read(*given)
        if not done:
            done.append(True)
            change()
        return fact

    monkeypatch.setattr(inventory, "_file", reads)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def touched(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def replaced(path: Path) -> None:
    """Another file of the same size and time: only its number in the file system tells."""
    seen = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("how", [grown, touched, replaced, Path.unlink])
def test_a_file_that_changes_after_it_was_read(
    how: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(tmp_path / "m")
    change_after(monkeypatch, lambda: how(model / ".gitattributes"))
    seen = static.inspect(model, "none")
    assert seen.verdict.decision is not Decision.ADMIT
    assert [(f.where, f.reason) for f in seen.findings if f.reason == "changed"] == [
        (".gitattributes", "changed")
    ]


def test_a_file_that_appears_while_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(tmp_path / "m")
    change_after(monkeypatch, lambda: (model / ".first").write_text("late"))
    assert codes(model) == {".first": "changed"}


def test_one_file_that_is_swapped_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tiny_model(tmp_path / "m") / "model.safetensors"
    change_after(monkeypatch, lambda: replaced(file))
    assert [problem_code(f) for f in take(file).files] == ["changed"]


def as_nobody(work: Callable[[], bool]) -> bool:
    """Run in a child without rights, since nothing is forbidden to root."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os._exit(0 if work() else 1)
        except BaseException:  # noqa: BLE001  the child must end here
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@LINUX
def test_files_and_folders_without_permission_are_named(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to others
        Path(made).chmod(0o755)
        model = tiny_model(Path(made) / "m")
        (model / "closed").mkdir()
        (model / "closed").chmod(0)
        (model / "config.json").chmod(0)
        assert as_nobody(lambda: codes(model) == {"closed": "unreadable", "config.json": "unreadable"})
        (model / "closed").chmod(stat.S_IRWXU)


@LINUX
def test_a_model_without_permission_is_one_clear_error(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    model.chmod(0)

    def refused() -> bool:
        try:
            take(model)
        except SourceError as error:
            return "ermission" in str(error) or "no such model" in str(error)
        return False

    assert as_nobody(refused)
    model.chmod(stat.S_IRWXU)
