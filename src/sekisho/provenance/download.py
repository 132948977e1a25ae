"""What a download of huggingface_hub left behind: metadata in a `local_dir`, or the layout of its cache.

All of it is unsigned and lies beside the files: it tells a careless change, not a careful one.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho.errors import ArtefactError
from sekisho.formats import json_config
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.provenance.gitobjects import SHA1
from sekisho.records import FileFact, Inventory
from sekisho.sources.listed import Expected

HOME: Final = ".cache/huggingface/"
_METADATA: Final = f"{HOME}download/"
_TREES: Final = f"{HOME}trees/"
_ENDING: Final = ".metadata"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SMALL: Final = 4_096
"""Bytes of one metadata file; it has three lines."""


@dataclass(frozen=True)
class Download:
    """What the download wrote down."""

    kind: str
    """`local-dir` or `hub-cache`."""
    repository: str
    """`org/name`; empty where it is not written down (a local_dir has no name)."""
    revisions: tuple[str, ...]
    """Every commit that a file is said to come from."""
    last: str
    """UTC of the newest metadata; empty where none is written down."""
    expected: tuple[Expected, ...]
    complete_list: bool
    """`expected` has every file of the revision, not only those that were fetched."""
    bookkeeping: frozenset[str]
    """Paths in the folder that belong to the download and not to the model."""
    problems: tuple[tuple[str, str], ...]
    """(path, stable code) of metadata that could not be read."""


def recognise(files: Inventory) -> Download | None:
    """Read the traces of a download; None where there is none. What is broken becomes a problem, never an error."""
    root = Path(files.root).resolve()
    if root.parent.name == "snapshots" and root.parent.parent.name.startswith("models--"):
        return _cache(files, root)
    metadata = [f for f in files.files if f.path.startswith(_METADATA) and f.path.endswith(_ENDING)]
    trees = [f for f in files.files if f.path.startswith(_TREES) and f.path.endswith(".json")]
    return _local(files, root, metadata, trees) if metadata or trees else None


def model_files(files: Inventory, download: Download | None) -> tuple[FileFact, ...]:
    """The files of the model itself."""
    kept = download.bookkeeping if download else frozenset()
    return tuple(f for f in files.files if f.path not in kept)


def listing(data: bytes) -> dict[str, Expected]:
    """Read a `trees/<commit>.json`. Raises ArtefactError."""
    document = json_config.parse(data, DEFAULT).document
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or document.get("format_version") != 1 or len(files) > DEFAULT.files:
        raise ArtefactError("the list of files has another format")
    return {path: _listed(path, entry) for path, entry in files.items()}


def _listed(path: str, entry: Any) -> Expected:
    known = entry if isinstance(entry, dict) else {}
    blob, sha256 = known.get("blob_id"), known.get("lfs_sha256")
    size = known.get("lfs_size") if sha256 else known.get("size")
    if not _is(SHA1, blob) or not (sha256 is None or _is(_SHA256, sha256)) or type(size) is not int:
        raise ArtefactError(f"the list of files has no digest of {shown(path)}")
    return Expected(path, size, sha256 or "", str(blob), lfs=sha256 is not None, downloaded=False)


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _local(files: Inventory, root: Path, metadata: list[FileFact], trees: list[FileFact]) -> Download:
    found: dict[str, Expected] = {}
    commits, times, problems, kept = set[str](), [0.0], [], set[str]()
    for file in metadata:
        read = _three_lines(root / file.path)
        if read is None:
            problems.append((file.path, "metadata-broken"))
            continue
        commit, etag, time = read
        path = file.path.removeprefix(_METADATA).removesuffix(_ENDING)
        found[path] = _by_etag(path, etag)
        commits.add(commit)
        times.append(time)
        kept.add(file.path)
    whole = _trees(root, trees, commits, problems, kept)
    kept.update(_furniture(files))
    return Download(
        kind="local-dir",
        repository="",
        revisions=tuple(sorted(commits)),
        last=_stamp(max(times)),
        expected=_merged(found, whole),
        complete_list=whole is not None,
        bookkeeping=frozenset(kept),
        problems=tuple(problems),
    )


def _trees(
    root: Path, trees: list[FileFact], commits: set[str], problems: list[tuple[str, str]], kept: set[str]
) -> dict[str, Expected] | None:
    """The list of the one commit that all files come from."""
    found = None
    for file in trees:
        commit = file.path.removeprefix(_TREES).removesuffix(".json")
        read = _read_listing(root / file.path)
        if read is None or not SHA1.fullmatch(commit):
            problems.append((file.path, "list-broken"))
            continue
        kept.add(file.path)
        if commits == {commit} or (not commits and len(trees) == 1):
            commits.add(commit)
            found = read
    return found


def _read_listing(path: Path) -> dict[str, Expected] | None:
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.listing_bytes + 1)
        return listing(data) if len(data) <= DEFAULT.listing_bytes else None
    except (OSError, ArtefactError):
        return None


def _three_lines(path: Path) -> tuple[str, str, float] | None:
    try:
        with path.open("rb") as file:
            lines = file.read(_SMALL).decode("ascii").split("\n")
        commit, etag, time = lines[0].strip(), lines[1].strip(), float(lines[2])
    except (OSError, ValueError, IndexError):
        return None
    good = SHA1.fullmatch(commit) and (SHA1.fullmatch(etag) or _SHA256.fullmatch(etag)) and 0 <= time < 2**40
    return (commit, etag, time) if good else None


def _by_etag(path: str, etag: str) -> Expected:
    long = len(etag) == 64  # noqa: PLR2004 - a sha256
    return Expected(path, -1, etag if long else "", "" if long else etag, lfs=long, downloaded=True)


def _merged(fetched: Mapping[str, Expected], whole: Mapping[str, Expected] | None) -> tuple[Expected, ...]:
    """The list's entries where there is a list; what was fetched says so, and overrules nothing."""
    if whole is None:
        return tuple(fetched[p] for p in sorted(fetched))
    marked = {p: replace(e, downloaded=p in fetched) for p, e in whole.items()}
    return tuple(marked.get(p) or fetched[p] for p in sorted(marked.keys() | fetched.keys()))


