"""Walk a model once and write down every file: sniff, read its facts, hash it and look at its numbers in one read.

What cannot be read becomes a fact with a problem, `code: sentence`; see PROBLEMS. A link is followed to a file
within the model, and from a snapshot of the Hugging Face cache, `models--*/snapshots/<revision>`, to a blob of
the same repository, `models--*/blobs/<digest>`: there, every file of every model is such a link.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import Final, final

from sekisho.errors import LimitError, MalformedError, SourceError
from sekisho.formats import SNIFF_BYTES, numeric, polyglot, roles, sniff
from sekisho.formats.base import Format
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, Limits
from sekisho.records import FileFact, FileLine, FormatFacts, Inventory, Role

PROBLEMS: Final = {
    "malformed": "the bytes break their format",
    "over-limit": "a bound on reading was reached",
    "unreadable": "the system would not let it be read",
    "symlink-outside": "a link that leaves the model's folder",
    "symlink-folder": "a link to a folder, which could go round in circles",
    "symlink-broken": "a link to nothing",
    "not-a-file": "a pipe, socket or device",
    "bad-name": "a name that is not plain text",
    "too-many-files": "the listing was cut off here",
    "too-deep": "folders nested too deeply",
    "changed": "it was not the same before and after it was read",
    "not-walked": "a version-control folder, not part of a model",
}
"""Every code a problem can start with."""

_Mark = tuple[int, int, int, int]
"""Device, inode, bytes, nanoseconds of the last change."""
_NOT_WALKED: Final = frozenset({".git", ".hg", ".svn"})


@final
@dataclass(frozen=True)
class How:
    """How a model is walked."""

    limits: Limits = DEFAULT
    headers_only: bool = False
    """Read no file to its end: there are no digests then, and no numbers of weights."""
    tick: numeric.Tick | None = None
    """Told of every block read."""


def take(
    root: Path,
    limits: Limits = DEFAULT,
    *,
    headers_only: bool = False,
    tick: numeric.Tick | None = None,
) -> Inventory:
    """Inventory a model folder, or one file of its own; SourceError if there is nothing to look at."""
    how = How(limits, headers_only, tick)
    try:
        if root.is_dir():
            return Inventory(str(root), _folder(root.resolve(), how))
        if root.is_file():
            return Inventory(str(root.parent), _alone(root.absolute(), how))
    except OSError as error:
        raise SourceError(f"{shown(str(root))}: {error.strerror or error}") from error
    raise SourceError(f"{shown(str(root))}: no such model folder or file")


def weigh(root: Path) -> int:
    """Bytes of the files below a folder, or of one file, as far as they can be told; links are followed to files."""
    if not root.is_dir():
        return root.stat().st_size if root.is_file() else 0
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(OSError):
                total += (Path(folder) / name).stat().st_size
    return total


def lines(seen: Inventory) -> tuple[FileLine, ...]:
    """A model's files as a dossier lists them."""
    return tuple(FileLine(f.path, f.size, f.sha256, f.format, f.role.value, f.problem) for f in seen.files)


def problem_code(fact: FileFact) -> str:
    """Return the code of a file's problem, empty where it has none."""
    return fact.problem.partition(": ")[0]


def _folder(root: Path, how: How) -> tuple[FileFact, ...]:
    before = _marks(root, how.limits)
    found: list[FileFact] = []
    total = 0
    for entry in _walk(root, how):
        if len(found) >= how.limits.files:
            found.append(_blank("…", "too-many-files", f"more than {how.limits.files:,} files"))
            break
        found.append(entry)
        total += entry.size
        if total > how.limits.model_bytes:
            found.append(_blank("…", "over-limit", f"more than {how.limits.model_bytes:,} bytes in all"))
            break
    if not found:
        raise SourceError(f"{shown(str(root))}: the folder is empty")
    return tuple(sorted(_settled(found, before, _marks(root, how.limits)), key=lambda fact: fact.path))


def _alone(path: Path, how: How) -> tuple[FileFact, ...]:
    before = _mark(path)
    fact = _file(path, path.name, how)
    return tuple(_settled([fact], {fact.path: before}, {fact.path: _mark(path)}))


def _mark(path: Path) -> _Mark:
    """What tells one state of a file from the next."""
    seen = path.stat()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def _marks(root: Path, limits: Limits) -> dict[str, _Mark]:
    """The marks of all files by path; the same bound holds before and after the reading."""
    marks: dict[str, _Mark] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _NOT_WALKED)
        for name in names:
            with suppress(OSError):
                marks[_relative(Path(folder) / name, root)] = _mark(Path(folder) / name)
        if len(marks) > limits.files:
            break
    return marks


