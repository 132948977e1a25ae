"""Do these files make up that commit? Files against lists, and the rebuilt git tree against a commit object; offline.

The proof holds only as far as the expected revision came another way than the files: who swaps the files, the metadata
and the commit object together is consistent with himself. That the repository served this commit is the host's word
unless the commit is signed and the signature verified.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sekisho.errors import ArtefactError
from sekisho.limits import DEFAULT
from sekisho.provenance import gitattributes, gitobjects
from sekisho.provenance.gitobjects import EXECUTABLE, FILE, LINK, SUBMODULE, Commit, Entry
from sekisho.provenance.records import Deviation
from sekisho.records import FileFact
from sekisho.sources.listed import Expected

_ATTRIBUTES: Final = ".gitattributes"
_SINGLES: Final = 32
"""Scripts that are tried one by one as executable, where downloads lost that bit."""


@dataclass(frozen=True)
class Blob:
    """One file as git would store it."""

    path: str
    mode: str
    git_blob: str
    """Empty where the file could not be read."""
    lfs: bool
    sha256: str
    size: int


@dataclass(frozen=True)
class Proof:
    """Whether the files are the commit."""

    code: str
    """`proven`, `commit-is-another`, `tree-differs`, `no-commit-object`, `no-revision`, `commit-broken` or `unread-files`."""
    revision: str
    """The commit expected; empty where none was."""
    commit: Commit | None
    tree: str
    """Rebuilt from the files; empty where not all could be read."""
    deviations: tuple[Deviation, ...] = ()
    """Files that are not as the commit's own trees have them, where those are at hand."""

    @property
    def held(self) -> bool:
        """Every byte of every file, and nothing beside them, is what the commit says."""
        return self.code == "proven"


def blobs(
    root: Path, files: Sequence[FileFact], listed: Mapping[str, Expected], *, unlisted: bool = True
) -> tuple[Blob, ...]:
    """Each file as git would store it: as an LFS pointer where the list says so, or else the attributes do.

    Files that are not listed are read once more for their git id only if `unlisted` asks for it.
    """
    rules = _rules(root, files)
    return tuple(
        _blob(root, file, listed.get(file.path), rules)
        if unlisted or file.path in listed
        else Blob(file.path, FILE, "", lfs=False, sha256=file.sha256, size=file.size)
        for file in files
    )


def compare(found: Iterable[Blob], expected: Iterable[Expected], *, whole: bool) -> tuple[Deviation, ...]:
    """Name missing, extra, altered and unread files; a file that was never fetched is missing only from a `whole` list."""
    theirs = {e.path: e for e in expected}
    mine = {b.path: b for b in found}
    return tuple(_deviations(mine, theirs, whole=whole))


def prove(found: Sequence[Blob], expect: str, commit: bytes | None, trees: Mapping[str, bytes]) -> Proof:
    """Hold files against a commit object and, where they are at hand, its trees. `expect` is the 40-hex revision."""
    entries = tuple(Entry(b.path, b.mode, b.git_blob) for b in found if b.git_blob)
    if len(entries) != len(found):
        return Proof("unread-files", expect, None, "")
    try:
        tree = gitobjects.tree_id(entries)
    except ArtefactError:
        return Proof("unread-files", expect, None, "")
    if not commit:
        return Proof("no-commit-object", expect, None, tree)
    try:
        read = gitobjects.parse_commit(commit)
    except ArtefactError:
        return Proof("commit-broken", expect, None, tree)
    if not expect:
        return Proof("no-revision", expect, read, tree)
    if read.id != expect:
        return Proof("commit-is-another", expect, read, tree)
    if tree == read.tree:
        return Proof("proven", expect, read, tree)
    return _against_trees(found, read, tree, trees)


def _against_trees(found: Sequence[Blob], commit: Commit, tree: str, trees: Mapping[str, bytes]) -> Proof:
    try:
        wanted = {e.path: e for e in gitobjects.flatten(commit.tree, trees)} if trees else None
    except ArtefactError:
        wanted = None
    if wanted is None:
        if any(gitobjects.tree_id(v) == commit.tree for v in _variants(found)):
            return Proof("proven", commit.id, commit, commit.tree)
        return Proof("tree-differs", commit.id, commit, tree)
    deviations = tuple(_tree_deviations({b.path: b for b in found}, wanted))
    if not deviations:  # only modes differ, which downloads do not keep
        return Proof("proven", commit.id, commit, commit.tree)
    return Proof("tree-differs", commit.id, commit, tree, deviations)


