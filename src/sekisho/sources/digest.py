"""sha256 of a file, in pieces."""

import hashlib
from pathlib import Path
from typing import Final

PIECE: Final = 2**20
"""Bytes read at a time."""


def sha256(path: Path) -> str:
    """Return the hex digest of a file. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
