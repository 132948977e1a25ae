"""The conformance suite of every store: append-only, ordered, durable, refusing."""

import json
import time
from datetime import timedelta

import pytest

from sekisho.errors import DataError, LimitError, RuleError, SekishoError, StorageError
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import GENESIS, Draft, Entry, recomputed
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify

MODEL = "ab" * 32


def note(text: str, subject: str = "") -> Draft:
    return Draft("mori", Kind.NOTE, subject, {"text": text})


def test_entries_come_back_as_written_and_chained(ledger):
    first, second = ledger.extend([note("one"), note("two ☃ \x00 \ud800", MODEL)])

    assert ledger.page() == (first, second)
    assert (first.sequence, first.previous, second.previous) == (1, GENESIS, first.digest)
    assert recomputed(second) == second.digest
    assert second.content["text"] == "two ☃ \x00 \ud800"
    assert first.time == "2026-11-22T12:00:00Z"
    assert ledger.about(MODEL) == (second,)


def test_it_is_all_there_after_opening_again(ledger, place):
    made = ledger.append(note("kept"))
    again = open_ledger(place, create=False)
    assert again.page() == (made,)
    assert again.tip().digest == made.digest
    again.close()


def test_one_refused_draft_refuses_them_all(ledger):
    with pytest.raises(DataError, match="text is missing"):
        ledger.extend([note("one"), Draft("mori", Kind.NOTE, "", {})])
    assert ledger.page() == ()
    assert ledger.append(note("after")).sequence == 1


def test_pages_follow_one_another(ledger):
    ledger.extend([note(str(n)) for n in range(25)])
    assert [e.sequence for e in ledger.page(after=10, count=10)] == list(range(11, 21))
    assert len(list(ledger.all())) == 25


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET body = '{}' WHERE sequence = 1",
        "DELETE FROM entries WHERE sequence = 2",
        "UPDATE tip SET sequence = 1",
        "DELETE FROM tip",
        "INSERT INTO entries VALUES (2, 't', 'a', 'note', '', '{}', 'p', 'd')",
        "INSERT INTO entries VALUES (9, 't', 'a', 'note', '', '{}', 'p', 'd')",
    ],
)
def test_the_database_itself_refuses_change(ledger, statement):
    ledger.extend([note("one"), note("two")])
    store = ledger._store
    if "://" in store.place:
        statement = statement.replace(" entries", " ledger_entries").replace(" tip", " ledger_tip")
    with pytest.raises(Exception, match=r"entries|tip stays|entry follows"):
        store._db.execute(statement)
    assert verify(ledger).whole


def test_replacing_a_row_is_refused_too(ledger):
    if "://" in ledger.place:
        pytest.skip("INSERT OR REPLACE is SQLite's")
    ledger.extend([note("one"), note("two")])
    with pytest.raises(Exception, match="follows"):
        ledger._store._db.execute("INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE sequence = 1")


def test_an_entry_in_a_wrong_place_is_refused(ledger):
    made = ledger.append(note("one"))
    fork = Entry(1, *list(made.__dict__.values())[1:])
    with pytest.raises(StorageError, match="nothing was written"), ledger._store.writing():
        ledger._store.add([fork])
    assert verify(ledger).entries == 1


def test_an_error_inside_a_block_writes_nothing(ledger):
    made = ledger.append(note("one"))
    with pytest.raises(RuleError), ledger._store.writing():
        raise RuleError("no")
    assert ledger.page() == (made,)


def test_a_missing_ledger_is_not_made_by_reading(place):
    with pytest.raises(StorageError, match="there is no ledger"):
        open_ledger(place, create=False)


def test_fractions_are_kept_as_text(ledger):
    body = {"method": "lora", "settings": {"rate": 2e-4, "nested": [0.1, True, None, 3]}}
    made = ledger.append(Draft("mori", Kind.TRAINING_RECORD, "", body))
    assert json.loads(made.body)["settings"] == {"rate": "0.0002", "nested": ["0.1", True, None, 3]}


@pytest.mark.parametrize(
    ("draft", "match"),
    [
        (Draft("", Kind.NOTE, "", {"text": "x"}), "no name"),
        (Draft("a\nb", Kind.NOTE, "", {"text": "x"}), "no name"),
        (Draft("mori", Kind.NOTE, "model", {"text": "x"}), "64 hex"),
        (Draft("mori", Kind.NOTE, "", {"text": 3}), "str is needed"),
        (Draft("mori", Kind.NOTE, "", {"text": " "}), "empty"),
        (Draft("mori", Kind.NOTE, "", {"text": "x", "colour": "red"}), "no key 'colour'"),
        (Draft("mori", Kind.RE_TEST_DUE, "", {"due": "soon", "because": "period"}), "ISO 8601"),
        (Draft("mori", Kind.RE_TEST_DUE, "", {"due": "2027-01-01", "because": "mood"}), "none of"),
        (Draft("mori", Kind.AUDIT, "", {"sample": True}), "int is needed"),
    ],
)
def test_what_breaks_the_vocabulary_is_refused(ledger, draft, match):
    with pytest.raises(SekishoError, match=match):
        ledger.append(draft)
    assert ledger.page() == ()


def test_a_body_beyond_the_bound_is_refused(ledger):
    with pytest.raises(LimitError):
        ledger.append(note("x" * (4 * 2**20 + 1)))


def test_time_is_the_clock_given(ledger, clock):
    clock.later(days=1)
    made = ledger.append(note("tomorrow"))
    assert made.time == "2026-11-23T12:00:00Z"
    assert clock.now - timedelta(days=1) < clock.now


@pytest.mark.integration
def test_ten_thousand_entries_are_verified_and_paged(ledger):
    ledger.extend([note(str(n)) for n in range(10_000)])
    before = time.perf_counter()
    pages = [ledger.page(after, 100) for after in (0, 5_000, 9_900)]
    assert time.perf_counter() - before < 10 * 0.2
    assert [p[0].sequence for p in pages] == [1, 5_001, 9_901]
    assert verify(ledger).entries == 10_000
