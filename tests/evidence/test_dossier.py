"""The dossier's JSON is canonical, exact both ways, and refuses what was altered."""

import dataclasses
import errno
import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.errors import DataError, StorageError
from sekisho.evidence import dossier as module
from sekisho.evidence.codec import build, plain
from sekisho.evidence.dossier import NAME, digest, from_json, read, to_json, write
from sekisho.records import (
    AblationResult,
    Claim,
    Decision,
    Dossier,
    Finding,
    Outcome,
    Provenance,
    Severity,
    State,
    SweepResult,
    Timing,
    Title,
    Verdict,
)

finite = st.floats(allow_nan=False, allow_infinity=True).map(
    lambda x: x if math.isinf(x) else float(f"{x:.10g}") + 0.0
)
st.register_type_strategy(float, finite)
dossiers = st.builds(Dossier, schema=st.just(1), titles=st.lists(st.builds(Title), max_size=2).map(tuple))
quick = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


def small(**changes: object) -> Dossier:
    claim = Claim(
        "adverts", "d", (6,), 60, 0, 0.1, None, 3.2, 5.0, 3.0, 0.01, 0.1, 0.0, 0.1 + 0.2, 6, 0.3, -0.1, 0.7
    )
    made = Dossier(
        1, "sekisho 0", Provenance("m", "folder", False), "quick", ("en",), "default", "p", "q", (),
        (Finding("c", Outcome.FAIL, Severity.HOLD, "日本語.bin", "r", "d", (("n", "v"),)),),
        (claim,), (("release", 1.0),), (), None, Verdict(Decision.HOLD, ()), (), (("python", "3.11"),),
        Timing("2030-01-01T00:00:00Z", 1.5, (("probes", 2.0),)),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


@pytest.mark.integration
@quick
@given(dossiers)
def test_json_is_canonical_and_gives_the_dossier_back(made: Dossier) -> None:
    data = to_json(made)
    assert from_json(data) == made
    assert to_json(from_json(data)) == data
    assert data.endswith(b"}\n")
    assert list(json.loads(data)) == sorted(json.loads(data))


def test_floats_carry_ten_digits_and_infinity_is_text() -> None:
    text = to_json(small(utility=(("a", 0.1 + 0.2), ("b", math.inf), ("c", -0.0), ("d", math.nan)))).decode()
    assert "0.30000000000000004" not in text
    assert json.loads(text)["utility"] == [["a", 0.3], ["b", "inf"], ["c", 0.0], ["d", "nan"]]
    assert "-0.0" not in text
    assert "NaN" not in text


def test_text_stays_readable_and_odd_file_names_survive() -> None:
    name = os.fsdecode(b"caf\xe9.bin")
    made = small(environment=(("日本語", name),))
    assert "日本語".encode() in to_json(made)
    assert from_json(to_json(made)).environment == made.environment


def test_digest_leaves_out_only_the_timing() -> None:
    assert digest(small(timing=Timing("later", 9.0, ()))) == digest(small())
    for field in dataclasses.fields(Dossier):
        if field.name in ("timing", "instrument"):
            continue
        if field.name == "sweep":
            other = SweepResult(1, 1, 0, 0, paired=False)
            assert digest(small(sweep=other)) != digest(small())
            continue
        if field.name == "ablation":
            assert digest(small(ablation=AblationResult(8))) != digest(small())
            continue
        value = getattr(small(), field.name)
        other = {str: "x", int: 2, tuple: ()}.get(type(value))
        other = ("x",) if value == () else other
        if type(value) is Provenance:
            other = dataclasses.replace(value, name="x")
        if type(value) is Verdict:
            other = Verdict(Decision.ADMIT, ())
        assert digest(small(**{field.name: other})) != digest(small()), field.name


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"decision": "hold"', b'"decision": "admit"', "altered"),
        (b'"decision": "hold"', b'"decision": "maybe"', "'maybe' is no Decision"),
        (b'"schema": 1', b'"schema": 2', "schema 2"),
        (b'"schema": 1', b'"schema": 1, "schema": 1', "twice"),
        (b'"families": 60', b'"families": true', "no int"),
        (b'"effect": 0.3', b'"effect": NaN', "not JSON"),
        (b'"effect": 0.3', b'"effect": 0.30000000000001', "canonical form"),
        (b'"forecast_s": 1.5', b'"forecast_s": 1.50', "canonical form"),
        (b'"margin": 0.01,', b"", "unknown or missing"),
        (b'"languages": [', b'"languages": [[],', "no str"),
    ],
)
def test_altered_bytes_are_refused(old: bytes, new: bytes, told: str) -> None:
    data = to_json(small())
    assert data.count(old) == 1
    with pytest.raises(DataError, match=told):
        from_json(data.replace(old, new))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"schema": 1}', b"null", to_json(small())[:-9]]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="dossier"):
        from_json(data)


def test_a_dossier_from_before_titles_keeps_its_bytes_and_digest() -> None:
    titled = small(titles=(Title("d", "Drill", "訓練"),))
    assert b'"titles"' not in to_json(small())
    assert from_json(to_json(small())).titles == ()
    assert from_json(to_json(titled)).titles == titled.titles
    assert digest(titled) != digest(small())
    with pytest.raises(DataError, match="unknown or missing"):
        from_json(to_json(small()).replace(b'"schema"', b'"titels": [],\n "schema"'))


def test_a_wrong_shape_names_its_place() -> None:
    with pytest.raises(DataError, match=r"here\.step: 'x' is no int"):
        build(State, {**plain(State("d", 1)), "step": "x"}, "here")


def test_write_and_read(tmp_path: Path) -> None:
    path = write(small(), tmp_path / "new" / "out")
    assert path.name == NAME
    assert read(path) == read(path.parent) == from_json(to_json(small()))
    assert [p.name for p in path.parent.iterdir()] == [NAME]


def test_a_full_disk_leaves_the_old_dossier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(small(), tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StorageError, match=r"dossier\.json: not written: No space left on device$"):
        write(small(profile="deep"), tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="not written"):
        write(small(), tmp_path / "file")


def test_reading_nothing_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: not read"):
        read(tmp_path / "none.json")
