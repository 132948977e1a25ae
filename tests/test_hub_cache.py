"""Snapshots of the Hugging Face cache: every file is a link to a blob of the same repository, and nothing else passes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho import static
from sekisho.errors import SourceError
from sekisho.inventory import problem_code, take
from sekisho.records import Outcome
from sekisho.sources.resolve import resolve

REVISION = "0123456789abcdef0123456789abcdef01234567"


def hub(cache: Path, *, repository: str = "models--org--tiny", snapshots: str = "snapshots") -> Path:
    """Lay a tiny model out as the cache does and return the snapshot."""
    plain = tiny_model(cache / "plain")
    snapshot = cache / repository / snapshots / REVISION
    blobs = cache / repository / "blobs"
    (snapshot / "sub").mkdir(parents=True)
    blobs.mkdir()
    for file in plain.iterdir():
        blob = blobs / hashlib.sha256(file.read_bytes()).hexdigest()
        file.rename(blob)
        (snapshot / file.name).symlink_to(f"../../blobs/{blob.name}")
    plain.rmdir()
    (snapshot / "sub" / "LICENSE").symlink_to(f"../../../blobs/{(snapshot / 'LICENSE').readlink().name}")
    return snapshot


def problems(folder: Path) -> dict[str, str]:
    return {f.path: problem_code(f) for f in take(folder).files if f.problem}


def test_a_snapshot_is_read_as_the_folder_it_stands_for(tmp_path: Path) -> None:
    plain = {f.path: (f.sha256, f.role, f.format) for f in take(tiny_model(tmp_path / "other")).files}

    found = take(hub(tmp_path)).files

    assert {f.path: (f.sha256, f.role, f.format) for f in found if "/" not in f.path} == plain
    assert [f.problem for f in found if f.problem] == []
    assert "sub/LICENSE" in {f.path for f in found}


@pytest.mark.integration
def test_inspect_finds_nothing_against_it(tmp_path: Path) -> None:
    seen = static.inspect(hub(tmp_path), "none", cache=tmp_path / "cache")

    assert not [f for f in seen.findings if f.outcome in (Outcome.FAIL, Outcome.CANNOT_TELL)]
    assert seen.source.name == "org/tiny"


def test_a_link_to_the_snapshot_is_as_good(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(hub(tmp_path))

    assert problems(tmp_path / "here") == {}


def test_one_file_of_a_snapshot_keeps_its_name(tmp_path: Path) -> None:
    (found,) = take(hub(tmp_path) / "model.safetensors").files

    assert (found.path, found.format, found.problem) == ("model.safetensors", "safetensors", "")


def _elsewhere(snapshot: Path, target: str) -> None:
    (snapshot / "x").symlink_to(target)


def _outside(snapshot: Path) -> Path:
    file = snapshot.parents[2] / "outside"
    file.write_text("secret")
    return file


def _blob_is_a_link(snapshot: Path) -> None:
    (snapshot.parents[1] / "blobs" / "b").symlink_to(_outside(snapshot))
    _elsewhere(snapshot, "../../blobs/b")


def _blob_links_to_a_blob(snapshot: Path) -> None:
    blobs = snapshot.parents[1] / "blobs"
    (blobs / "b").symlink_to(next(blobs.iterdir()).name)
    _elsewhere(snapshot, "../../blobs/b")


def _blob_in_a_folder(snapshot: Path) -> None:
    (snapshot.parents[1] / "blobs" / "d").mkdir()
    (snapshot.parents[1] / "blobs" / "d" / "b").write_text("x")
    _elsewhere(snapshot, "../../blobs/d/b")


def _blobs_elsewhere(snapshot: Path) -> None:
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(snapshot.parents[2] / "moved")
    blobs.symlink_to(snapshot.parents[2] / "moved")


def _other_repository(snapshot: Path) -> None:
    other = snapshot.parents[2] / "models--org--other" / "blobs"
    other.mkdir(parents=True)
    (other / "b").write_text("x")
    _elsewhere(snapshot, "../../../models--org--other/blobs/b")


HOSTILE: dict[str, Callable[[Path], object]] = {
    "up and out": lambda s: (_outside(s), _elsewhere(s, "../../../outside")),
    "absolute": lambda s: _elsewhere(s, "/etc/hostname"),
    "the refs beside it": lambda s: ((s.parents[1] / "refs").write_text(""), _elsewhere(s, "../../refs")),
    "another snapshot": lambda s: ((s.parent / "f").write_text(""), _elsewhere(s, "../f")),
    "another repository": _other_repository,
    "a blob that is a link out": _blob_is_a_link,
    "a blob that is a link to a blob": _blob_links_to_a_blob,
    "a blob in a folder": _blob_in_a_folder,
    "the folder of blobs": lambda s: _elsewhere(s, "../../blobs"),
    "out and back in": lambda s: (
        (s.parents[2] / "way").symlink_to(s.parents[1] / "blobs"),
        _elsewhere(s, f"../../../way/{(s / 'LICENSE').readlink().name}"),
    ),
    "blobs that are a link": _blobs_elsewhere,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_link_that_is_no_blob_of_its_repository_is_refused(name: str, tmp_path: Path) -> None:
    snapshot = hub(tmp_path)
    HOSTILE[name](snapshot)

    found = problems(snapshot)

    assert set(found.values()) == {"symlink-outside"}
    assert name == "blobs that are a link" or set(found) == {"x"}


@pytest.mark.parametrize(
    "layout",
    [{"repository": "datasets--org--tiny"}, {"repository": "tiny"}, {"snapshots": "versions"}],
    ids=str,
)
def test_a_folder_that_only_resembles_a_snapshot_gets_nothing(layout: dict[str, str], tmp_path: Path) -> None:
    assert set(problems(hub(tmp_path, **layout)).values()) == {"symlink-outside"}


def test_a_repository_within_a_model_is_no_licence_for_its_links(tmp_path: Path) -> None:
    """The layout counts for the folder that was named, not for a copy of it that a model brings along."""
    model = tiny_model(tmp_path / "m")
    inner = hub(model)
    _elsewhere(inner, "/etc/hostname")

    found = problems(model)

    assert found[f"models--org--tiny/snapshots/{REVISION}/x"] == "symlink-outside"


def test_the_repository_itself_is_not_a_model_and_the_line_names_the_snapshot(tmp_path: Path) -> None:
    snapshot = hub(tmp_path)

    with pytest.raises(SourceError, match=REVISION):
        resolve(str(snapshot.parents[1]), tmp_path)
