"""Rows: the tree of RFC 6962, canonical bytes, and which row differs."""

import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.training_log import rows

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Of the test data of certificate transparency logs."""


def table(count: int) -> list[dict]:
    return [{"text": f"row {n}"} for n in range(count)]


@pytest.mark.parametrize("count", ROOTS)
def test_the_root_is_that_of_rfc_6962(count):
    leaves = [hashlib.sha256(b"\0" + bytes.fromhex(text)).digest() for text in LEAVES[:count]]

    assert rows.merkle(leaves).hex() == ROOTS[count]


@given(st.integers(0, 70), st.sampled_from([1, 2, 4, 8]))
def test_blocks_change_what_is_kept_and_not_the_root(count, most):
    with pytest.MonkeyPatch.context() as patch:
        whole = rows.take(table(count))
        patch.setattr(rows, "MARKS", most)
        blocks = rows.take(table(count))

    assert (blocks.root, blocks.digest, blocks.count) == (whole.root, whole.digest, count)
    assert len(blocks.marks) <= most


def test_order_of_keys_and_nulls_do_not_count_and_order_of_rows_does():
    assert rows.take([{"a": 1, "b": "ä"}]) == rows.take([{"b": "ä", "c": None, "a": 1}])
    assert rows.take([{"a": 1}, {"a": 2}]).root != rows.take([{"a": 2}, {"a": 1}]).root
    assert rows.take([{"a": 1}]).root != rows.take([{"a": "1"}]).root


def test_rows_cannot_pose_as_nodes_of_the_tree():
    two = rows.take(table(2))

    assert two.root != rows.take([two.root]).root
    assert rows.take([]).root == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("at", [0, 7, 19])
def test_a_changed_row_is_named(at):
    changed = table(20)
    changed[at] = {"text": "another"}

    assert rows.differing(rows.take(table(20)), rows.take(changed)) == ((at + 1, at + 1),)


def test_of_many_rows_the_block_is_named(monkeypatch):
    monkeypatch.setattr(rows, "MARKS", 8)
    changed = table(50)
    changed[49] = {"text": "another"}

    assert rows.differing(rows.take(table(50)), rows.take(changed)) == ((49, 50),)


def test_a_row_put_in_or_taken_out_is_placed():
    old = rows.take(table(20))

    assert rows.differing(old, rows.take([*table(20)[:5], *table(20)[6:]])) == ((6, 6),)
    assert rows.differing(old, rows.take([*table(20)[:5], {"x": 1}, *table(20)[5:]]))[0][0] == 6
    assert rows.differing(old, rows.take(table(19))) == ((20, 20),)


def test_numbers_dates_and_bytes_have_one_form_and_objects_none():
    array = type("Array", (), {"tolist": lambda _: [1, 2]})()

    assert rows.canonical({"a": array, "b": dt.date(2027, 1, 31)}) == b'{"a":[1,2],"b":"2027-01-31"}'
    assert b"sha256" in rows.canonical({"a": b"\xff"})
    assert rows.canonical("\ud800") == b'"\\ud800"'
    with pytest.raises(TypeError):
        rows.canonical({"a": object()})
