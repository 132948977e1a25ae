"""Models of a hub, through huggingface_hub against a fake one on this machine."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho import acquire
from sekisho.errors import DigestError, SourceError
from sekisho.provenance import gitobjects, origin
from sekisho.provenance.gitobjects import Entry
from sekisho.sources import git_remote, hub
from sekisho.sources.listed import Expected
from sources import servers

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.integration]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tiny_model(tmp_path_factory.mktemp("model"))
    (folder / "sub").mkdir()
    (folder / "sub" / "notes.txt").write_text("notes\n")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


LFS = frozenset({"model.safetensors"})


def commit_of(files: dict[str, bytes]) -> tuple[str, bytes, dict[str, bytes]]:
    """(id, body, trees) of a commit of these files."""
    entries = [Entry(p, gitobjects.FILE, _blob(p, d)) for p, d in files.items()]
    trees = gitobjects.tree_objects(entries)
    root = gitobjects.object_id("tree", trees[""])
    body = f"tree {root}\nauthor A <a@example.org> 1767323045 +0000\ncommitter C <c@example.org> 1767323045 +0000\n\nx\n".encode()
    return gitobjects.object_id("commit", body), body, trees


def _blob(path: str, data: bytes) -> str:
    return servers.blob(gitobjects.pointer(servers.sha256(data), len(data)) if path in LFS else data)


@pytest.fixture
def no_git(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """The hub's git answers with the commit, without a git server."""
    _, body, trees = commit_of(files)
    monkeypatch.setattr(git_remote, "objects", lambda *_: (body, tuple(trees.values())))


@pytest.fixture
def served(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[servers.Served]:
    with servers.serving(servers.hub(files, commit_of(files)[0], lfs=LFS)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_TOKEN", "hf_secretsecret")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield running


@pytest.mark.usefixtures("no_git")
def test_a_moving_name_is_resolved_recorded_and_said(
    tmp_path: Path, served: servers.Served, files: dict[str, bytes]
) -> None:
    commit, said = commit_of(files)[0], list[str]()
    folder = acquire.acquire(
        "hf:org/tiny@main", acquire.Wanted(cache=tmp_path / "c", who="Hana"), said.append
    )
    record = origin.read(origin.place(folder))
    assert record is not None
    assert (record.requested, record.revision, record.uri) == ("main", commit, f"hf:org/tiny@{commit}")
    assert record.who == "Hana"
    assert any("main is commit" in line for line in said)
    assert {e.path for e in record.files} == set(files)
    got = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert {k: v for k, v in got.items() if not k.startswith(".cache/")} == files
    written = b"".join(p.read_bytes() for p in (tmp_path / "c").rglob("*") if p.is_file())
    assert b"secretsecret" not in written
    assert gitobjects.parse_commit(record.commit).id == commit


@pytest.mark.slow
@pytest.mark.usefixtures("no_git")
def test_an_altered_file_keeps_nothing(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_of(files)[0]
    other = bytearray(files["model.safetensors"])
    other[-1] ^= 1
    answer = servers.hub(files, commit, lfs=LFS, altered={"model.safetensors": bytes(other)})
    with servers.serving(answer) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        with pytest.raises(DigestError, match=r"model\.safetensors"):
            acquire.acquire(f"hf:org/tiny@{commit}", acquire.Wanted(cache=tmp_path / "c"))
    assert not [p for p in (tmp_path / "c").rglob("*") if p.is_file()]


@pytest.mark.slow
def test_another_commit_than_the_pinned_one_is_refused(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = "1" * 40
    info = json.dumps(
        {"_id": "1", "id": "org/tiny", "sha": "2" * 40, "siblings": [], "private": False}
    ).encode()
    with servers.serving(lambda p, _h, _b: (200, {}, b"[]" if "/tree/" in p else info)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        with pytest.raises(SourceError):
            acquire.acquire(f"hf:org/tiny@{wanted}", acquire.Wanted(cache=tmp_path / "c"))


@pytest.mark.slow
def test_a_hub_that_has_no_such_model_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving(lambda *_: None) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        with pytest.raises(SourceError, match="could not be fetched") as caught:
            acquire.acquire("hf:org/none@" + "1" * 40, acquire.Wanted(cache=tmp_path / "c"))
    assert "\n" not in str(caught.value)


def test_a_hub_without_encryption_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.org")
    with pytest.raises(SourceError, match="only https"):
        acquire.acquire("hf:org/tiny@main", acquire.Wanted(cache=tmp_path / "c"))


def test_files_are_held_against_the_list(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    listed = Expected("a", 3, "", servers.blob(b"abc"), lfs=False)
    hub._verify(tmp_path, listed)
    hub._verify(tmp_path, replace(listed, sha256=servers.sha256(b"abc"), lfs=True))
    for wrong in (
        replace(listed, git_blob="0" * 40),
        replace(listed, sha256="0" * 64),
        replace(listed, size=4),
    ):
        with pytest.raises(DigestError):
            hub._verify(tmp_path, wrong)
    with pytest.raises(SourceError, match="did not come"):
        hub._verify(tmp_path, replace(listed, path="b"))


@pytest.mark.parametrize("change", [{"path": 3}, {"size": -1}, {"git_blob": "x"}, {"sha256": "zz"}])
def test_a_hub_that_lists_nonsense_is_refused(change: dict[str, object]) -> None:
    entry = {"path": "a", "size": 1, "sha256": "", "git_blob": "0" * 40} | change
    with pytest.raises(SourceError):
        hub._listed(entry)
