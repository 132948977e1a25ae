"""Trees, pointers and commits rebuilt without git are what git itself makes."""

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

import pytest

from sekisho.errors import ArtefactError, MalformedError
from sekisho.limits import DEFAULT
from sekisho.provenance import gitattributes, gitobjects
from sekisho.provenance.gitobjects import Entry

ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}  # fmt: skip


def git(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=ENVIRONMENT, capture_output=True, check=True
    )
    return done.stdout


def repository(folder: Path) -> Path:
    """A repository with nested folders, an executable, a link, names that sort oddly, and a stored pointer."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, data in {
        "a.json": b"{}",
        "a/b.txt": b"b",
        "a.b": b"",
        "a/é": b"\x00",
        "z/y/x/w": b"deep",
        "a0": b"0",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("a.json")
    weights = b"weights" * 100
    pointer = gitobjects.pointer(hashlib.sha256(weights).hexdigest(), len(weights))
    (folder / "model.safetensors").write_bytes(pointer)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


def listed(folder: Path) -> list[Entry]:
    found = []
    for path in sorted(
        p for p in folder.rglob("*") if ".git" not in p.parts and not (p.is_dir() and not p.is_symlink())
    ):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found.append(
                Entry(
                    name, gitobjects.LINK, gitobjects.object_id("blob", path.readlink().as_posix().encode())
                )
            )
        else:
            mode = gitobjects.EXECUTABLE if path.stat().st_mode & 0o100 else gitobjects.FILE
            found.append(Entry(name, mode, gitobjects.blob_of(path)))
    return found


def test_the_rebuilt_tree_is_gits_own(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    expected = git(folder, "rev-parse", "HEAD^{tree}").decode().strip()
    assert gitobjects.tree_id(listed(folder)) == expected
    changed = [Entry(e.path, gitobjects.FILE, e.blob) if e.path == "run.sh" else e for e in listed(folder)]
    assert gitobjects.tree_id(changed) != expected


def test_a_pointer_is_what_lfs_writes() -> None:
    text = gitobjects.pointer("ab" * 32, 12).decode()
    assert text == "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 12\n"


def test_the_commit_is_read_and_its_id_is_gits_own(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    head = git(folder, "rev-parse", "HEAD").decode().strip()
    body = git(folder, "cat-file", "commit", "HEAD")
    loose = (folder / ".git" / "objects" / head[:2] / head[2:]).read_bytes()
    for form in (body, b"commit %d\0" % len(body) + body, loose):
        read = gitobjects.parse_commit(form)
        assert read.id == head
        assert read.tree == git(folder, "rev-parse", "HEAD^{tree}").decode().strip()
        assert read.author == "A <a@example.org>"


def test_stored_trees_give_the_files_back(tmp_path: Path) -> None:
    entries = listed(repository(tmp_path / "r"))
    objects = gitobjects.tree_objects(entries)
    by_id = {gitobjects.object_id("tree", data): data for data in objects.values()}
    assert gitobjects.flatten(gitobjects.tree_id(entries), by_id) == tuple(
        sorted(entries, key=lambda e: e.path)
    )
    one = next(iter(by_id))
    with pytest.raises(MalformedError):
        gitobjects.flatten(gitobjects.tree_id(entries), {**by_id, one: b"x"})


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", "", "a/./b"])
def test_paths_that_leave_are_refused(path: str) -> None:
    with pytest.raises(MalformedError):
        gitobjects.tree_id([Entry(path, gitobjects.FILE, "0" * 40)])


def test_a_file_that_is_a_folder_too_and_a_file_twice_are_refused() -> None:
    one, two = Entry("a", gitobjects.FILE, "0" * 40), Entry("a/b", gitobjects.FILE, "0" * 40)
    with pytest.raises(MalformedError):
        gitobjects.tree_id([one, two])
    with pytest.raises(MalformedError):
        gitobjects.tree_id([one, one])


@pytest.mark.parametrize(
    "data",
    [b"", b"tree x\n", b"tree " + b"0" * 40 + b"\n\n", b"commit 5\0abc", b"\x78\x9c", zlib.compress(b"x" * 20_000_000)[:64],
     b"tree " + b"0" * 40 + b"\nparent\n\n", b"blob 3\0abc"],
)  # fmt: skip
def test_no_commit_is_no_commit(data: bytes) -> None:
    with pytest.raises(ArtefactError):
        gitobjects.parse_commit(data)


def test_a_commit_whose_every_line_goes_on_from_the_one_before_is_none() -> None:
    """Found by damage: it ended in an IndexError."""
    with pytest.raises(MalformedError, match="no git commit"):
        gitobjects.parse_commit(b' {"sekisho": 1}\n more')


def test_a_bomb_and_a_large_commit_are_refused() -> None:
    with pytest.raises(ArtefactError):
        gitobjects.parse_commit(zlib.compress(b"x" * (4 * DEFAULT.commit_bytes)))
    with pytest.raises(ArtefactError):
        gitobjects.parse_commit(b"x" * (DEFAULT.commit_bytes + 1))


@pytest.mark.parametrize(
    "data",
    [b"100644 a\0short", b"100644 ..\0" + b"0" * 20, b"100644 a/b\0" + b"0" * 20, b"777 a\0" + b"0" * 20],
)
def test_a_broken_tree_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        gitobjects.parse_tree(data)


ATTRIBUTES = """\
*.safetensors filter=lfs diff=lfs merge=lfs -text
*.bin filter=lfs
small.bin !filter
/onnx/**/*.data filter=lfs
docs/* -filter
*tfevents* filter=lfs
saved_model/**/* filter=lfs
"my file.gguf" filter=lfs
[a-c]at.x filter=lfs
[^a]og.x filter=lfs
"""
PATHS = (
    "model.safetensors", "sub/model.safetensors", "x.bin", "small.bin", "sub/small.bin", "onnx/a.data", "onnx/x/y/a.data",
    "other/onnx/a.data", "docs/x.bin", "docs/deep/x.bin", "events.out.tfevents.1", "saved_model/x", "saved_model/a/b",
    "my file.gguf", "bat.x", "dat.x", "dog.x", "aog.x", "config.json",
)  # fmt: skip


def test_attributes_are_read_as_git_reads_them(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r")
    (folder / ".gitattributes").write_text(ATTRIBUTES)
    (folder / "sub").mkdir()
    (folder / "sub" / ".gitattributes").write_text("*.safetensors filter=other\n")
    said = git(folder, "check-attr", "filter", "--", *PATHS).decode().splitlines()
    expected = {p: line.endswith(": lfs") for p, line in zip(PATHS, said, strict=True)}
    every = gitattributes.rules(ATTRIBUTES) + gitattributes.rules("*.safetensors filter=other\n", "sub/")
    assert {p: gitattributes.in_lfs(p, every) for p in PATHS} == expected


def test_a_pattern_of_stars_takes_no_time() -> None:
    every = gitattributes.rules("/".join(["**", "*a*a*a*a*a*a*a*b"] * 200) + " filter=lfs")
    assert not gitattributes.in_lfs("/".join(["a" * 200] * 16), every)
