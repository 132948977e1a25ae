"""What somebody with the database's rights, or with a second name, tries on a ledger."""

import pytest

from sekisho.errors import DataError, RuleError
from sekisho.ledger.entry import GENESIS, Draft, Entry, recomputed, same_person
from sekisho.ledger.kinds import Kind, moment
from sekisho.ledger.store import Tip
from sekisho.ledger.verify import verify

MODEL = "ab" * 32
DECISION = {"decision": "reject", "scope": "behaviour", "policy": "default", "policy_digest": "12" * 32}


@pytest.fixture
def decided(ledger):
    ledger.append(Draft("mori", Kind.NOTE, "", {"text": "begin"}))
    ledger.append(Draft("gate", Kind.DECISION, MODEL, DECISION))
    return ledger


def found(ledger, *heads):
    return [(p.sequence, p.code) for p in verify(ledger, heads).problems]


def forged(sequence, subject):
    body = '{"decision":"admit","policy":"p","policy_digest":"' + "12" * 32 + '","scope":"behaviour"}'
    made = Entry(sequence, "2026-11-22T12:00:00Z", "gate", "decision", subject, body, GENESIS, "")
    values = (made.time, made.actor, made.kind, subject, body, made.previous, recomputed(made))
    return f"INSERT INTO entries VALUES ({sequence}, {', '.join(repr(v) for v in values)})"


@pytest.mark.parametrize("sequence", [0, -7, -(2**63)])
def test_an_entry_before_the_first_is_named(decided, tamper, sequence):
    tamper(forged(sequence, "cd" * 32))
    assert (sequence, "before-first") in found(decided)


def test_entries_left_out_of_the_index_are_named(decided, place):
    """SQLite answers a search from its index, which somebody can write without what it should hold."""
    if "://" in place:
        pytest.skip("the index of a file")
    import sqlite3

    with sqlite3.connect(place, isolation_level=None) as db:
        (whole,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'entries_subject'").fetchone()
        db.execute("DROP INDEX entries_subject")
        db.execute(f"{whole} WHERE kind <> 'decision'")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'entries_subject'", (whole,))
    db.close()
    from sekisho.ledger.book import open_ledger

    again = open_ledger(place)
    assert again.about(MODEL) == (), "the reject is out of sight"
    assert found(again) == [(2, "hidden")]
    again.close()


def test_two_heads_that_contradict_cannot_both_stand(decided):
    good = decided.tip()
    assert found(decided, Tip(2, "0" * 64), good) == [(2, "not-head")]
    assert found(decided, good, Tip(2, "0" * 64)) == [(2, "not-head")]
    assert found(decided, Tip(0, "1" * 64)) == [(0, "not-head")]
    assert found(decided, Tip(0, GENESIS)) == []


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_number_no_database_knows_finds_nothing(decided, number):
    assert decided.page(number, 10) in ((), decided.page(0, 10))


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_the_calendar_is_no_time(text):
    with pytest.raises(DataError):
        moment(text)


@pytest.mark.parametrize(
    "other", ["sato\ufe0f", "sato\u3164", "sa\u034fto", "ｓａｔｏ", "SATO ", "sa\u200bto", "sato\u2800"]
)
def test_a_name_with_something_invisible_is_the_same_person(other):
    assert same_person("sato", other)


def test_names_that_differ_for_the_eye_are_two_persons():
    assert not same_person("はた", "ばた")


def test_the_requester_does_not_except_himself_invisibly(ledger):
    ledger.append(Draft("sato", Kind.STATE_CHANGE, MODEL, {"to": "requested"}))
    ledger.append(Draft("gate", Kind.DECISION, MODEL, DECISION))
    body = {"reason": "trial", "expires": "2026-12-31", "approver": "sato\ufe0f"}
    with pytest.raises(RuleError, match="cannot approve"):
        ledger.append(Draft("sato", Kind.EXCEPTION, MODEL, body))
    with pytest.raises(DataError, match="no name"):
        ledger.append(Draft("sato", Kind.EXCEPTION, MODEL, body | {"approver": "mori\u200b\n"}))


@pytest.mark.parametrize("back", [("re-test", "drill"), ("retired", "requested", "received", "static")])
def test_an_old_decision_settles_no_re_test(ledger, back):
    for state in ("requested", "received", "static"):
        ledger.append(Draft("sato", Kind.STATE_CHANGE, MODEL, {"to": state}))
    ledger.append(Draft("gate", Kind.DECISION, MODEL, DECISION))
    for state in ("decided", *back):
        ledger.append(Draft("sato", Kind.STATE_CHANGE, MODEL, {"to": state}))
    with pytest.raises(RuleError, match="decision"):
        ledger.append(Draft("sato", Kind.STATE_CHANGE, MODEL, {"to": "decided"}))
    ledger.append(Draft("gate", Kind.DECISION, MODEL, DECISION))
    ledger.append(Draft("sato", Kind.STATE_CHANGE, MODEL, {"to": "decided"}))
