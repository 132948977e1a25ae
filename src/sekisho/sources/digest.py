"""Identities: sha256 of a file, and of a model as its OMS manifest and the ledger name it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LEFT_OUT: Final = (".git", ".gitattributes", ".github", ".gitignore", ".cache/huggingface")
"""Top-level paths that are not the model's: what OMS implementations leave out, and the notes of a download."""
UNREAD: Final = "0" * 64
"""Stands for a file that could not be read; the digest of no file that anybody could make."""

PIECE: Final = 2**20
"""Bytes read at a time."""


def sha256(path: Path) -> str:
    """Return the hex digest of a file. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def order(path: str) -> list[str]:
    """Key of the order that OMS implementations list files in: by parts of the path."""
    return path.split("/")


def left_out(path: str) -> bool:
    """Whether a path is not the model's own."""
    return any(path == f or path.startswith(f"{f}/") for f in LEFT_OUT)


def covered(files: Mapping[str, str]) -> dict[str, str]:
    """Of path to sha256, the files that the root digest covers, in its order."""
    kept = (p for p in files if not left_out(p))
    return {p: files[p] or UNREAD for p in sorted(kept, key=order)}


def root(files: Mapping[str, str]) -> str:
    """Root digest of a model: sha256 over the raw digests of its files. It does not cover their names."""
    return hashlib.sha256(b"".join(bytes.fromhex(d) for d in covered(files).values())).hexdigest()


def names_and_bytes(files: Mapping[str, str]) -> str:
    """sha256 over `digest  path` lines: unlike the root digest, it tells a file that was renamed."""
    lines = "".join(f"{d}  {p}\n" for p, d in covered(files).items())
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
