"""Tensors and rows by their bytes, against numpy."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from artefacts import save_safetensors, tiny_model
from sekisho import inventory
from sekisho.errors import ArtefactError, MalformedError
from sekisho.formats import digests
from sekisho.formats.rows.tables import Table
from sekisho.records import Inventory


def seen(folder: Path) -> Inventory:
    return inventory.take(folder)


def written(folder: Path, array: np.ndarray) -> Inventory:
    folder.mkdir()
    save_safetensors(folder / "model.safetensors", {"wte.weight": array})
    return seen(folder)


def table(folder: Path, array: np.ndarray) -> Table:
    return digests.tables(written(folder, array))["wte.weight"]


def stretch(folder: Path, array: np.ndarray) -> digests.Stretch:
    return digests.tensors(written(folder, array))["wte.weight"]


def test_a_digest_is_of_dtype_shape_and_bytes_and_not_of_the_file(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = digests.digest(stretch(tmp_path / "a", array))

    assert found == hashlib.sha256(b"F32 [3, 4]\n" + array.tobytes()).hexdigest()
    assert digests.digest(stretch(tmp_path / "b", array.reshape(4, 3))) != found
    one, many = (digests.tensors(seen(tiny_model(tmp_path / f"m{n}", shards=n))) for n in (1, 3))
    assert {n: digests.digest(p) for n, p in one.items()} == {n: digests.digest(p) for n, p in many.items()}


def test_a_row_is_its_bytes(tmp_path):
    array = np.arange(12, dtype=np.float16).reshape(3, 4)
    place = table(tmp_path / "a", array)

    assert digests.row(place, 2) == array[2].tobytes()
    for number in (-1, 3):
        with pytest.raises(MalformedError, match="no row"):
            digests.row(place, number)


def test_tables_are_all_tensors_with_a_row_for_each_token(tmp_path):
    assert set(digests.tables(seen(tiny_model(tmp_path / "m")))) == {
        "lm_head.weight",
        "model.embed_tokens.weight",
    }


@pytest.mark.parametrize("block", [8, 48, 4 * 2**20])
def test_different_rows_are_found_whatever_the_blocks(tmp_path, monkeypatch, block):
    monkeypatch.setattr(digests, "_BLOCK", block)
    first = np.arange(100, dtype=np.float32).reshape(25, 4)
    second = np.vstack([first, first[:2]])
    second[[0, 7, 24], 3] += 1

    mine, other = table(tmp_path / "a", first), table(tmp_path / "b", second)

    assert digests.different(mine, other) == digests.different(other, mine) == {0, 7, 24, 25, 26}
    assert digests.different(mine, mine) == frozenset()


def test_tables_of_other_numbers_have_no_rows_in_common(tmp_path):
    mine = table(tmp_path / "a", np.zeros((3, 4), np.float32))

    for name, array in (("b", np.zeros((3, 4), np.float16)), ("c", np.zeros((3, 5), np.float32))):
        with pytest.raises(MalformedError, match="different widths"):
            digests.different(mine, table(tmp_path / name, array))


def test_a_file_that_shrank_meanwhile_is_an_error(tmp_path):
    place = stretch(tmp_path / "a", np.zeros((3, 4), np.float32))

    with pytest.raises(ArtefactError, match="shorter"):
        digests.digest(replace(place, end=place.end + 8))


def test_weights_in_another_format_are_refused(tmp_path):
    folder = tiny_model(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "gone")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")

    with pytest.raises(MalformedError):
        digests.tensors(seen(folder))
