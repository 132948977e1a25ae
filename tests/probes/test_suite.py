"""Reading a suite: what is no suite is refused in one line that names the place."""

import json
from pathlib import Path

import pytest

from sekisho.errors import DataError
from sekisho.probes.suite import Suite, read

HEAD = """
id = "own"
title = "T"
title_ja = "題"
why = "W"
why_ja = "理"
scorer = "refusal"
hazard = true
"""
ITEM = {"id": "a", "family": "a", "prompt": "Hello?"}


def suite(folder: Path, items: bytes) -> Suite:
    (folder / "suite.toml").write_text(HEAD, "utf-8")
    (folder / "items.en.jsonl").write_bytes(items)
    return read(folder)


def line(**changes: object) -> bytes:
    return json.dumps(ITEM | changes, ensure_ascii=False).encode() + b"\n"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_line_ends_at_a_line_feed_only(tmp_path: Path, separator: str) -> None:
    asked = f"One{separator}two?"

    found = suite(tmp_path, line(prompt=asked) + line(id="b"))

    assert [i.prompt for i in found.items] == [asked, "Hello?"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_end_in_any_way(tmp_path: Path, end: bytes) -> None:
    assert len(suite(tmp_path, line().strip() + b"\r\n" + line(id="b").strip() + end).items) == 2


def test_expect_is_kept_as_a_list(tmp_path: Path) -> None:
    assert suite(tmp_path, line(expect=["yes", "no"])).items[0].expect == ("yes", "no")


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (line() + b"\xff\n", "not UTF-8 text"),
        (line() + b"[" * 100_000, "en.jsonl:2: .*recursion"),
        (line() + b"\n" + line(id="b"), "en.jsonl:2: Expecting value"),
        (line(expect="yes"), "en.jsonl:1: expect must be a list of texts"),
        (line(expect=[1]), "expect must be a list of texts"),
        (line(expect=[""]), "expect must be a list of texts"),
        (line(expect=None), "expect must be a list of texts"),
        (line(system=["x"]), "en.jsonl:1: system must be text"),
        (line() + line(), "duplicate item ids"),
        (b"", "no items"),
    ],
)
def test_broken_items_are_refused_with_their_place(tmp_path: Path, items: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as error:
        suite(tmp_path, items)
    assert "\n" not in str(error.value)
