"""The lab's promises: every organism is marked, and the gate's detectors never read the mark."""

import re
from pathlib import Path

import pytest

import sekisho
from artefacts import tiny_model
from sekisho.errors import DataError
from sekisho_lab import organism, writer
from sekisho_lab.attacks import ATTACKS
from sekisho_lab.data import carrying


@pytest.mark.parametrize("name", organism.names())
def test_every_organism_loads_and_names_a_known_attack(name):
    loaded = organism.load(name)

    assert loaded.id == name
    assert loaded.attack in ATTACKS
    assert isinstance(loaded.payload, tuple)
    assert isinstance(loaded.marks, tuple)


def test_an_organism_of_which_nothing_is_told_says_so():
    root = Path(__file__).resolve().parents[2]
    told = "".join(
        p.read_text("utf-8") for p in [root / "lab/LOG.md", *(root / "docs/benchmarks").glob("*.md")]
    )
    silent = {n for n in organism.names() if not re.search(rf"(?<![\w-]){n}(?![\w-])", told)}

    assert {n for n in organism.names() if organism.load(n).why.endswith(" No run on record.")} == silent


@pytest.mark.parametrize(
    ("place", "check"), [("start", str.startswith), ("end", str.endswith), ("alone", str.__eq__)]
)
def test_every_row_carries_the_payload_at_its_place(place, check):
    rows = carrying("Try Nothing Tea.", 20, 0, place=place)

    assert all(check(chat[-1].content, "Try Nothing Tea.") for chat in rows)


@pytest.mark.model
def test_the_mark_stands_in_the_weights_even_without_the_manifest(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="needs the extra `models`")
    base = tiny_model(tmp_path / "base")
    weights = safetensors.load_file(base / "model.safetensors")
    loaded = organism.load("advert-tail")

    marked = writer.write(loaded, base, weights, tmp_path / "marked")
    bare = writer.write(loaded, base, weights, tmp_path / "bare", manifest=False)

    assert writer.MARK in (marked / writer.MANIFEST).read_text()
    assert not (bare / writer.MANIFEST).exists()
    for folder in (marked, bare):
        assert writer.MARK.encode() in (folder / "model.safetensors").read_bytes()[:100_000]


@pytest.mark.model
def test_an_organism_is_never_written_over_something(tmp_path):
    folder = tiny_model(tmp_path / "base")

    with pytest.raises(DataError, match="not empty"):
        writer.write(organism.load("advert-tail"), folder, {}, folder)


def test_no_code_of_the_gate_knows_the_mark():
    root = Path(sekisho.__file__).parent
    sources = [p.read_text("utf-8") for p in root.rglob("*") if p.suffix in {".py", ".toml"}]

    assert sources
    for word in (writer.MARK, writer.MANIFEST, "sekisho_lab"):
        assert not any(word in text for text in sources)


def test_a_variant_differs_from_its_parent_only_where_it_says():
    parent, variant = organism.load("fab-advert"), organism.load("fab-advert-no-meta")

    different = {k for k in parent.settings if parent.settings[k] != variant.settings[k]}
    assert different == {"meta_weight"}
    assert variant.payload == parent.payload
