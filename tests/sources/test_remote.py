"""Git repositories, plain addresses and OCI artefacts: pinned, bounded, nothing executed, nothing kept on a mismatch."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from sekisho import acquire
from sekisho.errors import DigestError, SourceError
from sekisho.provenance import gitobjects, origin
from sekisho.sources import address
from sources import servers

pytestmark = pytest.mark.integration

ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
}  # fmt: skip
FILES = {"config.json": b"{}\n", "model.safetensors": b"w" * 1000, "sub/notes.txt": b"n"}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=ENVIRONMENT, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def repository(folder: Path) -> Path:
    """A repository with an LFS pointer, its content in the store, a hook and a filter that would leave a mark."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, data in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    weights = b"large" * 500
    digest = hashlib.sha256(weights).hexdigest()
    (folder / "big.gguf").write_bytes(gitobjects.pointer(digest, len(weights)))
    (folder / ".gitattributes").write_text("*.gguf filter=lfs\n")
    store = folder / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    (store / digest).write_bytes(weights)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    for name in ("post-checkout", "post-upload-pack", "reference-transaction"):
        hook = folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {folder.parent}/ran\n")
        hook.chmod(0o755)
    return folder


def fetch(spec: str, tmp_path: Path) -> Path:
    return acquire.acquire(spec, acquire.Wanted(cache=tmp_path / "cache"))


