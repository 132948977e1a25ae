"""Folders as a download leaves them, and the commit that they make."""

import json
import shutil
from pathlib import Path

from artefacts import tiny_model
from sekisho.provenance import gitobjects
from sekisho.provenance.gitobjects import Entry
from sources import servers

LFS = frozenset({"model.safetensors"})
OLD = "0" * 40


def commit(files: dict[str, bytes]) -> tuple[str, bytes]:
    """(id, body) of a commit of these files."""
    entries = [Entry(p, gitobjects.FILE, blob(p, d)) for p, d in files.items()]
    tree = gitobjects.tree_id(entries)
    body = f"tree {tree}\nauthor A <a@example.org> 1767323045 +0000\ncommitter C <c@example.org> 1767323045 +0000\n\nx\n".encode()
    return gitobjects.object_id("commit", body), body


def blob(path: str, data: bytes) -> str:
    """Git id of a file as the repository keeps it."""
    return servers.blob(gitobjects.pointer(servers.sha256(data), len(data)) if path in LFS else data)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a plain folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def local_dir(folder: Path, *, listed: bool = True) -> tuple[Path, str, bytes]:
    """A `local_dir` download with its metadata: (folder, commit id, commit body)."""
    files = contents(tiny_model(folder))
    revision, body = commit(files)
    home = folder / ".cache" / "huggingface"
    for path, data in files.items():
        etag = servers.sha256(data) if path in LFS else servers.blob(data)
        metadata = home / "download" / f"{path}.metadata"
        metadata.parent.mkdir(parents=True, exist_ok=True)
        metadata.write_text(f"{revision}\n{etag}\n1767323045.5\n")
        metadata.with_name(f"{path}.lock").touch()
    (home / ".gitignore").write_text("*")
    (home / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    if listed:
        write_list(home, revision, files)
    return folder, revision, body


def cache(folder: Path, *, listed: bool = True) -> tuple[Path, str, bytes]:
    """A snapshot in the cache's layout: (snapshot, commit id, commit body)."""
    files = contents(tiny_model(folder / "plain"))
    shutil.rmtree(folder / "plain")
    revision, body = commit(files)
    home = folder / "models--org--tiny"
    snapshot = home / "snapshots" / revision
    (home / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path, data in files.items():
        name = servers.sha256(data) if path in LFS else servers.blob(data)
        (home / "blobs" / name).write_bytes(data)
        (snapshot / path).symlink_to(f"../../blobs/{name}")
    if listed:
        write_list(home, revision, files)
    return snapshot, revision, body


def write_list(home: Path, revision: str, files: dict[str, bytes]) -> None:
    """Write `trees/<commit>.json` as huggingface_hub does."""
    listed: dict[str, dict[str, object]] = {}
    for path, data in files.items():
        listed[path] = {"size": len(data), "blob_id": blob(path, data)}
        if path in LFS:
            listed[path] |= {"lfs_sha256": servers.sha256(data), "lfs_size": len(data)}
    (home / "trees").mkdir(exist_ok=True)
    (home / "trees" / f"{revision}.json").write_text(json.dumps({"format_version": 1, "files": listed}))
