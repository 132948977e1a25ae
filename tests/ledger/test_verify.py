"""Every kind of tampering is named by the number of the entry."""

import pytest

from sekisho.ledger.entry import GENESIS, Draft, Entry, recomputed
from sekisho.ledger.kinds import Kind
from sekisho.ledger.store import Tip
from sekisho.ledger.verify import Problem, verify


@pytest.fixture
def ten(ledger):
    ledger.extend([Draft("mori", Kind.NOTE, "", {"text": str(n)}) for n in range(1, 11)])
    return ledger


def found(ledger, *heads: Tip) -> list[tuple[int, str, int]]:
    return [(p.sequence, p.code, p.other) for p in verify(ledger, heads).problems]


def test_an_untouched_ledger_is_whole(ten):
    assert verify(ten).whole
    assert verify(ten, (Tip(10, ten.tip().digest),)).whole


def test_an_empty_ledger_is_whole(ledger):
    assert verify(ledger).tip == Tip(0, GENESIS)


@pytest.mark.parametrize("column", ["body", "actor", "time", "kind", "subject", "digest"])
def test_an_edited_column_is_named(ten, tamper, column):
    tamper(f"UPDATE entries SET {column} = 'x' WHERE sequence = 5")
    assert found(ten) == [(5, "altered", 0)]


def test_a_deleted_entry_is_named(ten, tamper):
    tamper("DELETE FROM entries WHERE sequence = 5")
    assert found(ten) == [(5, "missing", 5)]


def test_the_first_entry_deleted(ten, tamper):
    tamper("DELETE FROM entries WHERE sequence = 1")
    assert found(ten) == [(1, "missing", 1)]


def test_a_ledger_cut_off_is_named(ten, tamper):
    tamper("DELETE FROM entries WHERE sequence > 8")
    assert found(ten) == [(9, "cut-off", 10)]


def test_a_ledger_emptied(ten, tamper):
    tamper("DELETE FROM entries")
    assert found(ten) == [(1, "cut-off", 10)]


def test_a_cut_that_also_moves_the_tip_shows_against_a_kept_head(ten, tamper):
    kept, eighth = ten.tip(), ten.page(7, 1)[0]
    tamper(
        "DELETE FROM entries WHERE sequence > 8", f"UPDATE tip SET sequence = 8, digest = '{eighth.digest}'"
    )
    assert found(ten) == []
    assert found(ten, kept) == [(10, "behind-head", 8)]


def test_two_entries_exchanged(ten, tamper):
    tamper(
        "UPDATE entries SET sequence = 99 WHERE sequence = 3",
        "UPDATE entries SET sequence = 3 WHERE sequence = 7",
        "UPDATE entries SET sequence = 7 WHERE sequence = 99",
    )
    assert found(ten) == [(3, "moved", 7), (7, "moved", 3)]


def test_an_entry_rewritten_with_its_digest(ten, tamper):
    old = ten.page(4, 1)[0]
    forged = Entry(5, old.time, "sato", old.kind, "", old.body, old.previous, "")
    tamper(f"UPDATE entries SET actor = 'sato', digest = '{recomputed(forged)}' WHERE sequence = 5")
    assert found(ten) == [(5, "replaced", 0)]


def test_the_last_entry_rewritten_with_its_digest(ten, tamper):
    old = ten.page(9, 1)[0]
    forged = Entry(10, old.time, "sato", old.kind, "", old.body, old.previous, "")
    tamper(f"UPDATE entries SET actor = 'sato', digest = '{recomputed(forged)}' WHERE sequence = 10")
    assert found(ten) == [(10, "replaced", 0)]


def test_an_entry_added_beyond_the_tip(ten, tamper):
    last = ten.page(9, 1)[0]
    extra = Entry(11, last.time, "sato", "note", "", "{}", last.digest, "")
    values = f"11, '{last.time}', 'sato', 'note', '', '{{}}', '{last.digest}', '{recomputed(extra)}'"
    tamper(f"INSERT INTO entries VALUES ({values})")
    assert found(ten) == [(11, "beyond-tip", 0)]


def test_the_whole_chain_rewritten_shows_against_a_kept_head(ten, tamper):
    kept, previous, commands = ten.tip(), GENESIS, []
    for row in ten.all():
        forged = Entry(row.sequence, row.time, "sato", row.kind, "", row.body, previous, "")
        digest = recomputed(forged)
        commands.append(
            f"UPDATE entries SET actor = 'sato', previous = '{previous}', digest = '{digest}' "
            f"WHERE sequence = {row.sequence}"
        )
        previous = digest
    tamper(*commands, f"UPDATE tip SET digest = '{previous}'")
    assert found(ten) == []
    assert found(ten, kept) == [(10, "not-head", 0)]


def test_numbers_shifted_after_a_deletion(ten, tamper):
    tamper("DELETE FROM entries WHERE sequence = 5")
    tamper(*(f"UPDATE entries SET sequence = {n - 1} WHERE sequence = {n}" for n in range(6, 11)))
    assert verify(ten).problems[0] == Problem(5, "moved", 6)
