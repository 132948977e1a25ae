"""Names and paths become sources; what was altered or is absent is refused."""

import os
from pathlib import Path

import pytest

from sekisho.errors import SourceError
from sekisho.sources import cache, catalogue
from sekisho.sources.resolve import Source, resolve
from sources import wheels

WEIGHTS = b"weights"


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a model named toy."""
    entry = wheels.toy(converted=(("model.safetensors", wheels.digest(WEIGHTS)),))
    monkeypatch.setattr(catalogue, "names", lambda: ("toy",))
    monkeypatch.setattr(catalogue, "load", lambda _: entry)
    folder = cache.model(tmp_path, "toy")
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def test_a_fetched_model_is_pinned(tmp_path: Path, fetched: Path) -> None:
    assert resolve("toy", tmp_path) == Source("toy", "catalogue", fetched, pinned=True)


def test_an_altered_model_is_refused(tmp_path: Path, fetched: Path) -> None:
    (fetched / "model.safetensors").write_bytes(b"Weights")
    with pytest.raises(SourceError, match=r"model\.safetensors was altered .* fetch again"):
        resolve("toy", tmp_path)


def test_a_model_with_a_file_missing_is_refused(tmp_path: Path, fetched: Path) -> None:
    (fetched / "model.safetensors").unlink()
    with pytest.raises(SourceError, match="No such file"):
        resolve("toy", tmp_path)


def test_a_known_name_not_fetched_says_how(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="run: sekisho fetch gemma3-270m"):
        resolve("gemma3-270m", tmp_path)


def test_folders_and_files_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    (tmp_path / "m.gguf").write_bytes(b"")
    assert resolve(str(tmp_path / "my-model"), tmp_path).kind == "folder"
    assert resolve(str(tmp_path / "m.gguf"), tmp_path) == Source(
        "m.gguf", "file", tmp_path / "m.gguf", pinned=False
    )


@pytest.mark.parametrize("spec", ["no-such-thing", "", "a\0b", "x" * 5_000])
def test_the_unknown_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as error:
        resolve(spec, tmp_path)
    assert "\n" not in str(error.value)


def test_the_unknown_lists_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"not in the catalogue \(gemma3-270m, smollm2-135m-instruct"):
        resolve("no-such-thing", tmp_path)


def test_a_pipe_is_neither(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a folder nor a file"):
        resolve(str(tmp_path / "pipe"), tmp_path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SEKISHO_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a")),
        ({"SEKISHO_CACHE": "", "XDG_CACHE_HOME": "/b"}, Path("/b/sekisho")),
        ({}, Path.home() / ".cache" / "sekisho"),
    ],
)
def test_where_the_cache_is(environment: dict[str, str], expected: Path) -> None:
    assert cache.folder(environment) == expected
