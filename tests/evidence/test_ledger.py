"""The ledger on a bad day: what was kept stays readable, and every failure is a StorageError."""

import sqlite3
import threading
from pathlib import Path

import pytest

from sekisho.errors import StorageError
from sekisho.evidence.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path):
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def test_a_full_disk_loses_nothing_that_was_kept(ledger, tmp_path):
    ledger.put("a", ["kept"])
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageError, match="full"):
        ledger.put("b", "x" * 100_000)

    assert ledger.get("a") == ["kept"]
    assert ledger.get("b") is None
    again = Ledger(tmp_path / "ledger.sqlite")
    assert again.get("a") == ["kept"]
    again.close()


def test_the_first_value_of_a_key_stays(ledger):
    ledger.put("a", 1)
    ledger.put("a", 2)

    assert ledger.get("a") == 1


@pytest.mark.parametrize("text", ["日本語", "\ud800", "a\x00b", "\U0001f600"])
def test_any_answer_can_be_kept(ledger, text):
    ledger.put("a", [text])

    assert ledger.get("a") == [text]


def test_another_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "x").write_text("this is no database, and long enough for its header to be read" * 20)

    with pytest.raises(StorageError, match="not a database"):
        Ledger(tmp_path / "x")


@pytest.mark.parametrize("place", ["file/ledger.sqlite", "folder"])
def test_a_place_that_cannot_be_written(place, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    with pytest.raises(StorageError, match="cannot be opened"):
        Ledger(tmp_path / place)


def test_an_entry_that_was_tampered_with_is_no_answer(ledger, tmp_path):
    other = sqlite3.connect(tmp_path / "ledger.sqlite")
    with other:
        other.execute("INSERT INTO cells VALUES ('a', '[broken')")
    other.close()

    with pytest.raises(StorageError, match="cannot be read"):
        ledger.get("a")


def test_threads_still_at_work_when_it_closes_are_told_so(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    errors = []

    def write() -> None:
        try:
            for n in range(100_000):
                ledger.put(str(n), n)
        except StorageError as error:
            errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    ledger.close()
    for writer in writers:
        writer.join(20)

    assert len(errors) == 3
