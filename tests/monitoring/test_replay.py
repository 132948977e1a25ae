"""Logs of production: bounded reading, a seeded sample, and nothing of them where it was not asked for."""

import json

import pytest

from sekisho.errors import DataError
from sekisho.limits import Limits
from sekisho.monitoring import replay

ROWS = [{"prompt": f"p{n}", "answer": f"a{n}"} for n in range(50)]


def write(path, lines):
    path.write_bytes(b"".join(x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in lines))
    return path


def test_the_same_seed_draws_the_same_and_more_lines_change_little(tmp_path):
    log = write(tmp_path / "log", ROWS)
    first, again, other = (replay.draw(log, 10, seed) for seed in (1, 1, 2))
    assert first == again
    assert [r.id for r in other.rows] != [r.id for r in first.rows]
    assert len(first.rows) == 10
    more = replay.draw(write(tmp_path / "more", [*ROWS, {"prompt": "new", "answer": "new"}]), 10, 1)
    assert len({r.id for r in more.rows} & {r.id for r in first.rows}) >= 9
    assert "p1" not in repr(first)


def test_every_line_is_as_likely(tmp_path):
    log = write(tmp_path / "log", ROWS)
    counts = dict.fromkeys([r["prompt"] for r in ROWS], 0)
    for seed in range(200):
        for row in replay.draw(log, 10, seed).rows:
            counts[row.prompt] += 1
    assert all(15 <= c <= 70 for c in counts.values()), counts


def test_lines_that_cannot_be_used_are_counted_by_reason(tmp_path):
    limits = Limits(log_row=200)
    bad = [
        b"\xff\n",
        b"{\n",
        b"[" * 150 + b"\n",
        b"7\n",
        {"prompt": "x"},
        {"prompt": " ", "answer": "x"},
        {"prompt": "x", "answer": 3},
    ]
    giant = [{"prompt": "x" * 500, "answer": "y"}]
    found = replay.draw(write(tmp_path / "log", [*bad, *giant, *ROWS[:3]]), 10, 0, limits)
    assert dict(found.left_out) == {"encoding": 1, "json": 2, "shape": 3, "empty": 1, "giant": 1}
    assert [r.prompt for r in found.rows] == ["p0", "p1", "p2"]
    assert found.total == 11


def test_deep_brackets_and_a_last_line_without_an_end(tmp_path):
    found = replay.draw(
        write(tmp_path / "log", [b"[" * 100_000 + b"\n", b'{"prompt": "x", "answer": "y"}']), 5, 0
    )
    assert dict(found.left_out) == {"json": 1}
    assert [r.prompt for r in found.rows] == ["x"]


def test_logs_that_are_none(tmp_path):
    with pytest.raises(DataError, match="none of its 1 lines"):
        replay.draw(write(tmp_path / "bad", [b"{}\n"]), 5, 0)
    with pytest.raises(DataError, match="over the limit"):
        replay.draw(write(tmp_path / "big", ROWS), 5, 0, Limits(log_bytes=100))
    with pytest.raises(DataError, match="not read"):
        replay.draw(tmp_path / "none", 5, 0)
    for count in (0, 5001):
        with pytest.raises(DataError, match="asked again"):
            replay.draw(tmp_path / "none", count, 0)
