"""Settings, index and weights that disagree, and shapes of every usual family that do not."""

import json
import shutil

import numpy as np
import pytest

from artefacts import (
    HIDDEN,
    edit_json,
    gguf_bytes,
    gguf_tensor,
    gguf_text,
    save_safetensors,
    tiny_arrays,
    tiny_model,
)
from checks.sentences import said_in_both
from hostile import INERT, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.file_consistency import FileConsistency
from sekisho.formats import rows
from sekisho.formats.dimensions import misfits, stated
from sekisho.formats.safetensors import Tensor
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome

INDEX = "model.safetensors.index.json"


def findings(folder):
    files = take(folder)
    found = [*FileConsistency().run(Case(files, rows=rows.measure(files)))]
    said_in_both(found)
    return found


def held(folder):
    return {f.reason: f for f in findings(folder) if f.outcome is not Outcome.PASS}


def config(**changes):
    return lambda folder: edit_json(folder / "config.json", **changes)


def without_head(folder):
    arrays = tiny_arrays()
    del arrays["lm_head.weight"]
    save_safetensors(folder / "model.safetensors", arrays)


def as_shards(folder):
    (folder / "model.safetensors").unlink()
    tiny_model(folder, shards=3)


def unlisted(folder):
    as_shards(folder)
    save_safetensors(folder / "model-extra.safetensors", {"x.weight": np.ones((40, 40), np.float32)})


def other_kind(folder):
    as_shards(folder)
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"]["model.norm.weight"] = "pytorch_model.bin"
    (folder / INDEX).write_text(json.dumps(index))


def number(key, value):
    return (
        len(key).to_bytes(8, "little")
        + key.encode()
        + (4).to_bytes(4, "little")
        + value.to_bytes(4, "little")
    )


def gguf_of(width, *, blocks=1, said=16):
    keys = gguf_text("general.architecture", "llama") + number("llama.embedding_length", said)
    keys += number("llama.block_count", blocks)
    tensors = gguf_tensor("token_embd.weight", (width, 8)) + gguf_tensor(
        "blk.0.attn_q.weight", (width, width), 0, width * 32
    )
    return gguf_bytes(
        keys=keys, key_count=3, tensors=tensors, tensor_count=2, data=bytes(width * 32 + width * width * 4)
    )


HIT = {
    "shape": config(intermediate_size=64),
    "layers-beyond": config(num_hidden_layers=1),
    "layers-missing": config(num_hidden_layers=4),
    "head-missing": without_head,
    "head-ignored": config(tie_word_embeddings=True),
    "shard-unlisted": unlisted,
    "index-other-format": other_kind,
    "two-sets-differ": lambda folder: torch_zip(folder / "pytorch_model.bin", INERT),
    "gguf-metadata": lambda folder: (folder / "m.gguf").write_bytes(gguf_of(16, blocks=3)),
    "gguf-config": lambda folder: (folder / "m.gguf").write_bytes(gguf_of(32, said=32, blocks=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", HIT)
def test_hit(name, tmp_path):
    model = tiny_model(tmp_path / "m")
    HIT[name](model)
    assert name in held(model)


def test_the_tensor_is_named_with_both_shapes(tmp_path):
    model = tiny_model(tmp_path / "m")
    HIT["shape"](model)
    found = held(model)["shape"]
    assert "mlp.down_proj.weight: shape 16 x 32, but config.json makes it 16 x 64|128" in found.detail


def test_clean(tmp_path):
    assert findings(tiny_model(tmp_path / "m")) == []
    assert findings(tiny_model(tmp_path / "s", shards=3)) == []
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "m.gguf").write_bytes(gguf_of(16))
    assert findings(tmp_path / "g") == []


def test_a_tied_head_that_is_the_embedding_stays_quiet(tmp_path):
    model = tiny_model(tmp_path / "m")
    arrays = tiny_arrays()
    arrays["lm_head.weight"] = arrays["model.embed_tokens.weight"]
    save_safetensors(model / "model.safetensors", arrays)
    edit_json(model / "config.json", tie_word_embeddings=True)
    assert findings(model) == []


def test_another_number_type_is_a_note(tmp_path):
    model = tiny_model(tmp_path / "m")
    edit_json(model / "config.json", dtype="bfloat16")
    assert [(f.reason, f.outcome) for f in findings(model)] == [("dtype", Outcome.PASS)]


def test_two_formats_of_one_size_are_a_note(tmp_path):
    model = tiny_model(tmp_path / "m")
    shutil.copy(model / "model.safetensors", model / "x")
    torch_zip(model / "pytorch_model.bin", INERT + bytes((model / "x").stat().st_size))
    (model / "x").unlink()
    assert [f.reason for f in findings(model)] == ["two-formats"]


def test_malformed_settings_do_not_end_it(tmp_path):
    for value in ([], {}, "16", -1, 2**70, True, None, [0], {"a": 1}):
        model = tiny_model(tmp_path / "m")
        keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "head_dim")
        edit_json(model / "config.json", **dict.fromkeys(keys, value), text_config=value)
        findings(model)


PROJECTION = "model.layers.0.self_attn.{}_proj.weight"
FAMILIES = {
    "grouped": ({"num_key_value_heads": 2}, {"q": (64, 64), "k": (32, 64), "o": (64, 64)}),
    "own head width": ({"head_dim": 32}, {"q": (128, 64), "k": (128, 64), "o": (64, 128)}),
    "gated queries": ({}, {"q": (128, 64)}),
    "two head widths": ({"head_dim": 16, "global_head_dim": 32}, {"q": (128, 64), "k": (64, 64)}),
    "low rank": ({"kv_lora_rank": 8}, {"q": (99, 64)}),
    "low rank left empty": ({"kv_lora_rank": None}, {"q": (64, 64)}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name):
    changes, shapes = FAMILIES[name]
    said = stated({"hidden_size": 64, "num_attention_heads": 4, **changes})
    tensors = tuple(Tensor(PROJECTION.format(n), "F32", s, 0, 4) for n, s in shapes.items())
    assert list(misfits(tensors, said)) == []
    wrong = tuple(Tensor(PROJECTION.format(n), "F32", (s[0], s[1] + 1), 0, 4) for n, s in shapes.items())
    assert list(misfits(wrong, said))


def test_over_limit_settings_are_not_judged(tmp_path):
    model = tiny_model(tmp_path / "m")
    edit_json(model / "config.json", num_hidden_layers=1)
    files = take(model, Limits(config_bytes=8))
    assert [*FileConsistency().run(Case(files))] == []


def test_packed_weights_and_towers_are_left_alone():
    said = stated({"hidden_size": HIDDEN, "num_attention_heads": 2})
    names = {
        "model.layers.0.self_attn.q_proj.weight": "U8",
        "vision_tower.layers.0.self_attn.q_proj.weight": "F32",
    }
    assert list(misfits(tuple(Tensor(n, d, (7, 1), 0, 7) for n, d in names.items()), said)) == []
