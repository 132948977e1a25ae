"""Two sets of weights compared, without torch and in bounded memory."""

import json
from pathlib import Path

import numpy as np
import pytest

from artefacts import safetensors_bytes, save_safetensors, save_sharded, tiny_gguf, tiny_model
from sekisho.formats import _numbers, tensors
from sekisho.formats.tensors import compare
from sekisho.inventory import take


def rng(seed=0):
    return np.random.default_rng(seed)


def some(*shape, seed=0):
    return rng(seed).standard_normal(shape).astype(np.float32)


def stored(folder: Path, arrays):
    folder.mkdir(exist_ok=True)
    save_safetensors(folder / "model.safetensors", arrays)
    return take(folder)


def raw(folder: Path, entries):
    """Write tensors of any dtype: name -> (dtype, shape, bytes)."""
    header, data = {}, b""
    for name, (dtype, shape, content) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(safetensors_bytes(json.dumps(header).encode(), data))
    return take(folder)


def delta(tmp_path, mine, theirs, name="w"):
    comparison = compare(stored(tmp_path / "m", mine), stored(tmp_path / "b", theirs))
    assert comparison.problem == ""
    return next(d for d in comparison.deltas if d.name == name)


def test_same(tmp_path):
    found = delta(tmp_path, {"w": some(40, 8)}, {"w": some(40, 8)})
    assert (found.kind, found.relative, found.cosine, found.file) == ("same", 0.0, 1.0, "model.safetensors")


def test_changed_agrees_with_numpy(tmp_path):
    base = some(300, 70)
    mine = base + 0.1 * some(300, 70, seed=1)
    found = delta(tmp_path, {"w": mine}, {"w": base})
    a, b = mine.astype(np.float64), base.astype(np.float64)
    assert found.kind == "changed"
    assert found.relative == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b), rel=1e-4)
    assert found.cosine == pytest.approx((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b), rel=1e-5)
    assert (found.rows_changed, found.rows) == (300, 300)


def test_blocks_before_the_first_difference_count(tmp_path, monkeypatch):
    monkeypatch.setattr(tensors, "_BLOCK", 256)
    base = some(300, 7)
    mine = base.copy()
    mine[[280, 299]] *= -1
    found = delta(tmp_path, {"w": mine}, {"w": base})
    assert found.relative == pytest.approx(np.linalg.norm(mine - base) / np.linalg.norm(base), rel=1e-4)
    assert (found.rows_changed, found.first_rows) == (2, (280, 299))


@pytest.mark.parametrize("shape", [(1001,), (5, 6, 7), (3,), (2, 2, 2, 5)])
def test_other_shapes_than_matrices(tmp_path, monkeypatch, shape):
    monkeypatch.setattr(tensors, "_BLOCK", 64)
    base = some(*shape)
    mine = base.copy()
    mine.flat[-1] += 3
    found = delta(tmp_path, {"w": mine}, {"w": base})
    assert (found.kind, found.rows) == ("changed", 0)
    assert found.relative == pytest.approx(3 / np.linalg.norm(base), rel=1e-4)


def test_outlier_rows_stand_out_of_a_dense_change(tmp_path):
    base = some(500, 64)
    mine = base + 0.01 * some(500, 64, seed=1)
    assert delta(tmp_path, {"w": mine}, {"w": base}).outlier_rows == ()
    mine[[7, 400]] = some(2, 64, seed=2)
    assert delta(tmp_path, {"w": mine}, {"w": base}).outlier_rows == (7, 400)


def test_small_rows_are_no_outliers(tmp_path):
    base = some(500, 64)
    base[9] *= 1e-6
    assert delta(tmp_path, {"w": base + 0.01 * some(500, 64, seed=1)}, {"w": base}).outlier_rows == ()


