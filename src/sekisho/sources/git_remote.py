"""A git repository at one commit: objects fetched by git itself, files written by us; no checkout, hook, filter or submodule.

git runs with its own empty configuration and an allow-list of protocols. LFS content comes by the batch API (https) or from
the store beside a local repository, and is held against its pointer.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sekisho.errors import SourceError
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, MIB
from sekisho.sources import child, http_, paths
from sekisho.sources.address import COMMIT, Address
from sekisho.sources.child import Say
from sekisho.sources.listed import Arrived, Expected

_OPTIONS: Final = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "protocol.https.allow=always",
    "-c", "protocol.ssh.allow=always", "-c", "protocol.file.allow=always", "-c", "http.followRedirects=initial",
    "-c", "transfer.fsckObjects=true", "-c", "credential.helper=", "-c", "gc.auto=0", "-c", "submodule.recurse=false",
)  # fmt: skip
_POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]+\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n"
)
_POINTER_BYTES: Final = 1_024
_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_QUICK_S: Final = 600
"""Seconds for a command that reads what is here already."""


@dataclass(frozen=True)
class _Entry:
    mode: str
    kind: str
    oid: str
    path: str


def fetch(where: Address, folder: Path, scratch: Path, progress: Say) -> Arrived:
    """Write a repository's files into a folder. Raises SourceError, DigestError, StorageError."""
    store = scratch / "objects.git"
    commit = where.revision if COMMIT.fullmatch(where.revision) else resolve(where, scratch)
    if commit != where.revision:
        progress(f"{where.revision or 'HEAD'} is commit {commit} now")
    _fetch(where, commit, store, progress)
    entries = _entries(store, commit)
    files = tuple(_all(entries, where, store, folder))
    _within(folder, [e.path for e in entries if e.mode == _LINK])
    trees = (_tree_of(store, commit), *(e.oid for e in entries if e.kind == "tree"))
    return Arrived(
        where.uri(commit),
        where.revision or "HEAD",
        commit,
        files,
        commit=_object(store, commit, "commit"),
        trees=tuple(_object(store, oid, "tree") for oid in dict.fromkeys(trees)),
    )


def resolve(where: Address, scratch: Path) -> str:
    """The commit that a moving name stands for now. Raises SourceError."""
    wanted = where.revision or "HEAD"
    said = _git("ls-remote", "--quiet", "--exit-code", where.place, wanted, cwd=scratch).decode(
        "utf-8", "replace"
    )
    found = {name: oid for oid, name in (line.split("\t", 1) for line in said.splitlines() if "\t" in line)}
    for name in (f"refs/tags/{wanted}^{{}}", wanted, f"refs/heads/{wanted}", f"refs/tags/{wanted}"):
        if COMMIT.fullmatch(found.get(name, "")):
            return found[name]
    raise SourceError(f"{shown(wanted)!r} is no branch, tag or commit there")


def objects(url: str, commit: str, scratch: Path, progress: Say) -> tuple[bytes, tuple[bytes, ...]]:
    """A commit object and its trees alone, without any file. Raises SourceError where the server gives none."""
    store = scratch / "commit.git"
    place = Address("git", urlsplit(url).hostname or "", "", url, commit)
    _fetch(place, commit, store, progress, files=False)
    entries = [e for e in _entries(store, commit) if e.kind == "tree"]
    trees = dict.fromkeys((_tree_of(store, commit), *(e.oid for e in entries)))
    return _object(store, commit, "commit"), tuple(_object(store, oid, "tree") for oid in trees)


