"""Measured cells in a cache: a SQLite file, so that nothing is measured twice. Not the ledger of decisions, `sekisho.ledger`.

A key is a digest of everything that decides the value (weights, recipe, questions, sampling), so an entry
never goes stale; a control's answers are found again by every later candidate.
"""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import StorageError

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"

NAME: Final = "measurements.sqlite"
"""File in the cache folder."""
OLDER: Final = "ledger.sqlite"
"""Its name in caches of older versions, which go on being used."""


def kept_in(cache: Path) -> "Cells":
    """The measured cells of a cache folder. Raises StorageError."""
    older = cache / OLDER
    return Cells(older if older.exists() else cache / NAME)


@final
class Cells:
    """A map from digest to JSON value; each `put` is durable when it returns. Safe between threads."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises StorageError."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60, check_same_thread=False)
            with self._db:
                self._db.execute(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the cache of measurements {path} cannot be opened: {error}") from error

    def get(self, key: str) -> Any | None:
        """The value kept under a key, or None. Raises StorageError."""
        try:
            with self._lock:
                row = self._db.execute("SELECT value FROM cells WHERE key = ?", (key,)).fetchone()
            return None if row is None else json.loads(row[0])
        except (sqlite3.Error, ValueError) as error:
            raise StorageError(f"the cache of measurements cannot be read: {error}") from error

    def put(self, key: str, value: Any) -> None:
        """Keep a JSON value; the first one stays. Raises StorageError, for example on a full disk."""
        text = json.dumps(value, ensure_ascii=True)  # SQLite refuses half a surrogate pair unless escaped
        try:
            with self._lock, self._db:
                self._db.execute("INSERT OR IGNORE INTO cells VALUES (?, ?)", (key, text))
        except sqlite3.Error as error:
            raise StorageError(f"the cache of measurements cannot be written: {error}") from error

    def close(self) -> None:
        """Close the file, once a call of another thread has ended."""
        with self._lock:
            self._db.close()