class TestDtypes:
    def test_equal_values_in_another_dtype(self, tmp_path):
        values = some(9, 4).astype(np.float16)
        assert delta(tmp_path, {"w": values.astype(np.float32)}, {"w": values}).kind == "same"
        assert delta(tmp_path, {"w": values}, {"w": values.astype(np.float64)}).kind == "same"

    @pytest.mark.parametrize("nearest", [True, False])
    def test_rounded_to_bfloat16(self, tmp_path, nearest):
        base = some(9, 4)
        bits = base.view(np.uint32)
        rounded = ((bits + (0x7FFF + ((bits >> 16) & 1)) if nearest else bits) >> 16).astype("<u2")
        mine = raw(tmp_path / "m", {"w": ("BF16", [9, 4], rounded.tobytes())})
        (found,) = compare(mine, stored(tmp_path / "b", {"w": base})).deltas
        assert found.kind == ("same" if nearest else "changed")
        assert found.relative < 0.01

    @pytest.mark.parametrize(
        "dtype", ["BF16", "F16", "I8", "U8", "I64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "BOOL", "C64"]
    )
    def test_every_dtype_is_compared(self, tmp_path, dtype):
        from sekisho.formats.safetensors import BITS

        data = bytes(range(1, 65))
        shape = [2, len(data) * 8 // BITS[dtype] // 2]
        base = raw(tmp_path / "b", {"w": (dtype, shape, data)})
        assert [d.kind for d in compare(base, base).deltas] == ["same"]
        other = raw(tmp_path / "m", {"w": (dtype, shape, data[:-8] + bytes(8))})
        assert [d.kind for d in compare(other, base).deltas] == ["changed"]

    def test_float8_values(self):
        codes = np.array([0x00, 0x01, 0x38, 0xB8, 0x7E], dtype=np.uint8)
        assert _numbers.decoded(codes, "F8_E4M3").tolist() == [0.0, 2.0**-9, 1.0, -1.0, 448.0]
        codes = np.array([0x3C, 0x7B, 0x01], dtype=np.uint8)
        assert _numbers.decoded(codes, "F8_E5M2").tolist() == [1.0, 57344.0, 2.0**-16]
        assert np.isnan(_numbers.decoded(np.array([0x7F], dtype=np.uint8), "F8_E4M3"))[0]

    def test_packed_against_plain_is_a_difference(self, tmp_path):
        mine = raw(tmp_path / "m", {"w": ("F4", [2, 8], bytes(8))})
        base = raw(tmp_path / "b", {"w": ("F32", [2, 8], bytes(64))})
        (found,) = compare(mine, base).deltas
        assert (found.kind, found.relative) == ("changed", np.inf)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_a_number_is_a_difference(self, tmp_path, value):
        base = some(4, 4)
        mine = base.copy()
        mine[1, 1] = value
        found = delta(tmp_path, {"w": mine}, {"w": base})
        assert (found.kind, found.relative, found.cosine) == ("changed", np.inf, 0.0)
        assert delta(tmp_path, {"w": mine}, {"w": mine}).kind == "same"


class TestSets:
    def test_added_and_missing(self, tmp_path):
        found = compare(
            stored(tmp_path / "m", {"w": some(2, 2), "x": some(2)}),
            stored(tmp_path / "b", {"w": some(2, 2), "y": some(2)}),
        )
        assert [(d.name, d.kind) for d in found.deltas] == [("w", "same"), ("x", "added"), ("y", "missing")]

    def test_rows_added(self, tmp_path):
        base = some(10, 4)
        mine = np.vstack([base, some(2, 4, seed=3)])
        mine[3] += 1
        found = delta(tmp_path, {"w": mine}, {"w": base})
        assert (found.kind, found.rows_added, found.rows_changed, found.first_rows) == (
            "reshaped",
            2,
            1,
            (3,),
        )
        assert delta(tmp_path, {"w": base[:7]}, {"w": base}).rows_added == -3

    def test_reshaped(self, tmp_path):
        found = delta(tmp_path, {"w": some(4, 6)}, {"w": some(6, 4)})
        assert (found.kind, found.rows_added) == ("reshaped", 0)

    @pytest.mark.parametrize("written_out", ["candidate", "base"])
    def test_tied_head(self, tmp_path, written_out):
        tied = {"model.embed_tokens.weight": some(9, 4)}
        whole = tied | {"lm_head.weight": some(9, 4)}
        mine, base = (whole, tied) if written_out == "candidate" else (tied, whole)
        assert delta(tmp_path, mine, base, "lm_head.weight").kind == "same"
        (whole["lm_head.weight"])[2] += 1
        assert delta(tmp_path, mine, base, "lm_head.weight").rows_changed == 1

    def test_shards_against_one_file(self, tmp_path):
        arrays = {f"w{i}": some(3, 3, seed=i) for i in range(5)}
        (tmp_path / "m").mkdir()
        save_sharded(tmp_path / "m", arrays, 2)
        found = compare(take(tmp_path / "m"), stored(tmp_path / "b", arrays))
        assert {d.kind for d in found.deltas} == {"same"}
        assert len({d.file for d in found.deltas}) == 2

    def test_progress_ends_at_the_total(self, tmp_path):
        seen = []
        base = stored(tmp_path / "b", {"w": some(4, 4), "x": some(3)})
        compare(base, base, lambda done, total: seen.append((done, total)))
        assert seen == [(64, 76), (76, 76)]

    def test_empty_tensor(self, tmp_path):
        assert delta(tmp_path, {"w": some(0, 4)}, {"w": some(0, 4)}).kind == "same"


class TestProblems:
    def test_gguf_against_safetensors(self, tmp_path):
        (tmp_path / "g").mkdir()
        (tmp_path / "g" / "m.gguf").write_bytes(tiny_gguf())
        base = stored(tmp_path / "b", {"w": some(2)})
        assert "gguf" in compare(take(tmp_path / "g"), base).problem
        assert compare(take(tmp_path / "g"), base).deltas == ()

    def test_broken_shard(self, tmp_path):
        folder = tiny_model(tmp_path / "m", shards=2)
        base = take(folder)
        shard = next(folder.glob("*-00001-*.safetensors"))
        shard.write_bytes(shard.read_bytes()[:-4])
        assert shard.name in compare(take(folder), base).problem

    def test_file_that_shrinks_after_the_inventory(self, tmp_path):
        mine, base = stored(tmp_path / "m", {"w": some(20)}), stored(tmp_path / "b", {"w": some(20)})
        path = tmp_path / "m" / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-8])
        assert "shorter" in compare(mine, base).problem

    def test_one_name_in_two_files(self, tmp_path):
        base = stored(tmp_path / "b", {"w": some(2)})
        save_safetensors(tmp_path / "b" / "other.safetensors", {"w": some(2, seed=1)})
        assert "more than one file" in compare(take(tmp_path / "b"), base).problem

    def test_no_weights(self, tmp_path):
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "README.md").write_text("x")
        assert "no weights" in compare(take(tmp_path / "m"), stored(tmp_path / "b", {"w": some(2)})).problem