def _fetch(where: Address, commit: str, store: Path, progress: Say, *, files: bool = True) -> None:
    _git("init", "--bare", "--quiet", "--template=", str(store), cwd=store.parent)
    command = [
        "git",
        *_loopback(where),
        "--git-dir",
        str(store),
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-write-fetch-head",
    ]
    command += [] if files else ["--filter=blob:none"]
    command += ["--no-recurse-submodules", "--", where.place, commit]
    try:
        code, said = child.wait(
            command, f"fetching {commit[:12]}", progress, limit_s=DEFAULT.source_s, environment=_environment()
        )
    except (OSError, TimeoutError) as error:
        raise SourceError(f"git: {error}") from error
    if code != 0:
        raise SourceError(f"git could not fetch {commit}: {_cause(said)}")


def _entries(store: Path, commit: str) -> tuple[_Entry, ...]:
    said = _git("--git-dir", str(store), "ls-tree", "-r", "-t", "-z", "--full-tree", commit, cwd=store)
    found = []
    for line in said.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, kind, oid = head.decode("ascii").split()
        try:
            found.append(_Entry(mode, kind, oid, path.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise SourceError("a file of the commit has a name that is not UTF-8") from error
    paths.bounded([0] * len(found))
    broken = next((e for e in found if e.mode == _SUBMODULE), None)
    if broken:
        raise SourceError(f"{shown(broken.path)} is a submodule; submodules are not followed")
    return tuple(found)


def _all(entries: tuple[_Entry, ...], where: Address, store: Path, folder: Path) -> Iterator[Expected]:
    total = 0
    for entry in entries:
        if entry.kind != "tree":
            yield (file := _written(entry, where, store, folder))
            total += file.size
            paths.bounded([total])


def _written(entry: _Entry, where: Address, store: Path, folder: Path) -> Expected:
    target = paths.inside(folder, entry.path)
    if entry.mode == _LINK:
        return _link(entry, store, target)
    size = _blob(store, entry.oid, target)
    pointed = _POINTER.fullmatch(target.read_bytes()) if size <= _POINTER_BYTES else None
    if pointed is None:
        if entry.mode == "100755":
            target.chmod(0o755)
        return Expected(entry.path, size, "", entry.oid, lfs=False)
    sha256, large = pointed[1].decode(), int(pointed[2])
    paths.bounded([large])
    target.unlink()
    _large(where, sha256, large, target)
    return Expected(entry.path, large, sha256, entry.oid, lfs=True)


def _link(entry: _Entry, store: Path, target: Path) -> Expected:
    """A link to a file of the repository, by its own text; any other is refused."""
    _blob(store, entry.oid, target)
    data = target.read_bytes()
    target.unlink()
    try:
        aim = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{shown(entry.path)} is a link with a name that is not UTF-8") from error
    depth = len(PurePosixPath(entry.path).parts) - 1
    for part in PurePosixPath(aim).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or aim.startswith("/") or "\0" in aim:
            raise SourceError(f"{shown(entry.path)} is a link out of the repository")
    target.symlink_to(aim)
    return Expected(entry.path, len(data), "", entry.oid, lfs=False)


def _within(folder: Path, links: list[str]) -> None:
    """Follow every link, also by way of others: none may lead out. Raises SourceError."""
    for path in links:
        try:
            out = not (folder / path).resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError):
            out = True
        if out:
            raise SourceError(f"{shown(path)} is a link out of the repository, or in a circle")


def _blob(store: Path, oid: str, target: Path) -> int:
    """Stream one blob into a file and hold it against its id."""
    command = ["git", *_OPTIONS, "--git-dir", str(store), "cat-file", "blob", oid]
    size = int(_git("--git-dir", str(store), "cat-file", "-s", oid, cwd=store))
    paths.bounded([size])
    made = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        ) as process,
        target.open("xb") as out,
    ):
        stream = process.stdout
        while stream is not None and (piece := stream.read(MIB)):
            made.update(piece)
            out.write(piece)
    if process.returncode != 0 or made.hexdigest() != oid:
        target.unlink()
        raise SourceError(f"{shown(target.name)}: git gave other bytes than blob {oid}")
    return size


