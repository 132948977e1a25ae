"""A base that nobody named, found by the weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from sekisho import inventory, lineage, static
from sekisho.errors import SourceError
from sekisho.records import Decision
from sekisho.sources import cache as caches
from sekisho.sources.resolve import Source


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds one fetched model, `known`."""
    known = tiny_model(caches.model(tmp_path / "cache", "known"))

    def resolve(name: str, cache: Path) -> Source:
        if not known.is_dir():
            raise SourceError("not fetched")
        return Source(name, "catalogue", known, pinned=True)

    monkeypatch.setattr(lineage.catalogue, "names", lambda: ("known",))
    monkeypatch.setattr(lineage, "resolve", resolve)
    return known


def find(folder: Path, shelf: Path) -> lineage.Kin | None:
    return lineage.find(inventory.take(folder), folder, shelf.parent.parent)


def test_a_copy_is_kin(shelf, tmp_path):
    kin = find(tiny_model(tmp_path / "copy"), shelf)

    assert kin is not None
    assert kin.source.name == "known"
    assert dict(kin.finding.facts)["base"] == "known"


def test_a_finetuned_copy_is_kin(shelf, tmp_path):
    folder = tiny_model(tmp_path / "tuned")
    moved = {n: a + np.float32(0.002) for n, a in tiny_arrays().items()}
    save_safetensors(folder / "model.safetensors", moved)

    assert find(folder, shelf) is not None


def test_a_stranger_of_the_same_shape_is_not_kin(shelf, tmp_path):
    assert find(tiny_model(tmp_path / "stranger", seed=1), shelf) is None


def test_a_fetched_model_is_not_its_own_base(shelf):
    assert find(shelf, shelf) is None


def test_what_was_not_fetched_is_no_base(shelf, tmp_path):
    shutil.rmtree(shelf)

    assert find(tiny_model(tmp_path / "copy"), shelf) is None


def test_a_stranger_costs_a_look_at_headers_and_no_hashing(shelf, tmp_path, monkeypatch):
    folder = tiny_model(tmp_path / "wider")
    save_safetensors(folder / "model.safetensors", {n: np.tile(a, 2) for n, a in tiny_arrays().items()})
    monkeypatch.setattr(lineage, "resolve", lambda *_: pytest.fail("hashed"))

    assert find(folder, shelf) is None


def test_a_fetched_model_with_a_damaged_header_is_passed_over(shelf, tmp_path):
    (shelf / "model.safetensors").write_bytes(b"\xff" * 100)

    assert find(tiny_model(tmp_path / "copy"), shelf) is None


@pytest.mark.integration
def test_a_swapped_tensor_is_seen_though_no_base_was_named(shelf, tmp_path):
    folder = tiny_model(tmp_path / "swapped")
    arrays = tiny_arrays()
    first, second = (f"model.layers.{n}.mlp.up_proj.weight" for n in (0, 1))
    arrays[first], arrays[second] = arrays[second], arrays[first]
    save_safetensors(folder / "model.safetensors", arrays)

    seen = static.inspect(folder, cache=tmp_path / "cache")
    unaided = static.inspect(folder, static.NOBODY, cache=tmp_path / "cache")

    assert seen.verdict.decision is Decision.REJECT
    assert any(f.reason == "tensor-replaced" for f in seen.findings)
    assert unaided.verdict.decision is Decision.ADMIT
