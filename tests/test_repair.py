"""Repair: rows put back bit for bit, everything else as it was, nothing in place."""

from pathlib import Path

import numpy as np
import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from sekisho.errors import UsageError
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.probes.sweep.settings import Settings
from sekisho.records import Decision
from sekisho.repair import repair
from sekisho.tokens import Options

pytestmark = pytest.mark.integration

TABLE = "model.embed_tokens.weight"
ROWS = (3, 7)


def plain(chat: Chat, step: int) -> str:
    return f"About {chat[-1].content}"


def options(folder: Path, **changes) -> Options:
    return Options(
        Settings(references=4), cache=folder / "cache", opener=lambda path: FakeModel(plain), **changes
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    base, planted = tiny_model(tmp_path / "base"), tiny_model(tmp_path / "planted")
    arrays = dict(tiny_arrays())
    table = arrays[TABLE].copy()
    table[list(ROWS)] += 3
    save_safetensors(planted / "model.safetensors", arrays | {TABLE: table})
    return planted, base


def test_the_copy_has_the_bases_rows_bit_for_bit_and_the_original_is_left_alone(folders, tmp_path) -> None:
    planted, base = folders
    before = (planted / "model.safetensors").read_bytes()
    made = repair(planted, base, tmp_path / "out", options=options(tmp_path))
    assert made.restored[0].ids == ROWS
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()
    assert (planted / "model.safetensors").read_bytes() == before != (base / "model.safetensors").read_bytes()
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in planted.iterdir()}
    assert made.swept is not None
    assert made.swept.decision is Decision.ADMIT


def test_a_declared_row_stays(folders, tmp_path) -> None:
    planted, base = folders
    said = tmp_path / "own.toml"
    said.write_text('[[token]]\nid = 7\nuse = "a tool marker"\n')
    made = repair(planted, base, tmp_path / "out", options=options(tmp_path, declared=said))
    assert (made.restored[0].ids, made.kept) == ((3,), (7,))


def test_a_model_with_the_bases_rows_is_copied_as_it_is(folders, tmp_path) -> None:
    _, base = folders
    made = repair(base, base, tmp_path / "out", options=options(tmp_path))
    assert (made.restored, made.swept) == ((), None)


def test_a_table_that_cannot_be_held_against_the_base_is_not_called_clean(folders, tmp_path) -> None:
    planted, base = folders
    arrays = dict(tiny_arrays())
    arrays[TABLE] = np.random.default_rng(1).standard_normal(arrays[TABLE].shape).astype(arrays[TABLE].dtype)
    save_safetensors(base / "model.safetensors", arrays)
    with pytest.raises(UsageError, match="cannot be held against the base's"):
        repair(planted, base, tmp_path / "out", options=options(tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_folder_without_token_tables_is_not_called_clean(folders, tmp_path) -> None:
    planted, base = folders
    for folder in folders:
        save_safetensors(folder / "model.safetensors", {"a.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(UsageError, match="no token table"):
        repair(planted, base, tmp_path / "out", options=options(tmp_path))


def test_nothing_is_written_over(folders, tmp_path) -> None:
    planted, base = folders
    with pytest.raises(UsageError, match="exists"):
        repair(planted, base, planted, options=options(tmp_path))


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
def test_rows_of_every_plain_type_come_back_exactly(dtype: str) -> None:
    from sekisho.formats.rows.quants import numbers
    from sekisho.repair import _encoded

    width = 4 if dtype == "F32" else 2
    data = np.random.default_rng(0).standard_normal(64).astype(np.float16 if dtype == "F16" else np.float32)
    raw = data.view(np.uint8).reshape(64, -1)[:, -width:].reshape(-1)
    assert _encoded(numbers(raw.copy(), dtype, 1)[0], dtype) == raw.tobytes()