def _large(where: Address, sha256: str, size: int, target: Path) -> None:
    """Content of an LFS pointer."""
    split = urlsplit(where.place)
    if split.scheme == "file":
        _local_large(Path(unquote(split.path)), sha256, size, target)
        return
    if split.scheme == "ssh":
        raise SourceError(
            f"{shown(target.name)} is kept in LFS, which is read over https alone; use git+https"
        )
    asked = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": sha256, "size": size}]}
    kind = "application/vnd.git-lfs+json"
    address = f"{where.place.rstrip('/').removesuffix('.git')}.git/info/lfs/objects/batch"
    said = http_.document(address, {"Accept": kind, "Content-Type": kind}, data=json.dumps(asked).encode())
    url, headers = _action(said, sha256)
    http_.require_sent(where.place, url)
    http_.save(url, target, sha256=sha256, size=size, headers=headers)


def _action(said: Any, sha256: str) -> tuple[str, Mapping[str, str]]:
    objects_ = said.get("objects") if isinstance(said, dict) else None
    one = next((o for o in objects_ or () if isinstance(o, dict) and o.get("oid") == sha256), {})
    actions = one.get("actions")
    action = actions.get("download") if isinstance(actions, dict) else None
    url, headers = (action.get("href"), action.get("header", {})) if isinstance(action, dict) else (None, {})
    if not isinstance(url, str) or not isinstance(headers, dict):
        raise SourceError(f"the LFS server has no object {sha256}")
    plain = {k: v for k, v in headers.items() if isinstance(v, str) and k.isascii() and v.isprintable()}
    return url, plain


def _local_large(repository: Path, sha256: str, size: int, target: Path) -> None:
    stores = (repository / "lfs", repository / ".git" / "lfs")
    places = [s / "objects" / sha256[:2] / sha256[2:4] / sha256 for s in stores]
    source = next((p for p in places if p.is_file() and not p.is_symlink()), None)
    if source is None:
        raise SourceError(f"{shown(target.name)} is kept in LFS and its content is not in the repository")
    paths.copy(source, target, sha256=sha256, size=size)


def _tree_of(store: Path, commit: str) -> str:
    return (
        _git("--git-dir", str(store), "rev-parse", "--verify", f"{commit}^{{tree}}", cwd=store)
        .decode()
        .strip()
    )


def _object(store: Path, oid: str, kind: str) -> bytes:
    data = _git("--git-dir", str(store), "cat-file", kind, oid, cwd=store)
    actual = hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
    if actual != oid:
        raise SourceError(f"git gave another {kind} than {oid}")
    return data


def _git(*arguments: str, cwd: Path) -> bytes:
    loopback = next((a for a in arguments if a.startswith("http://")), "")
    extra = ("-c", "protocol.http.allow=always") if loopback else ()
    try:
        done = subprocess.run(
            ["git", *_OPTIONS, *extra, *arguments],
            env=_environment(), cwd=cwd, capture_output=True, check=False, timeout=_QUICK_S,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SourceError("git is not installed; it is needed to read from a git repository") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"git {arguments[0]}: no answer within {_QUICK_S} s") from error
    if done.returncode != 0:
        raise SourceError(
            f"git could not read the repository: {_cause(done.stderr.decode('utf-8', 'replace'))}"
        )
    return done.stdout


def _loopback(where: Address) -> "Iterator[str]":
    yield from _OPTIONS
    if where.plain:
        yield from ("-c", "protocol.http.allow=always")


def _environment() -> dict[str, str]:
    kept = (
        "PATH",
        "SSH_AUTH_SOCK",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    )
    fixed = {
        "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }  # fmt: skip
    return {k: os.environ[k] for k in kept if k in os.environ} | fixed


def _cause(said: str) -> str:
    """The last line of git's complaint, without credentials."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((x for x in lines if x.startswith("fatal:")), lines[-1] if lines else "no reason given")
    return shown(re.sub(r"//[^/@\s]*@", "//", line))
