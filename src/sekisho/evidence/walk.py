"""Every entry of a folder that a signature could cover, hashed once; nothing is passed over in silence.

A link is followed where the inventory follows one: to a file within the folder, or from a snapshot of the Hugging Face
cache to a blob beside it, whose name must then be the digest of its content.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sekisho.errors import LimitError, SourceError
from sekisho.limits import DEFAULT, MIB, Limits
from sekisho.sources.digest import order

LEFTOVERS: Final = ".cache/huggingface"
"""Where a download into a folder keeps its notes."""
_NOTE: Final = re.compile(
    rb".+\.lock\0|download/[^\0]+\.metadata\0[0-9a-f]{40}\n\"?[0-9a-zA-Z-]{1,200}\"?\n[0-9.]{1,40}\n?"
    rb"|\.gitignore\0\*\s*|CACHEDIR\.TAG\0Signature: 8a477f597d28d172789f06886806bc55.*"
    rb"|trees/[0-9a-f]{40}\.json\0\s*[\[{].*",
    re.DOTALL,
)
"""Path below LEFTOVERS and content of each, so that nothing else hides there; `data/verify.py` has the same."""
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


def take(
    root: Path, limits: Limits = DEFAULT, *, known: Mapping[str, str] | None = None
) -> tuple[Entry, ...]:
    """All entries in the order OMS signs them. Raises SourceError, LimitError beyond `limits.files` or `limits.depth`.

    `known` has digests that this process computed a moment ago; such files are not read again.
    """
    try:
        if root.is_file():
            return (
                _file(root.absolute(), ".", linked=root.is_symlink(), known=(known or {}).get(root.name)),
            )
        if not root.is_dir():
            raise SourceError(f"{root}: no such model folder or file")
        found: list[Entry] = []
        for entry in _walk(root.resolve(), _Way(root.resolve(), limits, known or {}), 0):
            found.append(entry)
            if len(found) > limits.files:
                raise LimitError("files of one model", len(found), limits.files)
    except OSError as error:
        raise SourceError(f"{root}: {error.strerror or error}") from error
    return tuple(sorted(found, key=lambda e: order(e.path)))


@final
@dataclass(frozen=True)
class _Way:
    """What stays the same while walking."""

    root: Path
    limits: Limits
    known: Mapping[str, str]


def _walk(folder: Path, way: _Way, depth: int) -> Iterator[Entry]:
    root = way.root
    if depth > way.limits.depth:
        raise LimitError("nested folders", depth, way.limits.depth)
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
            yield from _walk(path, way, depth + 1)
        else:
            yield _entry(path, name, way)


def _entry(path: Path, name: str, way: _Way) -> Entry:
    root = way.root
    linked = path.is_symlink()
    if linked:
        refused = _refused(path, root)
        if refused:
            return Entry(name, linked=True, problem=refused)
    if not stat.S_ISREG(path.stat().st_mode):
        return Entry(name, problem="no-file")
    made = _file(path, name, linked=linked, known=way.known.get(name))
    if (
        linked
        and not made.problem
        and not path.resolve().is_relative_to(root)
        and not _named(path, made.sha256)
    ):
        return Entry(name, made.sha256, linked=True, problem="blob-renamed")
    if not linked and _is_note(path, name):
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
    """Whether it was left by a download, and is what it says it is."""
    if not name.startswith(LEFTOVERS + "/"):
        return False
    with path.open("rb") as file:
        data = file.read(DEFAULT.listing_bytes)
    return _NOTE.fullmatch(os.fsencode(name[len(LEFTOVERS) + 1 :]) + b"\0" + data) is not None


def _file(path: Path, name: str, *, linked: bool, known: str | None = None) -> Entry:
    try:
        digest = known or sha256(path)
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