def _tree_deviations(mine: Mapping[str, Blob], wanted: Mapping[str, Entry]) -> Iterator[Deviation]:
    for path in sorted(mine.keys() | wanted.keys()):
        ours, other = mine.get(path), wanted.get(path)
        actual = f"git:{ours.git_blob}" if ours else ""
        if other is None:
            yield Deviation(path, "extra", "", actual)
        elif ours is None:
            yield Deviation(path, "missing", f"git:{other.blob}", "")
        elif (
            other.mode == SUBMODULE
            or (ours.mode == LINK != other.mode)
            or (ours.git_blob != other.blob and not _same_in_lfs(ours, other))
        ):  # a link is read through, a file is not
            yield Deviation(path, "altered", f"git:{other.blob}", actual)


def _same_in_lfs(ours: Blob, other: Entry) -> bool:
    """The commit may hold a pointer where the attributes no longer say so, or the file where they do."""
    pointed = gitobjects.object_id("blob", gitobjects.pointer(ours.sha256, ours.size))
    return bool(ours.sha256) and pointed == other.blob


def _variants(found: Sequence[Blob]) -> Iterator[tuple[Entry, ...]]:
    """The same files with other executable bits: none, every script, one at a time."""
    scripts = [b.path for b in found if b.path.endswith((".sh", ".py", ".pl", ".rb")) or "." not in b.path]
    executables: list[frozenset[str]] = [frozenset(), frozenset(scripts)]
    executables += [frozenset({path}) for path in scripts[:_SINGLES]]
    for chosen in executables:
        yield tuple(
            Entry(b.path, b.mode if b.mode == LINK else EXECUTABLE if b.path in chosen else FILE, b.git_blob)
            for b in found
        )


def _deviations(
    mine: Mapping[str, Blob], theirs: Mapping[str, Expected], *, whole: bool
) -> Iterator[Deviation]:
    for path in sorted(mine.keys() | theirs.keys()):
        ours, other = mine.get(path), theirs.get(path)
        if other is None and ours is not None:
            yield Deviation(path, "extra", "", _digest(ours))
        elif other is not None and ours is None:
            if whole or other.downloaded:
                yield Deviation(path, "missing", other.digest, "")
        elif ours and other and not ours.sha256 and not ours.git_blob:
            yield Deviation(path, "unread", other.digest, "")
        elif ours and other and not _agrees(ours, other):
            yield Deviation(path, "altered", other.digest, _digest(ours, git=not other.sha256))


def _agrees(ours: Blob, other: Expected) -> bool:
    if other.size >= 0 and other.size != ours.size:
        return False
    if other.sha256:
        return ours.sha256 == other.sha256
    return ours.git_blob == other.git_blob


def _digest(blob: Blob, *, git: bool = False) -> str:
    return f"git:{blob.git_blob}" if git or not blob.sha256 else f"sha256:{blob.sha256}"


def _rules(root: Path, files: Sequence[FileFact]) -> tuple[gitattributes.Rule, ...]:
    """Of every .gitattributes, the deepest last."""
    named = [f.path for f in files if f.path == _ATTRIBUTES or f.path.endswith(f"/{_ATTRIBUTES}")]
    found: list[gitattributes.Rule] = []
    for path in sorted(named, key=lambda p: p.count("/")):
        try:
            with (root / path).open("rb") as file:
                text = file.read(DEFAULT.config_bytes).decode("utf-8", "replace")
        except OSError:
            continue
        found += gitattributes.rules(text, path.removesuffix(_ATTRIBUTES))
    return tuple(found)


def _blob(
    root: Path, file: FileFact, expected: Expected | None, rules: tuple[gitattributes.Rule, ...]
) -> Blob:
    made = Blob(file.path, FILE, "", lfs=False, sha256=file.sha256, size=file.size)
    if not file.sha256:
        return made
    if expected.lfs if expected else gitattributes.in_lfs(file.path, rules):
        text = gitobjects.pointer(file.sha256, file.size)
        return replace(made, git_blob=gitobjects.object_id("blob", text), lfs=True)
    path = root / file.path
    try:
        if path.is_symlink() and path.resolve().is_relative_to(root.resolve()):
            target = path.readlink().as_posix().encode("utf-8", "surrogateescape")
            return replace(made, mode=LINK, git_blob=gitobjects.object_id("blob", target))
        mode = EXECUTABLE if path.stat().st_mode & 0o100 else FILE
        return replace(made, mode=mode, git_blob=gitobjects.blob_of(path))
    except (OSError, RuntimeError):
        return made