def _furniture(files: Inventory) -> Iterator[str]:
    """Files that the library always puts there, where their content is what it writes."""
    for file in files.files:
        if not file.path.startswith(HOME):
            continue
        name = file.path.rpartition("/")[2]
        marker = name in {".gitignore", "CACHEDIR.TAG"} and file.size < _SMALL and file.format == "text"
        if marker or (name.endswith(".lock") and file.size == 0):
            yield file.path


def _cache(files: Inventory, root: Path) -> Download:
    home = root.parent.parent
    revision = root.name if SHA1.fullmatch(root.name) else ""
    problems = [] if revision else [(root.name[:100], "revision-is-no-commit")]
    linked = {e.path: e for e in _links(files, root, home / "blobs")}
    tree = home / "trees" / f"{revision}.json"
    whole = _read_listing(tree) if revision and tree.is_file() else None
    if whole is None and revision and tree.is_file():
        problems.append((f"trees/{tree.name}", "list-broken"))
    return Download(
        kind="hub-cache",
        repository=home.name.removeprefix("models--").replace("--", "/", 1),
        revisions=(revision,) if revision else (),
        last="",
        expected=_merged(linked, whole),
        complete_list=whole is not None,
        bookkeeping=frozenset(),
        problems=tuple(problems),
    )


def _links(files: Inventory, root: Path, blobs: Path) -> Iterator[Expected]:
    for file in files.files:
        path = root / file.path
        try:
            target = path.resolve() if path.is_symlink() else None
        except (OSError, RuntimeError):
            continue
        if (
            target
            and target.parent == blobs
            and (SHA1.fullmatch(target.name) or _SHA256.fullmatch(target.name))
        ):
            yield _by_etag(file.path, target.name)


def _stamp(seconds: float) -> str:
    if seconds <= 0:
        return ""
    moment = dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC) if seconds < 2**36 else None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
