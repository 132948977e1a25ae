"""The ledger in one SQLite file: write-ahead log, synchronised at every commit, closed to change by triggers."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import StorageError
from sekisho.ledger.entry import Entry
from sekisho.ledger.store import COLUMNS, VERSION, WAIT_S, Tip

APPLICATION: Final = 0x53454B4C
"""`SEKL`, the application id in the file's header."""
_FIRST: Final = """
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL UNIQUE) STRICT;
CREATE INDEX entries_subject ON entries (subject, sequence);
CREATE TABLE tip (
  one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
INSERT INTO tip VALUES (1, 0, hex(zeroblob(32)));
CREATE TRIGGER entries_follow BEFORE INSERT ON entries
  WHEN NOT EXISTS (SELECT 1 FROM tip WHERE sequence = NEW.sequence - 1 AND digest = NEW.previous)
  BEGIN SELECT RAISE(ABORT, 'an entry follows the last one'); END;
CREATE TRIGGER entries_advance AFTER INSERT ON entries
  BEGIN UPDATE tip SET sequence = NEW.sequence, digest = NEW.digest; END;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER tip_no_jump BEFORE UPDATE ON tip
  WHEN NEW.one <> 1 OR NEW.sequence <> OLD.sequence + 1
    OR NOT EXISTS (SELECT 1 FROM entries WHERE sequence = NEW.sequence AND digest = NEW.digest)
  BEGIN SELECT RAISE(ABORT, 'the tip moves with the entries'); END;
CREATE TRIGGER tip_no_delete BEFORE DELETE ON tip
  BEGIN SELECT RAISE(ABORT, 'the tip stays'); END;
"""
MIGRATIONS: Final = (_FIRST,)
"""Scripts that lead from each version of the schema to the next."""
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM entries "  # noqa: S608  constant names


@final
class SqliteStore:
    """A ledger file. Raises StorageError."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open the file, or make it where `create` allows."""
        self.place = str(path)
        try:
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.is_file():
                raise StorageError(f"there is no ledger at {path}")
            self._db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
            try:
                self._set_up()
            except (sqlite3.Error, StorageError):
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the ledger {path} cannot be opened: {error}") from error

    def _set_up(self) -> None:
        for line in (f"busy_timeout = {WAIT_S * 1000}", "synchronous = FULL", "trusted_schema = OFF"):
            self._db.execute(f"PRAGMA {line}")
        if self._version() == VERSION:  # the usual case takes no lock at all
            return
        (mode,) = self._db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageError(f"the ledger {self.place} lies where SQLite cannot keep a write-ahead log")
        with self.writing():
            version = self._version()
            for script in MIGRATIONS[version:]:
                for statement in _statements(script):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _version(self) -> int:
        """The schema's version, 0 for an empty file."""
        found, mark, tables = (
            self._db.execute(q).fetchone()[0]
            for q in ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_master")
        )
        if mark != APPLICATION and (mark or found or tables):
            raise StorageError(f"{self.place} is a database, but no ledger of Sekisho")
        if found > VERSION:
            raise StorageError(f"the ledger {self.place} was written by a newer Sekisho (schema {found})")
        return int(found)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    with suppress(sqlite3.Error):  # the first error is the one to tell
                        self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StorageError(f"nothing was written to the ledger {self.place}: {error}") from error

    def tip(self) -> Tip:
        """Where the file says its end is."""
        rows = self._ask("SELECT sequence, digest FROM tip")
        if len(rows) != 1 or not _types(rows[0], (int, str)):
            raise StorageError(f"the ledger {self.place} has lost its tip; it was tampered with")
        return Tip(*rows[0])

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries, inside `writing`."""
        rows = [tuple(getattr(e, c) for c in COLUMNS) for e in entries]
        marks = ", ".join("?" * len(COLUMNS))
        self._db.executemany(f"INSERT INTO entries VALUES ({marks})", rows)  # noqa: S608

    def page(self, after: int, count: int) -> tuple[Entry, ...]:
        """Entries above a sequence."""
        rows = self._ask(_SELECT + "WHERE sequence >= ? ORDER BY sequence LIMIT ?", after + 1, count)
        return tuple(_entry(r) for r in rows)

    def about(self, subject: str) -> tuple[Entry, ...]:
        """Entries about a model."""
        return tuple(_entry(r) for r in self._ask(_SELECT + "WHERE subject = ? ORDER BY sequence", subject))

    def heads(self) -> dict[str, int]:
        """Of each model, the newest entry's number; from the index alone."""
        query = "SELECT subject, max(sequence) FROM entries WHERE subject <> '' GROUP BY subject"
        return {str(subject): int(sequence) for subject, sequence in self._ask(query)}

    def newest(self, kind: str) -> dict[str, tuple[int, str]]:
        """Of each model, the newest entry of a kind; SQLite takes the other columns from the row that has the maximum."""
        where = "WHERE subject <> '' AND kind = ? GROUP BY subject"
        rows = self._ask(f"SELECT subject, max(sequence), body FROM entries {where}", kind)  # noqa: S608
        return {str(subject): (int(sequence), str(body)) for subject, sequence, body in rows}

    def search(self, kind: str, text: str) -> tuple[Entry, ...]:
        """Entries whose body holds a text."""
        where = "WHERE (? = '' OR kind = ?) AND instr(body, ?) > 0 ORDER BY sequence"
        return tuple(_entry(r) for r in self._ask(_SELECT + where, kind, kind, text))

    def begun(self, start: str) -> tuple[str, ...]:
        """Models by the beginning of their digest."""
        query = "SELECT DISTINCT subject FROM entries WHERE subject <> '' AND subject >= ? AND subject < ? ORDER BY subject"
        return tuple(str(r[0]) for r in self._ask(query, start, start + "g"))

    def _ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"the ledger {self.place} cannot be read: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _entry(row: tuple[Any, ...]) -> Entry:
    """A row as it stands: what somebody put in the place of text becomes text, and its digest tells."""
    return Entry(row[0], *(v if isinstance(v, str) else repr(v) for v in row[1:]))


def _types(row: tuple[Any, ...], types: tuple[type, ...]) -> bool:
    return all(isinstance(v, t) for v, t in zip(row, types, strict=True))


def _statements(script: str) -> Iterator[str]:
    """Single statements: `executescript` would commit on its own."""
    text = ""
    for line in script.strip().splitlines():
        text += line + "\n"
        if sqlite3.complete_statement(text):
            yield text
            text = ""
