"""Measured cells on a bad day: what was kept stays readable, and every failure is a StorageError."""

import sqlite3
import threading
from pathlib import Path

import pytest

from sekisho.errors import StorageError
from sekisho.evidence.cells import Cells


@pytest.fixture
def cells(tmp_path: Path):
    opened = Cells(tmp_path / "cells.sqlite")
    yield opened
    opened.close()


def test_a_full_disk_loses_nothing_that_was_kept(cells, tmp_path):
    cells.put("a", ["kept"])
    pages = cells._db.execute("PRAGMA page_count").fetchone()[0]
    cells._db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageError, match="full"):
        cells.put("b", "x" * 100_000)

    assert cells.get("a") == ["kept"]
    assert cells.get("b") is None
    again = Cells(tmp_path / "cells.sqlite")
    assert again.get("a") == ["kept"]
    again.close()


def test_the_first_value_of_a_key_stays(cells):
    cells.put("a", 1)
    cells.put("a", 2)

    assert cells.get("a") == 1


@pytest.mark.parametrize("text", ["日本語", "\ud800", "a\x00b", "\U0001f600"])
def test_any_answer_can_be_kept(cells, text):
    cells.put("a", [text])

    assert cells.get("a") == [text]


def test_another_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "x").write_text("this is no database, and long enough for its header to be read" * 20)

    with pytest.raises(StorageError, match="not a database"):
        Cells(tmp_path / "x")


@pytest.mark.parametrize("place", ["file/cells.sqlite", "folder"])
def test_a_place_that_cannot_be_written(place, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    with pytest.raises(StorageError, match="cannot be opened"):
        Cells(tmp_path / place)


def test_an_entry_that_was_tampered_with_is_no_answer(cells, tmp_path):
    other = sqlite3.connect(tmp_path / "cells.sqlite")
    with other:
        other.execute("INSERT INTO cells VALUES ('a', '[broken')")
    other.close()

    with pytest.raises(StorageError, match="cannot be read"):
        cells.get("a")


def test_threads_still_at_work_when_it_closes_are_told_so(tmp_path):
    cells = Cells(tmp_path / "cells.sqlite")
    errors = []

    def write() -> None:
        try:
            for n in range(100_000):
                cells.put(str(n), n)
        except StorageError as error:
            errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    cells.close()
    for writer in writers:
        writer.join(20)

    assert len(errors) == 3