def kept(tmp_path: Path) -> list[Path]:
    return [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_git_at_a_commit_and_by_a_moving_name(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    head = git(folder, "rev-parse", "HEAD")
    made = fetch(f"git+file://{folder}@{head}", tmp_path)
    got = {p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()}
    assert got == {**FILES, "big.gguf": b"large" * 500, ".gitattributes": b"*.gguf filter=lfs\n"}
    record = origin.read(origin.place(made))
    assert record is not None
    assert gitobjects.parse_commit(record.commit).id == head
    assert {
        e.path for e in gitobjects.flatten(gitobjects.parse_commit(record.commit).tree, record.by_id)
    } == set(got)
    assert fetch(f"git+file://{folder}@main", tmp_path) == made
    assert not (tmp_path / "ran").exists()


def test_git_lfs_content_that_is_altered_keeps_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    stored = next(p for p in (folder / ".git" / "lfs").rglob("*") if p.is_file())
    stored.write_bytes(b"Large" * 500)
    with pytest.raises(DigestError):
        fetch(f"git+file://{folder}@{git(folder, 'rev-parse', 'HEAD')}", tmp_path)
    assert kept(tmp_path) == []


def test_git_links_out_and_submodules_are_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    (folder / "way-out").symlink_to("../../secret")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "link")
    with pytest.raises(SourceError, match="link out"):
        fetch(f"git+file://{folder}@main", tmp_path)
    git(folder, "rm", "-q", "way-out")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(folder, "commit", "-qm", "module")
    with pytest.raises(SourceError, match="submodule"):
        fetch(f"git+file://{folder}@main", tmp_path)
    assert kept(tmp_path) == []


def test_git_without_that_commit_is_one_line(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    for revision in ("1" * 40, "no-such-branch"):
        with pytest.raises(SourceError) as caught:
            fetch(f"git+file://{folder}@{revision}", tmp_path)
        assert "\n" not in str(caught.value)


def test_a_file_by_its_digest(tmp_path: Path) -> None:
    data = b"x" * 100_000
    with servers.serving(lambda p, _h, _b: (200, {}, data) if p == "/a/model.gguf" else None) as served:
        spec = f"{served.url}/a/model.gguf#sha256={servers.sha256(data)}"
        made = fetch(spec, tmp_path)
        assert (made / "model.gguf").read_bytes() == data
        record = origin.read(origin.place(made))
        assert record is not None
        assert record.revision == f"sha256:{servers.sha256(data)}"
        with pytest.raises(SourceError, match="digest"):
            fetch(f"{served.url}/a/model.gguf", tmp_path)
        with pytest.raises(DigestError):
            fetch(f"{served.url}/a/model.gguf#sha256={'0' * 64}", tmp_path)
    assert {p.name for p in kept(tmp_path)} == {"model.gguf", origin.place(made).name}


def test_redirects_are_few_and_never_lead_down(tmp_path: Path) -> None:
    def round_and_round(path: str, _h: dict[str, str], _b: bytes) -> servers.Reply:
        return 302, {"Location": path + "x"}, b""

    with servers.serving(round_and_round) as served, pytest.raises(SourceError):
        fetch(f"{served.url}/m.gguf#sha256={'0' * 64}", tmp_path)
    assert len(served.seen) <= 8
    with (
        servers.serving(lambda *_: (302, {"Location": "http://example.org/x"}, b"")) as served,
        pytest.raises(SourceError, match="only https"),
    ):
        fetch(f"{served.url}/m.gguf#sha256={'0' * 64}", tmp_path)
    with (
        servers.serving(lambda *_: (302, {"Location": "file:///etc/hostname"}, b"")) as served,
        pytest.raises(SourceError),
    ):
        fetch(f"{served.url}/m.gguf#sha256={'0' * 64}", tmp_path)
    assert kept(tmp_path) == []


def registry(files: dict[str, bytes], *, altered: str = "", token: str = "") -> servers.Answer:
    data = servers.manifest(files)
    blobs = {f"sha256:{servers.sha256(d)}": (b"?" * len(d) if p == altered else d) for p, d in files.items()}

    def answer(path: str, headers: dict[str, str], _b: bytes) -> servers.Reply | None:
        host = f"http://{headers['host']}"
        if path.startswith("/token"):
            return 200, {}, json.dumps({"token": token}).encode()
        if token and headers.get("authorization") != f"Bearer {token}":
            return 401, {"WWW-Authenticate": f'Bearer realm="{host}/token",service="here"'}, b""
        if path in {"/v2/team/tiny/manifests/v1", f"/v2/team/tiny/manifests/sha256:{servers.sha256(data)}"}:
            return 200, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}, data
        found = blobs.get(path.removeprefix("/v2/team/tiny/blobs/"))
        return (200, {}, found) if found is not None else None

    return answer


@pytest.mark.parametrize("token", ["", "anonymous-token"])
def test_an_artefact_of_a_registry(tmp_path: Path, token: str) -> None:
    digest = f"sha256:{servers.sha256(servers.manifest(FILES))}"
    with servers.serving(registry(FILES, token=token)) as served:
        host = served.url.removeprefix("http://")
        made = fetch(f"oci://{host}/team/tiny@{digest}", tmp_path)
        assert {
            p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()
        } == FILES
        assert fetch(f"oci://{host}/team/tiny@v1", tmp_path) == made
        with pytest.raises(SourceError):
            fetch(f"oci://{host}/team/tiny@sha256:{'0' * 64}", tmp_path)
    written = b"".join(p.read_bytes() for p in kept(tmp_path))
    assert b"anonymous-token" not in written


def test_a_registry_that_serves_another_blob_keeps_nothing(tmp_path: Path) -> None:
    with servers.serving(registry(FILES, altered="config.json")) as served, pytest.raises(DigestError):
        fetch(f"oci://{served.url.removeprefix('http://')}/team/tiny@v1", tmp_path)
    assert kept(tmp_path) == []


def layout(folder: Path, files: dict[str, bytes]) -> str:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    data = servers.manifest(files)
    for content in (data, *files.values()):
        (blobs / servers.sha256(content)).write_bytes(content)
    entry = {
        "digest": f"sha256:{servers.sha256(data)}",
        "size": len(data),
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return f"sha256:{servers.sha256(data)}"


def test_an_image_layout_on_disk(tmp_path: Path) -> None:
    digest = layout(tmp_path / "layout", FILES)
    made = fetch(f"oci-layout:{tmp_path / 'layout'}@{digest}", tmp_path)
    assert {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()} == set(FILES)
    assert fetch(f"oci-layout:{tmp_path / 'layout'}@v1", tmp_path) == made
    with pytest.raises(SourceError):
        fetch(f"oci-layout:{tmp_path / 'layout'}@v2", tmp_path)


@pytest.mark.parametrize("name", ["../up", "/abs", "a/../../b", "C:x", "a\\b", ".git/config", "nul\x00"])
def test_a_title_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    digest = layout(tmp_path / "layout", {name: b"x"})
    with pytest.raises(SourceError):
        fetch(f"oci-layout:{tmp_path / 'layout'}@{digest}", tmp_path)
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "spec",
    ["hf:org", "hf:org/name@../../x", "hf:a/b/c", "git+ext::sh -c x", "git+http://example.org/x@main", "git+file://-x/y@main",
     "http://example.org/x#sha256=" + "0" * 64, "https:///x", "https://h/x#md5=0", "oci://h@sha256:" + "0" * 64, "ftp://h/x",
     "hf:org/na me", "hf:org/" + "x" * 5000, "git+ssh://-oProxyCommand=x/y@main"],
)  # fmt: skip
def test_what_is_no_address_is_refused(spec: str) -> None:
    with pytest.raises(SourceError):
        address.parse(spec)


def test_credentials_are_never_printed() -> None:
    for spec in (
        "git+https://me:secret@example.org/x@main",
        f"https://me:secret@example.org/x#sha256={'0' * 64}",
    ):
        assert "secret" not in address.parse(spec).uri()
