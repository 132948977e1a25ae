"""Only what was written is believed: edits, cuts, swaps, pieces and kills."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sekisho
from sekisho.errors import DataError, SekishoError
from sekisho.limits import Limits
from sekisho.training_log import chain, models, reading
from sekisho.training_log.entry import summary
from sekisho.training_log.outline import outline
from sekisho.training_log.repeating import compare
from sekisho.training_log.verifying import Against, verify
from training_log.conftest import ROWS, make, write_rows

SOURCE = str(Path(sekisho.__file__).parents[1])


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_a_record_says_what_was_recorded(trained):
    record = reading.read(trained.record)

    assert (record.broken, record.torn, record.finished) == ((), False, True)
    assert record.losses() == ((1, 2.0), (2, 1.5), (3, 1.0))
    assert record.settings["training.learning_rate"] == 2e-05
    assert record.rows("given").count == 20
    assert record.first("open")["owner"] == "K. Sato"
    assert set(record.outputs) == {"model.safetensors", "config.json"}
    assert record.last("output")["not_opened"] == {"training_args.bin": 15}


def test_a_changed_setting_is_named(trained, edit):
    edit(
        trained.record,
        '"name":"training.learning_rate","value":2e-05',
        '"name":"training.learning_rate","value":3e-05',
    )
    (broken,) = reading.read(trained.record).broken

    assert (broken.code, broken.about) == ("altered", "setting training.learning_rate")


def test_a_changed_setting_that_was_sealed_again_does_not_fit_the_next_line(trained):
    own = lines(trained.record)
    at = next(n for n, x in enumerate(own) if b"max_steps" in x)
    body = json.loads(own[at])
    body["body"]["value"] = 4
    del body["digest"]
    body["digest"] = chain.digest(chain.canonical(body))
    own[at] = chain.canonical(body) + b"\n"
    trained.record.write_bytes(b"".join(own))

    assert [(b.line, b.code) for b in reading.read(trained.record).broken] == [(at + 1, "replaced")]


@pytest.mark.parametrize("at", [1, 3, 8])
def test_a_removed_line_is_missed(trained, at):
    own = lines(trained.record)
    trained.record.write_bytes(b"".join(own[:at] + own[at + 1 :]))

    assert "missing" in {b.code for b in reading.read(trained.record).broken}


def test_two_lines_in_each_others_place_are_noticed(trained):
    own = lines(trained.record)
    own[3], own[4] = own[4], own[3]
    trained.record.write_bytes(b"".join(own))

    assert reading.read(trained.record).broken


def test_a_file_of_the_base_taken_out_of_the_list_and_sealed_again_does_not_fit_its_root(tmp_path):
    log = chain.Log(tmp_path / "r.jsonl")
    log.append("open", {"schema": 1})
    log.append("base", {"files": {"a": "0" * 64}, "root": "1" * 64})
    log.close()

    assert [b.about for b in reading.read(tmp_path / "r.jsonl").broken] == ["base"]


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_half_a_line_is_not_believed(trained, cut):
    whole = reading.read(trained.record)
    trained.record.write_bytes(trained.record.read_bytes()[:-cut])
    record = reading.read(trained.record)

    assert (record.torn, record.broken) == (True, ())
    assert len(record.lines) == len(whole.lines) - 1


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff\xfe",
        b'{"n":0,"n":0}',
        b'{"body":{},"digest":"","kind":"pickle","n":9,"previous":"","time":""}',
        b'{"body":{},"digest":"","kind":"log","n":true,"previous":"","time":""}',
        b'{"body":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
    ],
)
def test_a_line_that_no_recorder_wrote_is_named(trained, line):
    trained.record.write_bytes(trained.record.read_bytes() + line + b"\n")
    record = reading.read(trained.record)

    assert [b.code for b in record.broken] == ["unreadable"]
    assert record.broken[0].line == len(lines(trained.record))


def test_a_line_and_a_record_over_their_limits_are_refused(trained):
    size = trained.record.stat().st_size
    with pytest.raises(DataError, match="over the limit"):
        reading.read(trained.record, Limits(training_record_bytes=size - 1))

    longest = max(len(x) for x in lines(trained.record)) - 1
    assert reading.read(trained.record, Limits(training_line_bytes=longest)).broken == ()
    assert [b.code for b in reading.read(trained.record, Limits(training_line_bytes=longest - 1)).broken] == [
        "unreadable"
    ]


@pytest.mark.parametrize("data", [b"", b"no record\n", b"{}\n", b"\0" * 100])
def test_what_is_no_record_is_refused(tmp_path, data):
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)

    with pytest.raises(DataError, match="no training record"):
        reading.read(path)


def test_another_layout_is_refused(tmp_path):
    log = chain.Log(tmp_path / "r.jsonl")
    log.append("open", {"schema": 2})
    log.close()

    with pytest.raises(DataError, match="layout"):
        reading.read(tmp_path / "r.jsonl")


def test_losses_that_are_no_numbers_stay_readable(tmp_path):
    log = chain.Log(tmp_path / "r.jsonl")
    log.append("open", {"schema": 1})
    log.append("log", {"step": 1, "values": {"loss": float("nan")}})
    log.append("log", {"step": 2, "values": {"loss": float("inf")}})
    log.close()
    record = reading.read(tmp_path / "r.jsonl")

    assert record.broken == ()
    assert [str(v) for _, v in record.losses()] == ["nan", "inf"]


LOOP = """
import sys; sys.path.insert(0, {source!r})
from sekisho.training_log import recording
with recording({path!r}, settings={{"a": 1}}) as run:
    for step in range(1, 10**6):
        run.log(step, {{"loss": 1.0 / step}})
        print(step, flush=True)
