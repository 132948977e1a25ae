"""Who reads what: facts of every program, and findings about what is dangerous."""

import pytest

from artefacts import tiny_gguf, tiny_model, write_json
from checks.sentences import said_in_both
from hostile import INERT, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.loader_reach import LoaderReach
from sekisho.formats.loaders import readings
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome


def held(folder, **more):
    found = [*LoaderReach().run(Case(take(folder), **more))]
    said_in_both(found)
    return {f.reason: f for f in found if f.outcome is not Outcome.PASS}


def by(folder):
    return {r.path: r for r in readings(take(folder).files)}


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


def test_clean(model, tmp_path):
    assert held(model) == {}
    assert held(tiny_model(tmp_path / "s", shards=3)) == {}
    said = [f.detail for f in LoaderReach().run(Case(take(model)))]
    assert said[0] == (
        "transformers reads config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json."
    )


def test_shards_are_read_and_what_the_index_does_not_list_is_not(tmp_path):
    model = tiny_model(tmp_path / "m", shards=3)
    (model / "extra.safetensors").write_bytes((model / "model-00001-of-00003.safetensors").read_bytes())
    found = by(model)
    assert found["model-00002-of-00003.safetensors"].read_by == ("transformers", "vllm")
    assert found["extra.safetensors"].read_by == ()


def test_hit_pickles_are_read_where_nothing_else_is_there(model):
    torch_zip(model / "pytorch_model.bin", INERT)
    assert dict(held(model)["dangerous-asked"].facts) == {"loaders": "transformers"}
    (model / "model.safetensors").unlink()
    assert dict(held(model)["dangerous-read"].facts) == {"loaders": "transformers, vllm"}
    assert held(model, known_pickles=True) == {}
    allowed = {f.reason: f for f in LoaderReach().run(Case(take(model), known_pickles=True))}
    assert dict(allowed["dangerous-allowed"].facts) == {"loaders": "transformers, vllm"}
    assert "dangerous-unread" not in allowed


def test_hit_code_is_not_excused_by_a_policy_about_pickles(model):
    (model / "modeling_tiny.py").write_text("import os\n")
    assert "dangerous-asked" in held(model)
    assert "dangerous-asked" in held(model, known_pickles=True)


def test_leftovers_are_read_by_nobody(model):
    torch_zip(model / "training_args.bin", INERT)
    assert held(model) == {}
    assert "dangerous-unread" in {f.reason for f in LoaderReach().run(Case(take(model)))}


def test_hit_any_bin_is_read_by_vllm_where_there_are_no_safetensors(model):
    (model / "model.safetensors").unlink()
    torch_zip(model / "whatever.bin", INERT)
    assert dict(held(model)["dangerous-read"].facts) == {"loaders": "vllm"}


def test_adapters(model):
    write_json(model / "adapter_config.json", {"peft_type": "LORA"})
    torch_zip(model / "adapter_model.bin", INERT)
    assert by(model)["adapter_model.bin"].read_by == ("transformers", "peft")
    (model / "adapter_model.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    assert by(model)["adapter_model.bin"].read_by == ()


def test_one_gguf_is_read_of_several_the_caller_chooses(tmp_path):
    (tmp_path / "a.gguf").write_bytes(tiny_gguf())
    assert by(tmp_path)["a.gguf"].read_by == ("llama.cpp",)
    (tmp_path / "b.gguf").write_bytes(tiny_gguf())
    assert by(tmp_path)["a.gguf"].asked_by == ("transformers", "vllm", "llama.cpp")


def test_over_limit_indexes_leave_shards_to_nobody(tmp_path):
    model = tiny_model(tmp_path / "m", shards=3)
    files = take(model, Limits(json_bytes=8)).files
    assert {
        r.path for r in readings(files) if r.path.startswith("model-") and "transformers" in r.read_by
    } == set()


@pytest.mark.parametrize("table", [None, [], {"a": 1}, {"a": "../x"}, {"a": "/etc/x\x00"}, "x"])
def test_malformed_indexes_do_not_end_it(table, model):
    (model / "model.safetensors").unlink()
    write_json(model / "model.safetensors.index.json", {"weight_map": table})
    assert held(model) == {}
