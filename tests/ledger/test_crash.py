"""Writers at once, and writers killed: the chain never forks, and what was accepted is there."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from sekisho.errors import StorageError
from sekisho.ledger import sqlite
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify

pytestmark = pytest.mark.integration

WRITER = """
import sys
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
ledger = open_ledger(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[3])):
    made = ledger.append(Draft(sys.argv[2], Kind.NOTE, "", {"text": "x" * (n * 997 % 5000 + 1)}))
    print(made.sequence, made.digest, flush=True)
"""
KILLS = 4


@pytest.fixture(autouse=True)
def children(monkeypatch):
    """Everything a test started is gone after it."""
    started = []
    real = subprocess.Popen.__init__

    def noted(self, *args, **kwargs):
        real(self, *args, **kwargs)
        started.append(self)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    yield
    for child in started:
        if child.returncode is None:
            child.kill()
            child.communicate()


def writer(place: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, place, name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdout.readline() == "ready\n"
    child.stdin.write("\n")
    child.stdin.flush()


def accepted(text: str) -> list[tuple[int, str]]:
    lines = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [(int(number), digest) for number, digest in lines]


def test_two_processes_write_one_chain(place):
    open_ledger(place).close()
    children = [writer(place, name, 40) for name in ("mori", "sato")]
    for child in children:
        go(child)
    told = [accepted(child.communicate()[0]) for child in children]
    ledger = open_ledger(place)
    state = verify(ledger)
    kept = {(e.sequence, e.digest) for e in ledger.all()}
    ledger.close()
    assert [len(t) for t in told] == [40, 40]
    assert state.whole
    assert state.entries == 80
    assert kept == {pair for t in told for pair in t}


def test_two_processes_make_one_ledger(place):
    children = [writer(place, name, 3) for name in ("mori", "sato")]
    for child in children:
        go(child)
    for child in children:
        child.communicate()
    ledger = open_ledger(place)
    assert verify(ledger).entries == 6
    ledger.close()


@pytest.mark.parametrize("kills", [KILLS, pytest.param(60, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_loses_nothing_and_halves_nothing(place, kills):
    open_ledger(place).close()
    chance, told = random.Random(5), []
    for _ in range(kills):
        with writer(place, "mori", 100_000) as child:
            go(child)
            first = child.stdout.readline()
            time.sleep(chance.random() * 0.05)
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read()  # not communicate: it passes over what readline has buffered
        told += accepted(first + rest)
    ledger = open_ledger(place)
    state = verify(ledger)
    kept = {(e.sequence, e.digest) for e in ledger.all()}
    ledger.close()
    assert state.whole
    assert set(told) <= kept
    assert len(told) >= kills
    assert state.entries - len(told) <= kills  # at most one written and not yet told, each time


def test_a_batch_is_killed_whole(place):
    code = WRITER.replace(
        'made = ledger.append(Draft(sys.argv[2], Kind.NOTE, "", {"text": "x" * (n * 997 % 5000 + 1)}))',
        'made = ledger.extend([Draft("mori", Kind.NOTE, "", {"text": "x" * 500})] * 50)[-1]',
    )
    for delay in (0.0, 0.02):
        child = subprocess.Popen(
            [sys.executable, "-c", code, place, "mori", "100000"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        go(child)
        child.stdout.readline()
        time.sleep(delay)
        child.kill()
        child.communicate()
    ledger = open_ledger(place)
    state = verify(ledger)
    ledger.close()
    assert state.whole
    assert state.entries % 50 == 0


def test_who_waits_too_long_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "WAIT_S", 0)
    place = str(tmp_path / "ledger.sqlite")
    first, second = open_ledger(place), open_ledger(place)
    with first._store.writing(), pytest.raises(StorageError, match=r"nothing was written.*locked"):
        second.append(Draft("mori", Kind.NOTE, "", {"text": "x"}))
    assert second.append(Draft("mori", Kind.NOTE, "", {"text": "x"})).sequence == 1
    first.close()
    second.close()


def test_a_full_disk_is_one_error_and_no_entry(tmp_path):
    ledger = open_ledger(str(tmp_path / "ledger.sqlite"))
    pages = ledger._store._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match=r"nothing was written.*full"):
        ledger.append(Draft("mori", Kind.NOTE, "", {"text": "x" * 100_000}))
    assert verify(ledger).entries == 0
    ledger.close()


def test_another_database_is_not_taken_for_a_ledger(tmp_path):
    path = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(StorageError, match="no ledger of Sekisho"):
        open_ledger(str(path))
    path.write_bytes(b"not a database at all, only text" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        open_ledger(str(path))


def test_a_younger_schema_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    open_ledger(str(path)).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="newer Sekisho"):
        open_ledger(str(path))


def test_a_damaged_file_is_one_error(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = open_ledger(str(path))
    ledger.extend([Draft("mori", Kind.NOTE, "", {"text": "x" * 3000})] * 40)
    ledger.close()
    data = bytearray(path.read_bytes())
    for at in range(4096 * 8, len(data), 4096):
        data[at : at + 64] = os.urandom(64)
    path.write_bytes(data)
    ledger = open_ledger(str(path))
    with pytest.raises(StorageError, match="cannot be read"):
        verify(ledger)
    ledger.close()
