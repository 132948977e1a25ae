"""Git's objects by their bytes: blobs, LFS pointers, trees and commits, hashed and read without git (SHA-1 repositories).

Sources: git's documentation of object storage (gitformat-object) and the Git LFS pointer specification, version 1.
"""

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho.errors import LimitError, MalformedError
from sekisho.limits import DEFAULT, MIB

FILE: Final = "100644"
EXECUTABLE: Final = "100755"
LINK: Final = "120000"
FOLDER: Final = "40000"
SUBMODULE: Final = "160000"
SHA1: Final = re.compile(r"[0-9a-f]{40}")
_HEADER: Final = re.compile(rb"(commit|tree) (\d{1,12})\0")
_IDENTITY: Final = re.compile(r"(.{0,1000}) \d{1,12} [+-]\d{4}")


@dataclass(frozen=True)
class Entry:
    """One file of a commit."""

    path: str
    mode: str
    """FILE, EXECUTABLE, LINK or SUBMODULE."""
    blob: str
    """Hex SHA-1 of its blob (or pointer, or commit)."""


@dataclass(frozen=True)
class Commit:
    """A commit object, read."""

    id: str
    tree: str
    author: str
    """As git writes it, without the time."""


def object_id(kind: str, data: bytes) -> str:
    """Hex id of an object."""
    return _sha1(f"{kind} {len(data)}\0".encode(), data)


def blob_of(path: Path) -> str:
    """Id of a file's bytes as a blob, streamed. Raises OSError, also where the file changes size meanwhile."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        made = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        seen = 0
        while piece := file.read(MIB):
            made.update(piece)
            seen += len(piece)
    if seen != size:
        raise OSError("the file changed while it was read")
    return made.hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """The LFS pointer that stands for a file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def tree_objects(entries: Iterable[Entry]) -> dict[str, bytes]:
    """Every tree that the entries make, by folder path (`""` is the root). Raises MalformedError, LimitError."""
    folders: dict[str, dict[str, tuple[str, str]]] = {"": {}}
    for entry in entries:
        *above, name = _parts(entry.path)
        for depth in range(1, len(above) + 1):
            folders.setdefault("/".join(above[:depth]), {})
        here = folders["/".join(above)]
        if name in here:
            raise MalformedError(f"{entry.path} is listed twice")
        here[name] = (entry.mode, entry.blob)
    made: dict[str, bytes] = {}
    for folder in sorted(folders, key=lambda f: f.count("/") if f else -1, reverse=True):
        made[folder] = _tree(folders[folder])
        if folder:
            parent, _, name = folder.rpartition("/")
            if name in folders[parent]:
                raise MalformedError(f"{folder} is a file and a folder")
            folders[parent][name] = (FOLDER, object_id("tree", made[folder]))
    return made


def tree_id(entries: Iterable[Entry]) -> str:
    """Id of the root tree. Raises MalformedError, LimitError."""
    return object_id("tree", tree_objects(entries)[""])


def flatten(root: str, trees: Mapping[str, bytes]) -> tuple[Entry, ...]:
    """Every file below a tree whose objects are at hand by id. Raises MalformedError, LimitError."""
    found: list[Entry] = []
    pending = [("", root, 0)]
    while pending:
        at, wanted, depth = pending.pop()
        data = trees.get(wanted)
        if data is None or object_id("tree", data) != wanted:
            raise MalformedError(f"tree {wanted} is missing or altered")
        if depth > DEFAULT.depth:
            raise LimitError("nested folders of a tree", depth, DEFAULT.depth)
        for mode, name, child in parse_tree(data):
            path = f"{at}{name}"
            if mode == FOLDER:
                pending.append((f"{path}/", child, depth + 1))
            else:
                found.append(Entry(path, mode, child))
        if len(found) + len(pending) > DEFAULT.files:
            raise LimitError("files of a commit", len(found) + len(pending), DEFAULT.files)
    return tuple(sorted(found, key=lambda e: e.path))


def parse_tree(data: bytes) -> tuple[tuple[str, str, str], ...]:
    """(mode, name, hex id) of each entry. Raises MalformedError."""
    found, at = [], 0
    while at < len(data):
        space, end = data.find(b" ", at, at + 8), data.find(b"\0", at)
        if space < 0 or end < space or end + 21 > len(data):
            raise MalformedError("a tree object is cut short")
        try:
            mode, name = data[at:space].decode("ascii"), data[space + 1 : end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError("a name in a tree object is not UTF-8") from error
        _parts(name)
        if "/" in name or mode not in {FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE, "100664"}:
            raise MalformedError("a tree object has an impossible entry")
        found.append((mode, name, data[end + 1 : end + 21].hex()))
        at = end + 21
    if len({name for _, name, _ in found}) != len(found):
        raise MalformedError("a tree object lists a name twice")
    return tuple(found)


def parse_commit(data: bytes) -> Commit:
    """Read a commit: its body, with its header, or as git stores it loose. Raises MalformedError, LimitError."""
    body = commit_body(data)
    head, _, _ = body.partition(b"\n\n")
    lines = head.decode("utf-8", "backslashreplace").split("\n")
    plain = [line.partition(" ")[::2] for line in lines if not line.startswith(" ")]
    named = dict(reversed(plain))
    whole = {"author", "committer"} <= set(named)
    if not whole or plain[0][0] != "tree" or not SHA1.fullmatch(plain[0][1]):
        raise MalformedError("this is no git commit object")
    return Commit(object_id("commit", body), plain[0][1], _author(named["author"]))


def commit_body(data: bytes) -> bytes:
    """The bytes that are hashed, without a header and uncompressed. Raises MalformedError, LimitError."""
    if len(data) > DEFAULT.commit_bytes:
        raise LimitError("commit object in bytes", len(data), DEFAULT.commit_bytes)
    if data[:1] == b"\x78":
        data = _inflated(data)
    header = _HEADER.match(data)
    if header is None:
        return data
    if header[1] != b"commit" or int(header[2]) != len(data) - header.end():
        raise MalformedError("the object's header does not fit it")
    return data[header.end() :]


def _inflated(data: bytes) -> bytes:
    opened = zlib.decompressobj()
    try:
        made = opened.decompress(data, DEFAULT.commit_bytes)
    except zlib.error as error:
        raise MalformedError("the object cannot be decompressed") from error
    if not opened.eof or opened.unused_data:
        raise MalformedError("the object is cut short, too long, or followed by something")
    return made


def _author(text: str) -> str:
    match = _IDENTITY.fullmatch(text)
    return match[1] if match else text[:1000]


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" or "\0" in part for part in parts):
        raise MalformedError(f"{path!r} is no path of a repository")
    if len(parts) > DEFAULT.depth + 1:
        raise LimitError("nested folders of a path", len(parts) - 1, DEFAULT.depth)
    return parts


def _tree(entries: Mapping[str, tuple[str, str]]) -> bytes:
    """Git sorts by bytes, a folder as if its name ended in a slash."""
    rows = [
        (name.encode("utf-8", "surrogateescape") + (b"/" if mode == FOLDER else b""), name, mode, blob)
        for name, (mode, blob) in entries.items()
    ]
    return b"".join(
        mode.encode() + b" " + name.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(blob)
        for _, name, mode, blob in sorted(rows)
    )


def _sha1(*parts: bytes) -> str:
    made = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        made.update(part)
    return made.hexdigest()
