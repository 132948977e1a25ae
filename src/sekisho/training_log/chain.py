"""A record's file: JSON lines, each with the digest of the one before; written in the trainer's own process.

A line is one `write`, so a process killed at any moment leaves whole lines and at most a piece of one behind them. Lines
are synchronised to disk when asked for, and otherwise at most `SYNC_S` seconds after they were written.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import StorageError, UsageError

GENESIS: Final = "0" * 64
"""What the first line follows."""
SYNC_S: Final = 5.0
"""Seconds that a line may wait for the disk; a power cut loses no more."""
_DOMAIN: Final = b"sekisho-training-log-1\n"


def canonical(value: Mapping[str, Any]) -> bytes:
    """Sorted keys, no spaces, UTF-8; numbers that are none as text. Raises TypeError for what JSON has not."""
    text = json.dumps(
        finite(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode("utf-8", "backslashreplace")  # half a surrogate pair can only be escaped


def finite(value: Any) -> Any:
    """The same with infinities and NaN as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


def digest(unsealed: bytes) -> str:
    """Identity of a line: sha256 over its canonical JSON without the digest itself."""
    return hashlib.sha256(_DOMAIN + unsealed).hexdigest()


@final
class Log:
    """An open record. Every method but `close` raises StorageError where the disk is full or gone."""

    def __init__(self, path: Path) -> None:
        """Make a new file; a record is never written over. Raises UsageError where one lies there."""
        self.path = path
        self._number, self._previous, self._synced = 0, GENESIS, time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            if isinstance(error, FileExistsError) and os.path.lexists(path):
                raise UsageError(f"{path}: a record lies there already; name another file") from error
            raise StorageError(f"{path}: not written: {error.strerror or error}") from error

    @property
    def head(self) -> str:
        """Digest of the last line."""
        return self._previous

    def append(self, kind: str, body: Mapping[str, Any], *, sync: bool = False) -> None:
        """Write one line; with `sync` it is on disk when this returns."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {
            "n": self._number,
            "kind": kind,
            "time": now,
            "body": dict(body),
            "previous": self._previous,
        }
        sealed = digest(canonical(line))
        data = canonical({**line, "digest": sealed}) + b"\n"
        try:
            if os.write(self._handle, data) != len(data):
                raise StorageError(f"{self.path}: not written in full: the disk is full")
            if sync or time.monotonic() - self._synced > SYNC_S:
                os.fsync(self._handle)
                self._synced = time.monotonic()
        except OSError as error:
            raise StorageError(f"{self.path}: not written: {error.strerror or error}") from error
        self._number, self._previous = self._number + 1, sealed

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
