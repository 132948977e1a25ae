"""The same ledger on PostgreSQL, for a team: same columns, same triggers; needs the extra `sekisho[postgres]`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

from sekisho.errors import StorageError, UsageError
from sekisho.ledger.entry import Entry
from sekisho.ledger.store import COLUMNS, VERSION, WAIT_S, Tip

try:
    import psycopg
except ImportError as error:
    raise UsageError("a ledger on PostgreSQL needs psycopg: pip install 'sekisho[postgres]'") from error

_CONNECT_S: Final = 10
_LOCK: Final = 0x53454B4C
"""Advisory lock under which the schema is made."""
_FIRST: Final = """
CREATE TABLE ledger_version (version integer NOT NULL);
CREATE TABLE ledger_entries (
  sequence bigint PRIMARY KEY, time text NOT NULL, actor text NOT NULL, kind text NOT NULL,
  subject text NOT NULL, body text NOT NULL, previous text NOT NULL, digest text NOT NULL UNIQUE);
CREATE INDEX ledger_entries_subject ON ledger_entries (subject, sequence);
CREATE TABLE ledger_tip (
  one integer PRIMARY KEY CHECK (one = 1), sequence bigint NOT NULL, digest text NOT NULL);
INSERT INTO ledger_tip VALUES (1, 0, repeat('0', 64));
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'ledger entries are never changed or deleted'; END $$;
CREATE FUNCTION ledger_follow() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE ledger_tip SET sequence = NEW.sequence, digest = NEW.digest
      WHERE sequence = NEW.sequence - 1 AND digest = NEW.previous;
    IF NOT FOUND THEN RAISE EXCEPTION 'an entry follows the last one'; END IF;
    RETURN NEW;
  END $$;
CREATE FUNCTION ledger_no_jump() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF pg_trigger_depth() < 2 OR NEW.one <> 1 OR NEW.sequence <> OLD.sequence + 1 THEN
      RAISE EXCEPTION 'the tip moves with the entries';
    END IF;
    RETURN NEW;
  END $$;
CREATE TRIGGER entries_follow BEFORE INSERT ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION ledger_follow();
CREATE TRIGGER entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER tip_no_jump BEFORE UPDATE ON ledger_tip
  FOR EACH ROW EXECUTE FUNCTION ledger_no_jump();
CREATE TRIGGER tip_no_delete BEFORE DELETE OR TRUNCATE ON ledger_tip
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""
MIGRATIONS: Final = (_FIRST,)
"""Scripts that lead from each version of the schema to the next."""
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM ledger_entries "  # noqa: S608  constant names
_INSERT: Final = f"INSERT INTO ledger_entries VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608


@final
class PostgresStore:
    """A ledger in the first schema of the search path. Raises StorageError."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Connect; make the tables where `create` allows."""
        try:
            told = psycopg.conninfo.conninfo_to_dict(url)
            self.place = f"postgresql://{told.get('host', '')}/{told.get('dbname', '')}"
            self._db = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_S)
            try:
                self._set_up(create=create)
            except (psycopg.Error, StorageError):
                self._db.close()
                raise
        except psycopg.Error as error:
            raise StorageError(f"the ledger cannot be opened: {_line(error)}") from error

    def _set_up(self, *, create: bool) -> None:
        for line in (f"lock_timeout = '{WAIT_S}s'", "synchronous_commit = on", "timezone = 'UTC'"):
            self._db.execute(f"SET {line}".encode())
        if self._version() == VERSION:
            return
        if not create:
            raise StorageError(f"there is no ledger at {self.place}")
        # locked outside of the transaction: inside it the server might not yet see the tables another has made
        self._db.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        try:
            with self._db.transaction():
                self._migrate()
        finally:
            self._db.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))

    def _migrate(self) -> None:
        version = self._version()
        for script in MIGRATIONS[version:]:
            self._db.execute(script.encode())
        if version < VERSION:
            self._db.execute("DELETE FROM ledger_version")
            self._db.execute("INSERT INTO ledger_version VALUES (%s)", (VERSION,))

    def _version(self) -> int:
        """The schema's version, 0 where there is none."""
        if self._ask("SELECT to_regclass('ledger_version')") == [(None,)]:
            return 0
        rows = self._ask("SELECT version FROM ledger_version")
        found = int(rows[0][0]) if rows else 0
        if found > VERSION:
            raise StorageError(f"the ledger {self.place} was written by a newer Sekisho (schema {found})")
        return found

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; readers go on reading."""
        try:
            with self._db.transaction():
                self._db.execute("LOCK TABLE ledger_tip IN EXCLUSIVE MODE")
                yield
        except psycopg.OperationalError as error:
            told = "whether the entry was accepted is not known; verify before writing it again"
            text = told if self._db.closed else "nothing was written"
            raise StorageError(f"the ledger {self.place}: {text}: {_line(error)}") from error
        except psycopg.Error as error:
            raise StorageError(f"nothing was written to the ledger {self.place}: {_line(error)}") from error

    def tip(self) -> Tip:
        """Where the database says the end is."""
        rows = self._ask("SELECT sequence, digest FROM ledger_tip")
        if len(rows) != 1:
            raise StorageError(f"the ledger {self.place} has lost its tip; it was tampered with")
        return Tip(int(rows[0][0]), str(rows[0][1]))

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries, inside `writing`."""
        with self._db.cursor() as cursor:
            cursor.executemany(_INSERT.encode(), [tuple(getattr(e, c) for c in COLUMNS) for e in entries])

    def page(self, after: int, count: int) -> tuple[Entry, ...]:
        """Entries above a sequence."""
        rows = self._ask(_SELECT + "WHERE sequence >= %s ORDER BY sequence LIMIT %s", after + 1, count)
        return tuple(Entry(*r) for r in rows)

    def about(self, subject: str) -> tuple[Entry, ...]:
        """Entries about a model."""
        return tuple(Entry(*r) for r in self._ask(_SELECT + "WHERE subject = %s ORDER BY sequence", subject))

    def heads(self) -> dict[str, int]:
        """Of each model, the newest entry's number."""
        query = "SELECT subject, max(sequence) FROM ledger_entries WHERE subject <> '' GROUP BY subject"
        return {subject: int(sequence) for subject, sequence in self._ask(query)}

    def newest(self, kind: str) -> dict[str, tuple[int, str]]:
        """Of each model, the newest entry of a kind."""
        where = "WHERE subject <> '' AND kind = %s ORDER BY subject, sequence DESC"
        query = f"SELECT DISTINCT ON (subject) subject, sequence, body FROM ledger_entries {where}"  # noqa: S608
        return {subject: (int(sequence), body) for subject, sequence, body in self._ask(query, kind)}

    def search(self, kind: str, text: str) -> tuple[Entry, ...]:
        """Entries whose body holds a text."""
        where = "WHERE (%s = '' OR kind = %s) AND strpos(body, %s) > 0 ORDER BY sequence"
        return tuple(Entry(*r) for r in self._ask(_SELECT + where, kind, kind, text))

    def begun(self, start: str) -> tuple[str, ...]:
        """Models by the beginning of their digest."""
        query = "SELECT DISTINCT subject FROM ledger_entries WHERE subject <> '' AND starts_with(subject, %s) ORDER BY subject"
        return tuple(r[0] for r in self._ask(query, start))

    def _ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query.encode(), values).fetchall()
        except psycopg.Error as error:
            raise StorageError(f"the ledger {self.place} cannot be read: {_line(error)}") from error

    def close(self) -> None:
        """End the connection."""
        self._db.close()


def _line(error: Exception) -> str:
    """The first line of what the server said, without its context."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