def _settled(found: list[FileFact], before: dict[str, _Mark], after: dict[str, _Mark]) -> Iterator[FileFact]:
    """Take nothing as read that was another file afterwards, and name what appeared meanwhile."""
    read = {fact.path for fact in found}
    for fact in found:
        if before.get(fact.path) == after.get(fact.path):
            yield fact
        else:
            yield _blank(fact.path, "changed", "it changed while the model was read", size=fact.size)
    for path in sorted(after.keys() - before.keys() - read):
        yield _blank(path, "changed", "it appeared while the model was read")


def _walk(root: Path, how: How) -> Iterator[FileFact]:
    """Every entry below a folder, folder by folder; what is empty costs time, too, so folders are counted."""
    waiting, seen = [(root, 0)], 0
    while waiting:
        folder, depth = waiting.pop()
        seen += 1
        if seen + len(waiting) > how.limits.folders:
            yield _blank("…", "too-many-files", f"more than {how.limits.folders:,} folders")
            return
        try:
            with os.scandir(folder) as listed:
                entries = sorted(islice(listed, how.limits.files + 1), key=lambda e: e.name)
        except OSError as error:
            if folder == root:
                raise
            yield _blank(_relative(folder, root), "unreadable", error.strerror or "input error")
            continue
        for entry in entries:
            path = Path(entry.path)
            if not entry.is_dir(follow_symlinks=False):
                yield _entry(path, root, how)
            elif entry.name in _NOT_WALKED:
                yield _blank(
                    _relative(path, root), "not-walked", "a version-control folder, not part of a model"
                )
            elif depth + 1 > how.limits.depth:
                yield _blank(
                    _relative(path, root), "too-deep", f"more than {how.limits.depth} nested folders"
                )
            else:
                waiting.append((path, depth + 1))


def _entry(path: Path, root: Path, how: How) -> FileFact:
    """Take one directory entry that is no folder."""
    name = _relative(path, root)
    if name != PurePath(path).relative_to(root).as_posix():
        return _blank(name, "bad-name", "its name is not plain text")
    try:
        if path.is_symlink():
            refused = _refused_link(path, root)
            if refused:
                return _blank(name, *refused)
        if not stat.S_ISREG(path.stat().st_mode):
            return _blank(name, "not-a-file", "a pipe, socket or device")
    except (OSError, RuntimeError) as error:
        return _blank(name, "unreadable", f"{error}")
    return _file(path, name, how)


def _refused_link(path: Path, root: Path) -> tuple[str, str] | None:
    """Say why a link is not followed; one to a file within the model is."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "symlink-broken", "a link to nothing, or round in circles"
    if not target.is_relative_to(root) and not _is_blob(path, target, root):
        return "symlink-outside", "a link that leaves the model's folder"
    if target.is_dir():
        return "symlink-folder", "a link to a folder of the model"
    return None


def _is_blob(path: Path, target: Path, root: Path) -> bool:
    """Say whether a link leads, in one hop, to a blob beside the snapshot that `root` is; both paths are resolved."""
    repository = root.parent.parent
    if root.parent.name != "snapshots" or not repository.name.startswith("models--"):
        return False
    aim = Path(os.path.normpath(path.parent / path.readlink()))
    return target.parent == repository / "blobs" and aim == target and target.is_file()


def _file(path: Path, name: str, how: How) -> FileFact:
    """Read one regular file: its head, its facts, then all of it at once for the digest and the numbers."""
    try:
        size = path.stat().st_size
        if size > how.limits.file_bytes:
            too_large = LimitError("file in bytes", size, how.limits.file_bytes)
            return _blank(name, "over-limit", str(too_large), size=size)
        with path.open("rb", buffering=0) as file:
            head = file.read(SNIFF_BYTES)
        form = sniff(head, path.name)
        kind = form.name if form else "unknown"
        facts, problem = _facts(form, path, how.limits) if form else (None, "")
        also = () if how.headers_only else polyglot.look(path, head, kind, how.limits)
        seen = numeric.Streamed() if how.headers_only else numeric.stream(path, facts, tick=how.tick)
    except OSError as error:
        return _blank(name, "unreadable", error.strerror or str(error) or "input error")
    role = roles.judge(kind, path.name, facts) if form else Role.UNKNOWN
    return FileFact(name, size, seen.sha256, kind, role, problem, facts, seen.numeric, also=also)


def _facts(form: Format, path: Path, limits: Limits) -> tuple[FormatFacts | None, str]:
    """What a reader says of a file, or why it says nothing."""
    try:
        return form.read(path, limits), ""
    except MalformedError as error:
        return None, f"malformed: {error}"
    except LimitError as error:
        return None, f"over-limit: {error}"
    except OSError as error:
        return None, f"unreadable: {error.strerror or 'input error'}"


def _relative(path: Path, root: Path) -> str:
    """Return the path as text that can always be written down."""
    text = path.relative_to(root).as_posix()
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def _blank(path: str, code: str, text: str, *, size: int = 0) -> FileFact:
    return FileFact(path, size, "", "unread", Role.UNKNOWN, f"{code}: {text}")
