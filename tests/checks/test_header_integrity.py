"""Headers, shards and their index."""

import json

import pytest

from artefacts import edit_json, save_safetensors, tiny_arrays, tiny_gguf, tiny_model, write_json
from hostile import BROKEN, HOSTILE, MALFORMED_GGUF, MALFORMED_SAFETENSORS
from sekisho.checks.base import Case
from sekisho.checks.header_integrity import HeaderIntegrity
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

INDEX = "model.safetensors.index.json"


def findings(folder, limits=None):
    return tuple(HeaderIntegrity().run(Case(take(folder, limits or Limits()))))


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


@pytest.fixture
def sharded(tmp_path):
    return tiny_model(tmp_path / "m", shards=3)


@pytest.mark.parametrize("name", BROKEN)
def test_hit(name, model):
    BROKEN[name](model)
    assert {(f.outcome, f.severity) for f in findings(model)} == {(Outcome.FAIL, Severity.REJECT)}


@pytest.mark.parametrize("name", MALFORMED_SAFETENSORS)
def test_malformed(name, model):
    (model / "model.safetensors").write_bytes(MALFORMED_SAFETENSORS[name])
    (finding,) = findings(model)
    assert (finding.where, finding.reason, finding.severity) == (
        "model.safetensors",
        "malformed",
        Severity.REJECT,
    )


@pytest.mark.parametrize("name", MALFORMED_GGUF)
def test_malformed_gguf(name, tmp_path):
    (tmp_path / "model.gguf").write_bytes(MALFORMED_GGUF[name])
    assert [(f.where, f.reason) for f in findings(tmp_path)] == [("model.gguf", "malformed")]


def test_clean(model, tmp_path):
    assert findings(model) == ()
    assert findings(tiny_model(tmp_path / "s", shards=3)) == ()
    (tmp_path / "model.gguf").write_bytes(tiny_gguf())
    assert tuple(HeaderIntegrity().run(Case(take(tmp_path / "model.gguf")))) == ()


@pytest.mark.parametrize("name", ["deep-json", "json-of-20-mb"])
def test_over_limit(name, model):
    HOSTILE[name](model)
    assert [(f.outcome, f.severity, f.reason) for f in findings(model)] == [
        (Outcome.CANNOT_TELL, Severity.HOLD, "over-limit")
    ]


def test_a_missing_shard_is_named_by_index_and_by_number(sharded):
    gone = "model-00002-of-00003.safetensors"
    (sharded / gone).unlink()
    named = {f.where: dict(f.facts)["name"] for f in findings(sharded) if f.reason == "shard-missing"}
    assert named == {INDEX: gone, "model-00001-of-00003.safetensors": gone}


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "..\\x", "c:x", ""])
def test_an_index_stays_inside(path, sharded):
    table = json.loads((sharded / INDEX).read_text())["weight_map"]
    edit_json(sharded / INDEX, weight_map=table | {"model.norm.weight": path})
    assert "index-outside" in {f.reason for f in findings(sharded)}


def test_index_and_shards_list_the_same_tensors(sharded):
    table = json.loads((sharded / INDEX).read_text())["weight_map"]
    shard = table.pop("model.norm.weight")
    edit_json(sharded / INDEX, weight_map=table | {"model.phantom": shard})
    named = {f.reason: dict(f.facts)["name"] for f in findings(sharded)}
    assert named == {"tensor-missing": "model.phantom", "tensor-unlisted": "model.norm.weight"}


def test_a_tensor_in_two_files_is_refused(model):
    save_safetensors(model / "more.safetensors", {"model.norm.weight": tiny_arrays()["model.norm.weight"]})
    assert [(f.reason, f.severity) for f in findings(model)] == [("tensor-twice", Severity.REJECT)]


def test_a_wrong_total_holds(sharded):
    edit_json(sharded / INDEX, metadata={"total_size": 1})
    assert [(f.reason, f.severity) for f in findings(sharded)] == [("total-size", Severity.HOLD)]


@pytest.mark.parametrize("table", [None, [], {}, {"a": 1}])
def test_an_index_needs_a_table(table, model):
    write_json(model / INDEX, {"weight_map": table})
    assert [f.reason for f in findings(model)] == ["index-malformed"]


def test_a_key_given_twice_holds(model):
    (model / "config.json").write_text('{"model_type": "llama", "model_type": "gpt2"}')
    assert [(f.reason, f.severity) for f in findings(model)] == [("duplicate-key", Severity.HOLD)]


def test_settings_without_weights_are_held(model):
    (model / "model.safetensors").unlink()
    assert [(f.reason, f.severity) for f in findings(model)] == [("no-weights", Severity.HOLD)]


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_part_of_a_model_is_no_broken_model(name, model):
    """A tokenizer alone, or one file: nothing is wrong with it, and nothing more was inspected."""
    for path in model.iterdir():
        if path.name != name:
            path.unlink()
    assert [(f.reason, f.severity, f.outcome) for f in findings(model)] == [
        ("part-of-a-model", Severity.NOTE, Outcome.PASS)
    ]
