"""Datasets of every kind: the same rows give the same digests, and what cannot be read stays unknown."""

import json

import pytest

from sekisho.errors import DataError
from sekisho.training_log import data, sources
from training_log.conftest import ROWS, write_rows


class Mapped:
    """A dataset as torch knows it."""

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, at: int) -> dict:
        return ROWS[at]


def test_files_lists_and_datasets_of_the_same_rows_are_alike(tmp_path):
    root = data.look(ROWS).rows.root
    array = tmp_path / "rows.json"
    array.write_text(json.dumps(ROWS, indent=2))
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + write_rows(tmp_path / "a.jsonl", ROWS).read_bytes() + b"\n\n")

    assert {data.look(x).rows.root for x in (tmp_path / "a.jsonl", array, marked, tuple(ROWS), Mapped())} == {
        root
    }


@pytest.mark.model
def test_parquet_and_datasets_give_the_rows_of_the_file_they_came_from(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "rows.parquet")

    assert data.look(tmp_path / "rows.parquet").rows == data.look(ROWS).rows


def test_rows_that_come_only_once_stay_unknown():
    found = data.look(row for row in ROWS)

    assert found.rows is None
    assert "only once" in found.unknown


def test_nothing_an_object_and_another_kind_of_file_stay_unknown(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n")

    assert data.look(None).unknown == "no dataset was named"
    assert "object" in data.look([object()]).unknown
    assert "csv" in data.look(tmp_path / "rows.csv").unknown
    assert data.look(tmp_path / "rows.csv").sources[0].sha256


@pytest.mark.parametrize("text", ["{", '{"a": 1}\n{"a"', "\udcff"])
def test_a_broken_line_is_named(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + text, errors="surrogateescape")

    with pytest.raises(DataError, match=r"line [23]: no JSON"):
        data.look(path)


def test_a_missing_file_and_a_giant_line_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="not read"):
        data.look(tmp_path / "none.jsonl")
    write_rows(tmp_path / "rows.jsonl", [{"a": "x" * (1 << 20)}])
    with pytest.raises(DataError, match="line 1: over the limit"):
        data.look(tmp_path / "rows.jsonl")


def test_the_file_that_a_dataset_names_is_hashed_and_an_address_kept(tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", ROWS)
    info = type("Info", (), {"download_checksums": {str(path): {}, "hf://datasets/a/b@c/d.parquet": {}}})
    found = sources.of(type("Set", (), {"info": info})())

    assert [bool(s.sha256) for s in found] == [True, False]
    assert found[1].path.startswith("hf://")


@pytest.mark.model
def test_a_loaded_dataset_carries_its_file_through_map_and_filter(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    sources.watch()
    path = write_rows(tmp_path / "rows.jsonl", ROWS)
    loaded = datasets.load_dataset(
        "json", data_files={"train": str(path)}, split="train[:15]", cache_dir=str(tmp_path / "cache")
    )
    streamed = datasets.load_dataset("json", data_files=str(path), split="train", streaming=True)
    changed = loaded.map(lambda row: {"text": row["prompt"]}).filter(lambda row: "1" in row["text"])

    assert [s.path for s in sources.of(changed)] == [str(path)]
    assert data.look(loaded).rows.root == data.look(ROWS[:15]).rows.root
    assert [s.path for s in sources.of(streamed)] == [str(path)]
    assert data.look(streamed).rows is None