"""


@pytest.mark.integration
@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
@pytest.mark.parametrize("after", [1, 7, 300])
def test_killed_at_any_moment_everything_accepted_is_there(tmp_path, after):
    path = tmp_path / "run.jsonl"
    code = LOOP.format(source=SOURCE, path=str(path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        told = 0
        while told < after:
            told = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split("\n")
    told = max([told, *(int(t) for t in rest[:-1])])
    record = reading.read(path)

    assert record.broken == ()
    assert not record.finished
    assert [s for s, _ in record.losses()][:told] == list(range(1, told + 1))


def test_results_that_could_not_be_read_are_not_the_same_weights(tmp_path, monkeypatch):
    first = [reading.read(make(tmp_path, f"{n}.jsonl").record) for n in "ab"]
    monkeypatch.setattr(models.walk, "sha256", lambda _: None)  # written to all the while
    second = [reading.read(make(tmp_path, f"{n}.jsonl").record) for n in "cd"]

    assert (compare(*first).outcome, compare(*first).by) == ("reproduced", "files")
    assert (compare(*second).outcome, compare(*second).by) == ("similar", "losses")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["0" * 64, "given", "nan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "schema",
    "command",
    "folder",
    "files",
    "root",
    "unknown",
    "role",
    "rows",
    "digest",
    "block",
    "sources",
    "marks",
    "first",
    "name",
    "value",
    "versions",
    "environment",
    "step",
    "values",
    "outcome",
    "path",
    "not_opened",
    "output_dir",
    "torch_seed",
    "kind",
]
BODY = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5)


@pytest.mark.integration
@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(sorted(reading.KINDS)), BODY), max_size=8))
def test_whatever_a_record_says_it_is_read_verified_and_shown_or_refused(lines):
    """Sealed as a recorder would, so that nothing stops it at the chain."""
    with tempfile.TemporaryDirectory() as home:
        path, base = Path(home) / "r.jsonl", Path(home) / "base"
        base.mkdir()
        write_rows(base / "rows.jsonl", ROWS)
        log = chain.Log(path)
        for kind, body in [("open", {"schema": 1}), *lines]:
            log.append(kind, body)
        log.close()
        record = reading.read(path)
        against = Against(base, base / "rows.jsonl", base)
        for look in (lambda: verify(record, against), lambda: summary(record), lambda: dict(outline(record))):
            with suppress(SekishoError):
                look()
        assert compare(record, record).differing == ()
