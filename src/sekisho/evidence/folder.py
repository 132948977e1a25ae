"""A folder replaced as a whole: at any moment the old one or the new one lies there, never a mixture."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sekisho.errors import StorageError

_EXCHANGE: Final = 2
_HERE: Final = -100
"""RENAME_EXCHANGE and AT_FDCWD of Linux."""


def replace(target: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a new folder and put it in the target's place in one step. Raises StorageError."""
    made: Path | None = None
    try:
        target = target.absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        for name, data in files.items():
            _write(made / name, data)
        made.chmod(0o755)
        _flush(made)
        _place(made, target)
        _flush(target.parent)
    except OSError as error:
        raise StorageError(f"{target}: not written: {error.strerror or error}") from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return target


def _place(made: Path, target: Path) -> None:
    try:
        made.rename(target)  # also over an empty folder
    except OSError:
        if target.is_symlink() or not target.is_dir():
            raise
        _exchange(made, target)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step of the kernel. Raises OSError where it cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(0, "this system replaces no folder in one step; name a new one")
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "this file system replaces no folder in one step; name a new one")


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
