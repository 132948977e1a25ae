"""Adapters of every sort, built in code: what each changes, what does not fit, and what is hostile."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from artefacts import (
    HIDDEN,
    LAYERS,
    edit_json,
    safetensors_bytes,
    save_safetensors,
    tiny_arrays,
    tiny_model,
    write_json,
)
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.peft_adapter import PeftAdapter
from sekisho.formats import vectors
from sekisho.formats.peft import kinds
from sekisho.inventory import take
from sekisho.limits import DEFAULT
from sekisho.records import Outcome, Role, Severity

MODULE = "base_model.model.model.layers.{layer}.self_attn.q_proj"
TABLE = "base_model.model.model.embed_tokens"
LORA = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}


def numbers(*shape, seed=1, size=0.05):
    return (np.random.default_rng(seed).standard_normal(shape) * size).astype(np.float32)


def pair(module=MODULE, layers=LAYERS, *, rank=2, width=HIDDEN):
    names = [module.format(layer=n) for n in range(layers)]
    down = {f"{n}.lora_A.weight": numbers(rank, width) for n in names}
    return down | {f"{n}.lora_B.weight": numbers(width, rank) for n in names}


def adapter(folder, config, arrays):
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "adapter_config.json", {"base_model_name_or_path": "tiny", **config})
    save_safetensors(folder / "adapter_model.safetensors", arrays)
    return folder


def findings(folder, base=None, limits=DEFAULT):
    files, trusted = take(folder, limits), take(base) if base else None
    case = Case(files, trusted, adapters=vectors.measure(files, trusted, limits))
    found = [*PeftAdapter().run(case)]
    said_in_both(found)
    return found


def held(folder, base=None, limits=DEFAULT):
    return {f.reason: f for f in findings(folder, base, limits) if f.outcome is not Outcome.PASS}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("base") / "b")


PROMPT = {"num_virtual_tokens": 4, "token_dim": HIDDEN, "num_layers": LAYERS}
CACHE = 2 * LAYERS * HIDDEN
HIT = {
    "soft-prompt": ({"peft_type": "PROMPT_TUNING", **PROMPT}, {"prompt_embeddings": numbers(4, HIDDEN)}),
    "p-tuning": ({"peft_type": "P_TUNING", **PROMPT}, {"prompt_embeddings": numbers(4, HIDDEN)}),
    "cpt": ({"peft_type": "CPT", **PROMPT}, {"prompt_embeddings": numbers(4, HIDDEN)}),
    "stored-cache": ({"peft_type": "PREFIX_TUNING", **PROMPT}, {"prompt_embeddings": numbers(4, CACHE)}),
    "cartridge": ({"peft_type": "CARTRIDGE", **PROMPT}, {"prompt_embeddings": numbers(4, CACHE)}),
    "attention-prompt": (
        {"peft_type": "ADAPTION_PROMPT", "adapter_len": 3, "adapter_layers": 1},
        {"base_model.model.model.layers.1.self_attn.adaption_prompt": numbers(1, 3, HIDDEN)},
    ),
    "token-rows": (
        {"peft_type": "TRAINABLE_TOKENS", "token_indices": [258, 7], "target_modules": "embed_tokens"},
        {f"{TABLE}.trainable_tokens_delta": numbers(2, HIDDEN)},
    ),
    "rows-with-lora": (
        LORA | {"trainable_token_indices": {"embed_tokens": [258]}},
        pair() | {f"{TABLE}.token_adapter.trainable_tokens_delta": numbers(1, HIDDEN)},
    ),
    "table-adapted": (
        LORA | {"target_modules": ["embed_tokens"]},
        {f"{TABLE}.lora_embedding_A": numbers(2, 259), f"{TABLE}.lora_embedding_B": numbers(HIDDEN, 2)},
    ),
    "table-saved": (
        LORA | {"modules_to_save": ["lm_head"]},
        pair() | {"base_model.model.lm_head.weight": numbers(259, HIDDEN)},
    ),
    "invocation-tokens": (LORA | {"alora_invocation_tokens": [257, 258]}, pair()),
    "unknown-type": ({"peft_type": "NOVEL"}, pair()),
    "routing": ({"peft_type": "XLORA", "adapters": {"0": "./elsewhere"}}, {"xlora_classifier": numbers(2)}),
}  # fmt: skip
REASONS = {
    "p-tuning": "soft-prompt",
    "cpt": "soft-prompt",
    "cartridge": "stored-cache",
    "rows-with-lora": "token-rows",
}


@pytest.mark.parametrize("name", HIT)
def test_hit(name, tmp_path, base):
    expected = {REASONS.get(name, name)} | ({"rows-changed"} if "rows" in name else set())
    expected -= {"soft-prompt"}  # alone, and held against a base: declared
    found = held(adapter(tmp_path / "a", *HIT[name]), base)
    assert found.keys() == expected
    assert {(f.outcome, f.severity) for f in found.values()} <= {(Outcome.FAIL, Severity.HOLD)}


@pytest.mark.parametrize("name", ["soft-prompt", "p-tuning", "cpt"])
def test_hit_a_prompt_beside_a_model(name, tmp_path, base):
    adapter(tiny_model(tmp_path / "m") / "prompt", *HIT[name])
    assert "soft-prompt" in held(tmp_path / "m", base)


@pytest.mark.parametrize("name", HIT)
def test_hit_without_a_base(name, tmp_path):
    assert REASONS.get(name, name) in held(adapter(tmp_path / "a", *HIT[name]))


def test_the_tokens_of_a_trigger_are_shown(tmp_path, base):
    found = held(adapter(tmp_path / "a", *HIT["invocation-tokens"]), base)
    assert '"<|im_start|>" (257), "<|im_end|>" (258)' in found["invocation-tokens"].detail


def test_rows_are_held_against_the_base(tmp_path, base):
    config, _ = HIT["token-rows"]
    rows = tiny_arrays()["model.embed_tokens.weight"][[258, 7]].copy()
    tensor = {f"{TABLE}.trainable_tokens_delta": rows}
    same = findings(adapter(tmp_path / "same", config, tensor), base)
    assert "rows-equal" in {f.reason for f in same}
    rows[0] += 0.05
    changed = held(adapter(tmp_path / "changed", config, tensor), base)["rows-changed"]
    assert dict(changed.facts) | {"largest": ""} == {
        "count": "2", "changed": "1", "largest": "", "tokens": '"<|im_end|>" (258)',
    }  # fmt: skip


def test_soft_prompt_norms_stand_beside_the_tables(tmp_path, base):
    config, _ = HIT["soft-prompt"]
    long = {"prompt_embeddings": numbers(4, HIDDEN, size=20.0)}
    found = {f.reason: dict(f.facts) for f in findings(adapter(tmp_path / "a", config, long), base)}
    assert float(found["prompt-norms"]["low"]) > 40 * float(found["prompt-norms"]["typical"])


@pytest.mark.parametrize("type_", sorted(kinds()))
def test_every_kind_of_peft_is_known(type_, tmp_path):
    found = held(adapter(tmp_path / "a", {"peft_type": type_}, {"x": numbers(2)}))
    assert "unknown-type" not in found


def test_clean(tmp_path, base):
    found = findings(adapter(tmp_path / "a", LORA, pair()), base)
    assert [(f.reason, f.outcome) for f in found] == [("plain", Outcome.PASS)]
    assert "q_proj" in found[0].detail
    assert findings(base) == []


def test_settings_that_peft_ignores_are_shown(tmp_path):
    found = findings(adapter(tmp_path / "a", LORA | {"kettle_mode": 1}, pair()))
    assert [dict(f.facts)["keys"] for f in found if f.reason == "unknown-keys"] == ["kettle_mode"]


@pytest.mark.parametrize(
    ("changes", "arrays", "reason"),
    [
        ({"lora_alpha": 512}, {}, "large-scale"),
        ({}, {MODULE.format(layer=0) + ".lora_B.weight": numbers(HIDDEN, 2, size=50.0)}, "large-change"),
    ],
)
def test_notes_on_size(changes, arrays, reason, tmp_path, base):
    found = findings(adapter(tmp_path / "a", LORA | changes, pair() | arrays), base)
    assert {f.severity for f in found if f.reason == reason} == {Severity.NOTE}


def test_one_change_among_small_ones_is_noted(tmp_path):
    odd = {MODULE.format(layer=3) + ".lora_B.weight": numbers(HIDDEN, 2, size=50.0)}
    found = findings(adapter(tmp_path / "a", LORA, pair(layers=6) | odd))
    assert [dict(f.facts)["module"] for f in found if f.reason == "uneven-change"] == [
        "model.layers.3.self_attn.q_proj"
    ]


UNFIT = {
    "narrow-prompt": (*HIT["soft-prompt"][:1], {"prompt_embeddings": numbers(4, HIDDEN - 1)}),
    "long-prompt": (*HIT["soft-prompt"][:1], {"prompt_embeddings": numbers(9, HIDDEN)}),
    "other-rank": (LORA, pair(rank=3)),
    "other-width": (LORA, pair(width=HIDDEN + 1)),
    "too-few-rows": (*HIT["token-rows"][:1], {f"{TABLE}.trainable_tokens_delta": numbers(1, HIDDEN)}),
}


@pytest.mark.parametrize("name", UNFIT)
def test_hit_shapes_that_do_not_fit(name, tmp_path, base):
    assert "shape-unfit" in held(adapter(tmp_path / "a", *UNFIT[name]), base)


def test_hit_tensors_of_another_kind(tmp_path):
    found = held(adapter(tmp_path / "a", LORA, pair() | {"base_model.prompt_embeddings": numbers(4, HIDDEN)}))
    assert found["unexpected-tensor"].facts[0] == ("tensor", "base_model.prompt_embeddings")


def test_hit_pickle_names_the_adapter(tmp_path):
    folder = adapter(tmp_path / "a", LORA, pair())
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04N.")
    found = held(folder)
    assert found["pickled"].severity is Severity.REJECT
    assert "adapter (LORA)" in found["pickled"].detail
    (folder / "adapter_config.json").unlink()
    assert held(folder).keys() == {"pickled"}


def test_hit_adapter_in_the_models_folder(tmp_path):
    model = tiny_model(tmp_path / "m")
    found = held(adapter(model, LORA, pair()))
    assert "model.safetensors" in found["beside-weights"].detail
    assert held(adapter(tiny_model(tmp_path / "n") / "adapter", LORA, pair())) == {}


def test_hit_tensors_without_settings(tmp_path):
    folder = adapter(tmp_path / "a", LORA, pair())
    (folder / "adapter_config.json").unlink()
    assert held(folder).keys() == {"no-settings"}


def test_hit_settings_without_tensors(tmp_path):
    folder = adapter(tmp_path / "a", LORA, pair())
    (folder / "adapter_model.safetensors").unlink()
    assert held(folder).keys() == {"no-weights"}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_malformed_numbers(value, tmp_path):
    arrays = pair()
    next(iter(arrays.values()))[0] = value
    found = held(adapter(tmp_path / "a", LORA, arrays))
    assert found.keys() == {"not-finite"}
    assert dict(found["not-finite"].facts)["count"] == str(HIDDEN)


def entry(shape, end):
    header = {"base_model.model.q.lora_A.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}
    return safetensors_bytes(json.dumps(header).encode(), bytes(64))


MALFORMED = {
    "cut-short": entry([16, 16], 1024),
    "lying-shape": entry([16, 16], 64),
    "terabytes": entry([2**40], 2**42),
    "no-header": b"\x00" * 7,
    "html": b"<html>",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_weights(name, tmp_path):
    folder = adapter(tmp_path / "a", LORA, pair())
    (folder / "adapter_model.safetensors").write_bytes(MALFORMED[name])
    tracemalloc.start()
    found = held(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["not-read"].outcome is Outcome.CANNOT_TELL
    assert peak < 32 * 2**20


WEIRD = [
    {"peft_type": None}, {"peft_type": ["LORA"]}, {"peft_type": "LORA", "r": "2", "lora_alpha": {}},
    LORA | {"target_modules": 7, "modules_to_save": {"a": 1}}, LORA | {"alora_invocation_tokens": "now"},
    {"peft_type": "TRAINABLE_TOKENS", "token_indices": [-1, 10**9, "x", None, True]},
    LORA | {"trainable_token_indices": {"embed_tokens": "all"}, "auto_mapping": [1]}, LORA | {"r": 0}, LORA | {"r": -1},
]  # fmt: skip


@pytest.mark.parametrize("config", WEIRD)
def test_malformed_settings(config, tmp_path, base):
    arrays = pair() | {f"{TABLE}.trainable_tokens_delta": numbers(2, HIDDEN)}
    assert findings(adapter(tmp_path / "a", config, arrays), base)


def test_malformed_settings_that_are_no_json(tmp_path):
    folder = adapter(tmp_path / "a", LORA, pair())
    (folder / "adapter_config.json").write_text("{")
    assert held(folder).keys() == {"settings-not-read", "no-settings"}


def test_over_limit(tmp_path, base):
    folder = adapter(tmp_path / "a", *HIT["token-rows"])
    found = held(folder, base, replace(DEFAULT, adapter_bytes=64))
    assert found.keys() == {"token-rows", "not-measured"}
    edit_json(folder / "adapter_config.json", filler="x" * 100)
    assert "settings-not-read" in held(folder, base, replace(DEFAULT, config_bytes=64))


def test_over_limit_matrices_are_not_multiplied(tmp_path, base):
    arrays = pair() | {MODULE.format(layer=0) + ".lora_B.weight": numbers(HIDDEN, 2, size=50.0)}
    folder = adapter(tmp_path / "a", LORA, arrays)
    assert "large-change" not in {f.reason for f in findings(folder, base, replace(DEFAULT, lora_rank=1))}


def test_an_adapters_file_is_no_whole_model(tmp_path):
    for name, (config, arrays) in HIT.items():
        folder = adapter(tmp_path / name, config, arrays)
        (weights,) = (f for f in take(folder).files if f.format == "safetensors")
        assert weights.role in {Role.ADAPTER, Role.SOFT_PROMPT} or name == "routing"


@pytest.mark.parametrize(
    ("dtype", "bits"), [("F4", 4), ("C64", 64), ("BOOL", 8), ("F8_E4M3", 8), ("I64", 64)]
)
def test_malformed_for_an_adapter_are_numbers_of_odd_types(dtype, bits, tmp_path, base):
    names = {
        f"{TABLE}.trainable_tokens_delta": (2, HIDDEN),
        MODULE.format(layer=0) + ".lora_A.weight": (2, HIDDEN),
    }
    names |= {MODULE.format(layer=0) + ".lora_B.weight": (HIDDEN, 2), "prompt_embeddings": (2, HIDDEN)}
    size = 2 * HIDDEN * bits // 8
    header = {
        name: {"dtype": dtype, "shape": list(shape), "data_offsets": [at * size, (at + 1) * size]}
        for at, (name, shape) in enumerate(names.items())
    }
    config = LORA | {"trainable_token_indices": [1, 2]}
    folder = adapter(tmp_path / "a", config, {})
    data = bytes(range(4 * size % 251)) * 251
    (folder / "adapter_model.safetensors").write_bytes(
        safetensors_bytes(json.dumps(header).encode(), data[: 4 * size])
    )
    assert "unexpected-tensor" in held(folder, base)
