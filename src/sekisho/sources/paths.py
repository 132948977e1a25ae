"""Where a source's file may be written: inside the folder, under a plain relative name, within bounds."""

import hashlib
from pathlib import Path, PurePosixPath

from sekisho.errors import DigestError, SourceError
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, MIB


def inside(folder: Path, path: str) -> Path:
    """The place of a listed path, its folders made. Raises SourceError for one that leads out or is no plain name."""
    parts = PurePosixPath(path).parts
    odd = "\\" in path or ":" in path or "\0" in path or not path.isprintable() or path != "/".join(parts)
    if odd or path.startswith("/") or not parts or {"..", ".", ".git"} & {p.lower() for p in parts}:
        raise SourceError(f"{shown(path)!r} is listed as a file; it is no plain path inside a model")
    if len(parts) > DEFAULT.depth + 1 or len(path) > DEFAULT.path_chars:
        raise SourceError(f"{shown(path)!r} is too long or too deep")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def copy(source: Path, target: Path, *, sha256: str, size: int) -> None:
    """Copy a file of this machine whose digest and size must be right. Raises SourceError, DigestError."""
    made = hashlib.sha256()
    try:
        with source.open("rb") as file, target.open("xb") as out:
            while piece := file.read(MIB):
                made.update(piece)
                out.write(piece)
    except OSError as error:
        raise SourceError(f"{shown(target.name)} cannot be copied: {error.strerror or error}") from error
    if made.hexdigest() != sha256 or target.stat().st_size != size:
        target.unlink()
        raise DigestError(shown(target.name), sha256, made.hexdigest())


def bounded(sizes: list[int]) -> None:
    """Refuse a list of files that is too long or too large. Raises SourceError."""
    if len(sizes) > DEFAULT.files:
        raise SourceError(f"{len(sizes):,} files are over the limit of {DEFAULT.files:,}")
    if sum(max(0, n) for n in sizes) > DEFAULT.source_bytes:
        raise SourceError(f"{sum(sizes):,} bytes are over the limit of {DEFAULT.source_bytes:,}")
