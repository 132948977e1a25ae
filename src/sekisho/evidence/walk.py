"""Every entry of a folder that a signature could cover, hashed once; nothing is passed over in silence.

A link is followed where the inventory follows one: to a file within the folder, or from a snapshot of the Hugging Face
cache to a blob beside it, whose name must then be the digest of its content.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sekisho.errors import LimitError, SourceError
from sekisho.limits import DEFAULT, MIB, Limits

GIT: Final = (".git", ".gitattributes", ".github", ".gitignore")
"""Top-level names that OMS implementations leave out unless told otherwise."""
LEFTOVERS: Final = ".cache/huggingface"
"""Where a download into a folder keeps its notes."""
_NOTES: Final = re.compile(
    r"\.cache/huggingface/(?:(?:\.gitignore|CACHEDIR\.TAG)(?:\.lock)?|(?:download/.+|trees/[0-9a-f]{40}\.json)\.lock"
    r"|download/.+\.metadata|trees/[0-9a-f]{40}\.json)"
)
_METADATA: Final = re.compile(rb"[0-9a-f]{40}\n\"?[0-9a-zA-Z-]{1,200}\"?\n[0-9.]{1,40}\n?")
_SHA256, _SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")


@final
@dataclass(frozen=True)
class Entry:
    """A file, or what stands in a file's place."""

    path: str
    """Relative, with forward slashes; `.` where the model is this one file."""
    sha256: str = ""
    """Hex; empty where it was not read."""
    linked: bool = False
    """Reached by a link."""
    problem: str = ""
    """Code of why it cannot be signed: a key of PROBLEMS; empty where it can."""
    kind: str = "file"
    """`file`, `note` (left by a download), `empty` (folder) or `git` (version control, not walked)."""


PROBLEMS: Final = {
    "link-outside": "a link that leaves the model's folder",
    "link-folder": "a link to a folder",
    "link-broken": "a link to nothing",
    "blob-renamed": "a cache blob whose name is not the digest of its content",
    "no-file": "a pipe, socket or device",
    "bad-name": "a name that is not plain text",
    "unreadable": "not readable",
    "changing": "changed while it was read",
}
"""In English; the report has the sentences in both languages."""


def take(root: Path, limits: Limits = DEFAULT) -> tuple[Entry, ...]:
    """All entries in the order OMS signs them. Raises SourceError, LimitError beyond `limits.files` or `limits.depth`."""
    try:
        if root.is_file():
            return (_file(root.absolute(), ".", linked=root.is_symlink()),)
        if not root.is_dir():
            raise SourceError(f"{root}: no such model folder or file")
        found: list[Entry] = []
        for entry in _walk(root.resolve(), root.resolve(), limits, 0):
            found.append(entry)
            if len(found) > limits.files:
                raise LimitError("files of one model", len(found), limits.files)
    except OSError as error:
        raise SourceError(f"{root}: {error.strerror or error}") from error
    return tuple(sorted(found, key=lambda e: order(e.path)))


def order(path: str) -> list[str]:
    """Key of the order that OMS implementations list files in: by parts of the path."""
    return path.split("/")


def _walk(folder: Path, root: Path, limits: Limits, depth: int) -> Iterator[Entry]:
    if depth > limits.depth:
        raise LimitError("nested folders", depth, limits.depth)
    entries = sorted(os.scandir(folder), key=lambda e: e.name)
    if not entries and depth:
        yield Entry(folder.relative_to(root).as_posix(), kind="empty")
    for entry in entries:
        path = Path(entry.path)
        name = path.relative_to(root).as_posix()
        if not name.isprintable():
            yield Entry(ascii(name)[1:-1], problem="bad-name")
        elif name == ".git":
            yield Entry(name, kind="git")
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(path, root, limits, depth + 1)
        else:
            yield _entry(path, name, root)


def _entry(path: Path, name: str, root: Path) -> Entry:
    linked = path.is_symlink()
    if linked:
        refused = _refused(path, root)
        if refused:
            return Entry(name, linked=True, problem=refused)
    if not stat.S_ISREG(path.stat().st_mode):
        return Entry(name, problem="no-file")
    made = _file(path, name, linked=linked)
    if (
        linked
        and not made.problem
        and not path.resolve().is_relative_to(root)
        and not _named(path, made.sha256)
    ):
        return Entry(name, made.sha256, linked=True, problem="blob-renamed")
    if not linked and _NOTES.fullmatch(name) and _is_note(path, name):
        return Entry(name, made.sha256, kind="note")
    return made


def _refused(path: Path, root: Path) -> str:
    """Code of why a link is not followed; empty where it is."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "link-broken"
    if target.is_dir():
        return "link-folder"
    if target.is_relative_to(root):
        return ""
    repository = root.parent.parent
    cached = root.parent.name == "snapshots" and repository.name.startswith("models--")
    return "" if cached and target.parent == repository / "blobs" else "link-outside"


def _named(path: Path, sha256: str) -> bool:
    """Whether a cache blob bears the digest of its content: sha256, or git's sha1 of small files."""
    target = path.resolve()
    if _SHA256.fullmatch(target.name):
        return target.name == sha256
    if not _SHA1.fullmatch(target.name):
        return False
    made = hashlib.sha1(b"blob %d\0" % target.stat().st_size, usedforsecurity=False)
    with target.open("rb") as file:
        while block := file.read(MIB):
            made.update(block)
    return made.hexdigest() == target.name


def _is_note(path: Path, name: str) -> bool:
    """Whether a leftover of a download is what it says it is, so that nothing else hides under its name."""
    with path.open("rb") as file:
        data = file.read(DEFAULT.listing_bytes)
    if name.endswith(".lock"):
        return not data
    if name.endswith(".metadata"):
        return _METADATA.fullmatch(data) is not None
    if name.endswith(".gitignore"):
        return data.strip() == b"*"
    return data.startswith(b"Signature: 8a477f597d28d172789f06886806bc55") or name.endswith(".json")


def _file(path: Path, name: str, *, linked: bool) -> Entry:
    try:
        digest = sha256(path)
    except OSError:
        return Entry(name, linked=linked, problem="unreadable")
    return Entry(name, digest or "", linked, "" if digest else "changing")


def sha256(path: Path) -> str | None:
    """Digest of a file in hex; None where it changed while it was read. Raises OSError."""
    digest, buffer = hashlib.sha256(), bytearray(MIB)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        while count := file.readinto(buffer):
            digest.update(view[:count])
        after = os.fstat(file.fileno())
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return digest.hexdigest() if same else None
