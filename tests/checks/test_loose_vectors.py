"""Vectors of the model's width in every kind of file, and small tensors that are none."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from artefacts import (
    HIDDEN,
    LAYERS,
    edit_json,
    gguf_bytes,
    gguf_tensor,
    safetensors_bytes,
    save_safetensors,
    tiny_arrays,
    tiny_model,
    write_json,
)
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.loose_vectors import LooseVectors
from sekisho.inventory import take
from sekisho.limits import DEFAULT
from sekisho.records import Outcome, Severity

ROWS = np.random.default_rng(0).standard_normal((4, HIDDEN)).astype(np.float32)


def findings(folder, base=None, limits=DEFAULT):
    found = [*LooseVectors().run(Case(take(folder, limits), take(base) if base else None))]
    said_in_both(found)
    return found


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


def safetensors(name="x", rows=ROWS):
    return lambda path: save_safetensors(path, {name: rows})


def kobold(path):
    array = BytesIO()
    np.save(array, ROWS)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", "{}")
        archive.writestr("tensor.npy", array.getvalue())


def gguf(path):
    directory = gguf_tensor("x", (HIDDEN, 4))
    path.write_bytes(gguf_bytes(tensors=directory, tensor_count=1, data=bytes(4 * HIDDEN * 4)))


HIT = {
    "vectors.safetensors": safetensors(),
    "one.safetensors": safetensors(rows=ROWS[0]),
    "half.safetensors": safetensors(rows=ROWS.astype(np.float16)),
    "batch.safetensors": safetensors(rows=ROWS.reshape(2, 2, HIDDEN)),
    "cache.safetensors": safetensors(rows=np.zeros((4, 2 * LAYERS * HIDDEN), np.float32)),
    "vectors.npy": lambda path: np.save(path, ROWS),
    "vectors.npz": lambda path: np.savez(path, x=ROWS),
    "vectors.json": lambda path: write_json(path, {"tiny": ROWS.tolist()}),
    "bare.json": lambda path: write_json(path, ROWS[0].tolist()),
    "deep.json": lambda path: write_json(path, {"a": [{"b": {"c": ROWS.tolist()}}]}),
    "vectors.gguf": gguf,
}


@pytest.mark.parametrize("name", HIT)
def test_hit(name, model):
    HIT[name](model / name)
    (finding,) = findings(model)
    assert (finding.reason, finding.outcome, finding.severity) == (
        "loose-vectors",
        Outcome.FAIL,
        Severity.HOLD,
    )
    assert finding.where == name


def test_hit_textual_inversion(model):
    safetensors("<kettle>", np.zeros((1, 24), np.float32))(model / "learned_embeds.safetensors")
    (finding,) = findings(model)
    assert (finding.reason, dict(finding.facts)["name"]) == ("textual-inversion", "<kettle>")


def test_hit_archive_of_a_soft_prompt(model):
    kobold(model / "kettle.zip")
    assert [f.reason for f in findings(model)] == ["soft-prompt-archive", "loose-vectors"]


def test_hit_among_whole_weights(model):
    save_safetensors(model / "model.safetensors", tiny_arrays() | {"soft_prompt.weight": ROWS})
    assert [dict(f.facts)["name"] for f in findings(model)] == ["soft_prompt.weight"]


def test_hit_without_a_model_beside_it(tmp_path):
    (tmp_path / "v").mkdir()
    np.save(tmp_path / "v" / "x.npy", np.zeros((4, 96), np.float32))
    assert [f.reason for f in findings(tmp_path / "v")] == ["vectors-of-unknown-use"]
    base = tiny_model(tmp_path / "b")
    assert findings(tmp_path / "v", base) == []
    np.save(tmp_path / "v" / "x.npy", ROWS)
    assert [f.reason for f in findings(tmp_path / "v", base)] == ["loose-vectors"]


CLEAN = {
    "nothing": lambda folder: None,
    "other-width": lambda folder: np.save(folder / "x.npy", np.zeros((4, HIDDEN + 1), np.float32)),
    "whole-numbers": lambda folder: np.save(folder / "x.npy", np.zeros((4, HIDDEN), np.int64)),
    "many-rows": lambda folder: np.save(folder / "x.npy", np.zeros((257, HIDDEN), np.float32)),
    "numbers-of-a-config": lambda folder: edit_json(folder / "config.json", scales=[1.0, 2.5]),
    "ids": lambda folder: write_json(folder / "ids.json", [list(range(HIDDEN))]),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean(name, model):
    CLEAN[name](model)
    assert findings(model) == []


def test_clean_shards(tmp_path):
    assert findings(tiny_model(tmp_path / "m", shards=4)) == []


@pytest.mark.parametrize(
    "shape", ["(4, 16", "()", "(99999999999999999999, 16)", "(4, -16)", "'x'", "(4, 16, 'a')"]
)
def test_malformed_array(shape, model):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 10) % 64)
    (model / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert all(dict(f.facts)["count"] == "1" for f in findings(model))


def test_malformed_terabytes_are_not_believed(model):
    entry = {"x": {"dtype": "F32", "shape": [4, 2**40], "data_offsets": [0, 2**44]}}
    (model / "x.safetensors").write_bytes(safetensors_bytes(json.dumps(entry).encode(), bytes(64)))
    (finding,) = findings(model)  # header-integrity refuses it
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "not-read")


def test_over_limit_names_the_first_and_counts_the_rest(model):
    save_safetensors(model / "x.safetensors", {f"t{n}": ROWS for n in range(40)})
    found = findings(model)
    assert len(found) == 9
    assert (found[-1].reason, dict(found[-1].facts)["count"]) == ("more", "32")


def test_over_limit_document(model):
    write_json(model / "x.json", {"tiny": np.zeros((64, HIDDEN)).tolist()})
    found = findings(model, limits=replace(DEFAULT, config_bytes=4096))  # header-integrity holds it
    assert {(f.outcome, f.reason) for f in found} == {(Outcome.NOT_RUN, "not-read")}


def test_a_dense_layer_that_the_modules_name_is_no_prompt(tmp_path):
    model = tiny_model(tmp_path / "m")
    width = json.loads((model / "config.json").read_text())["hidden_size"]
    (model / "2_Dense").mkdir()
    save_safetensors(
        model / "2_Dense" / "model.safetensors", {"linear.weight": np.ones((5, width), np.float32)}
    )
    assert {f.reason for f in findings(model)} == {"loose-vectors"}
    write_json(model / "modules.json", [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])
    write_json(model / "2_Dense" / "config.json", {"in_features": width, "out_features": 5})
    assert {f.reason for f in findings(model)} == {"loose-vectors"}  # its config says that it writes text
    edit_json(model / "config.json", architectures=["TinyModel"])
    assert [(f.reason, f.outcome) for f in findings(model)] == [("dense-layer", Outcome.PASS)]
    write_json(model / "2_Dense" / "config.json", {"in_features": width, "out_features": 6})
    assert {f.reason for f in findings(model)} == {"loose-vectors"}


@pytest.mark.parametrize(
    "architectures", [None, [], "LlamaForCausalLM", ["T5ForConditionalGeneration"], ["GPT2LMHeadModel"]]
)
def test_hit_vectors_called_a_dense_layer_beside_a_model_that_writes(architectures, model):
    edit_json(model / "config.json", architectures=architectures)
    (model / "2_Dense").mkdir()
    save_safetensors(model / "2_Dense" / "model.safetensors", {"linear.weight": ROWS})
    write_json(model / "modules.json", [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])
    write_json(model / "2_Dense" / "config.json", {"in_features": HIDDEN, "out_features": 4})
    assert {f.reason for f in findings(model)} == {"loose-vectors"}
