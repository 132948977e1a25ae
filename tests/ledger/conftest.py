"""Two kinds of store, one suite: SQLite always, PostgreSQL where SEKISHO_TEST_POSTGRES names a server."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sekisho.ledger.book import Ledger, open_ledger

SERVER = "SEKISHO_TEST_POSTGRES"
MODEL = "ab" * 32
OTHER = "cd" * 32


class Clock:
    """A wall clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **units: float) -> None:
        self.now += timedelta(**units)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a new ledger goes."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.sqlite")
        return
    url = os.environ.get(SERVER, "")
    if not url:
        if os.environ.get("CI"):
            pytest.fail(f"{SERVER} is not set, and in CI it must be")
        pytest.skip(f"no PostgreSQL server: {SERVER} is not set")
    import psycopg

    schema = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        server.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture
def ledger(place: str, clock: Clock) -> Iterator[Ledger]:
    opened = open_ledger(place, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def tamper(place: str) -> Callable[..., None]:
    """Do to the rows what somebody with full rights can do: triggers off, SQL, triggers on."""

    def run(*statements: str) -> None:
        (_sqlite if "://" not in place else _postgres)(place, statements)

    return run


def _sqlite(place: str, statements: tuple[str, ...]) -> None:
    import sqlite3

    db = sqlite3.connect(place, isolation_level=None)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.close()


def _postgres(place: str, statements: tuple[str, ...]) -> None:
    import psycopg

    with psycopg.connect(place, autocommit=True) as db:
        for table in ("ledger_entries", "ledger_tip"):
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        for statement in statements:
            text = statement.replace(" entries", " ledger_entries").replace(" tip", " ledger_tip")
            db.execute(text.encode())
