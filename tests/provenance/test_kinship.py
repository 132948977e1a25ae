"""What weights say about a declared parent, on copies, finetunes, merges, quantised files, permutations and strangers."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from artefacts import (
    Arrays,
    gguf_bytes,
    gguf_tensor,
    gguf_text,
    save_safetensors,
    save_sharded,
    tiny_model,
    write_json,
)
from sekisho import inventory
from sekisho.formats import tensors
from sekisho.provenance import claims, kinship, parents, samples
from sekisho.provenance.kinship import Kinship
from sekisho.provenance.records import Relation
from sekisho.records import Inventory

HIDDEN, INNER, VOCABULARY, LAYERS, HEADS = 64, 128, 300, 4, 4
IN = ("q_proj", "k_proj", "v_proj", "up_proj", "gate_proj", "embed")


def weights(seed: int = 0) -> Arrays:
    """A llama-shaped model whose token rows are not all alike."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    made = {
        "model.embed_tokens.weight": normal(VOCABULARY, HIDDEN),
        "model.norm.weight": np.ones(HIDDEN, np.float32),
    }
    for n in range(LAYERS):
        at = f"model.layers.{n}."
        made |= {f"{at}self_attn.{x}_proj.weight": normal(HIDDEN, HIDDEN) for x in "qkvo"}
        made |= {f"{at}mlp.{x}_proj.weight": normal(INNER, HIDDEN) for x in ("gate", "up")}
        made[f"{at}mlp.down_proj.weight"] = normal(HIDDEN, INNER)
    return made


def moved(base: Arrays, amount: float, seed: int = 1) -> Arrays:
    rng = np.random.default_rng(seed)
    return {
        k: (v + amount * np.sqrt(np.mean(v**2)) * rng.standard_normal(v.shape)).astype(np.float32)
        for k, v in base.items()
    }


def permuted(base: Arrays) -> Arrays:
    order = np.random.default_rng(2).permutation(HIDDEN)
    made = {}
    for name, value in base.items():
        if value.ndim == 1:
            made[name] = value[order]
        else:
            made[name] = np.ascontiguousarray(value[:, order] if any(x in name for x in IN) else value[order])
    return made


def taken(folder: Path, arrays: Arrays, shards: int = 1) -> Inventory:
    folder.mkdir(parents=True)
    save_sharded(folder, arrays, shards)
    return inventory.take(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return taken(tmp_path_factory.mktemp("base") / "m", weights())


def half(arrays: Arrays) -> Arrays:
    return {k: v.astype(np.float16) for k, v in arrays.items()}


def grown(arrays: Arrays) -> Arrays:
    table = arrays["model.embed_tokens.weight"]
    return {**arrays, "model.embed_tokens.weight": np.concatenate([table, table[:5]])}


CASES: dict[str, tuple[Callable[[], Arrays], int, Kinship, str]] = {
    "a copy": (weights, 1, Kinship.EXACT_COPY, "equal"),
    "a copy in shards": (weights, 3, Kinship.EXACT_COPY, "equal"),
    "a copy in half precision": (lambda: half(weights()), 1, Kinship.EXACT_COPY, "equal"),
    "a light finetune": (lambda: moved(weights(), 0.02), 2, Kinship.FINE_TUNE, "close"),
    "a finetune with added rows": (lambda: grown(moved(weights(), 0.02)), 1, Kinship.FINE_TUNE, "close"),
    "a heavy finetune": (lambda: moved(weights(), 1.0), 1, Kinship.SAME_LINEAGE, "far"),
    "permuted channels": (lambda: permuted(weights()), 1, Kinship.SAME_LINEAGE, "table"),
    "another model": (lambda: weights(9), 1, Kinship.NO_MATCH, "strange"),
}


@pytest.mark.parametrize("name", CASES)
def test_kinship(name: str, tmp_path: Path, base: Inventory) -> None:
    make, shards, verdict, reason = CASES[name]
    found = kinship.compare(taken(tmp_path / "m", make(), shards), base)
    assert (found.verdict, found.reason) == (verdict, reason), found


def test_one_replaced_matrix_is_no_plain_finetune(tmp_path: Path, base: Inventory) -> None:
    other = weights(5)
    mixed = {k: other[k] if "layers.2.mlp" in k or "layers.3.mlp" in k else v for k, v in weights().items()}
    found = kinship.compare(taken(tmp_path / "m", mixed), base)
    assert (found.verdict, found.reason) == (Kinship.SAME_LINEAGE, "partly")


def test_other_widths_are_no_relatives_and_nothing_is_no_verdict(tmp_path: Path, base: Inventory) -> None:
    narrow = {k: np.ascontiguousarray(v[..., :48]) for k, v in weights().items() if "down" not in k}
    assert kinship.compare(taken(tmp_path / "n", narrow), base).verdict is Kinship.NO_MATCH
    few = {k: v for k, v in weights().items() if "layers.0.self" in k}
    assert kinship.compare(taken(tmp_path / "f", few), base).verdict is Kinship.INSUFFICIENT
    packed = {k: np.zeros(8, np.uint8) for k in weights()}
    assert kinship.compare(taken(tmp_path / "p", packed), base).verdict is Kinship.INSUFFICIENT


def test_numbers_that_are_none_do_not_break_it(tmp_path: Path, base: Inventory) -> None:
    broken = {k: np.full_like(v, np.nan) for k, v in weights().items()}
    assert kinship.compare(taken(tmp_path / "m", broken), base).verdict in {
        Kinship.NO_MATCH,
        Kinship.UNRESOLVED,
    }
    huge = {k: np.full_like(v, 3e38) for k, v in weights().items()}
    assert kinship.compare(taken(tmp_path / "h", huge), base).verdict in {
        Kinship.NO_MATCH,
        Kinship.UNRESOLVED,
    }


def gguf_of(arrays: Arrays, kind: int, pack: Callable[[np.ndarray], bytes]) -> bytes:
    """A llama GGUF: named as the converter names, query and key rows interleaved."""
    names = {
        "q_proj": "attn_q",
        "k_proj": "attn_k",
        "v_proj": "attn_v",
        "o_proj": "attn_output",
        "gate_proj": "ffn_gate",
        "up_proj": "ffn_up",
        "down_proj": "ffn_down",
    }
    keys = gguf_text("general.architecture", "llama")
    for key in ("head_count", "head_count_kv"):
        name = f"llama.attention.{key}".encode()
        keys += struct.pack("<Q", len(name)) + name + struct.pack("<II", 4, HEADS)
    directory, data = b"", b""
    count = 0
    for name, value in arrays.items():
        if value.ndim == 1:
            continue
        if "embed" in name:
            new = "token_embd.weight"
        else:
            parts = name.split(".")
            new = f"blk.{parts[2]}.{names[parts[4]]}.weight"
        rows = value
        if "attn_q" in new or "attn_k" in new:
            size = len(value) // HEADS
            rows = value.reshape(HEADS, 2, size // 2, -1).swapaxes(1, 2).reshape(value.shape)
        directory += gguf_tensor(new, (value.shape[1], value.shape[0]), kind, len(data))
        packed = pack(np.ascontiguousarray(rows))
        data += packed + bytes(-len(packed) % 32)
        count += 1
    return gguf_bytes(keys=keys, key_count=3, tensors=directory, tensor_count=count, data=data)


def q8(rows: np.ndarray) -> bytes:
    blocks = rows.reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype(np.float16)
    whole = np.round(blocks / np.maximum(scale.astype(np.float32), 1e-12)).clip(-127, 127).astype(np.int8)
    return b"".join(s.tobytes() + w.tobytes() for s, w in zip(scale, whole, strict=True))


@pytest.mark.parametrize(
    ("kind", "pack", "verdict"),
    [
        (0, lambda r: r.tobytes(), Kinship.EXACT_COPY),
        (1, lambda r: r.astype(np.float16).tobytes(), Kinship.EXACT_COPY),
        (8, q8, Kinship.QUANTIZED_COPY),
    ],
    ids=["f32", "f16", "q8_0"],
)
def test_gguf_with_its_own_names_and_row_order(
    tmp_path: Path, base: Inventory, kind: int, pack: Callable[[np.ndarray], bytes], verdict: Kinship
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.gguf").write_bytes(gguf_of(weights(), kind, pack))
    found = kinship.compare(inventory.take(tmp_path / "m"), base)
    assert found.verdict is verdict, found
    assert found.lowest > 0.99


def test_a_quantised_finetune_is_no_quantised_copy(tmp_path: Path, base: Inventory) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.gguf").write_bytes(gguf_of(moved(weights(), 0.1), 8, q8))
    assert kinship.compare(inventory.take(tmp_path / "m"), base).verdict is Kinship.FINE_TUNE


def test_sampled_rows_are_the_same_for_both(base: Inventory) -> None:
    assert samples.chosen("0:x", 100, 8) == samples.chosen("0:x", 100, 8)
    assert len(samples.chosen("0:x", 10**6, 65_536)) == 1
    assert len(samples.chosen("0:x", 3, 8)) == 3


def model(folder: Path, arrays: Arrays, config: dict[str, object] | None = None) -> Inventory:
    tiny_model(folder)
    (folder / "model.safetensors").unlink()
    save_safetensors(folder / "model.safetensors", arrays)
    if config:
        write_json(folder / "config.json", json.loads((folder / "config.json").read_text()) | config)
    return inventory.take(folder)


def test_claims_and_relations(tmp_path: Path) -> None:
    files = tiny_model(tmp_path / "m")
    (files / "README.md").write_text(
        "---\nbase_model: org/base\nbase_model_relation: quantized\nlicense: mit\ndatasets: [d1]\ntags: [merge]\n---\n# x\n"
    )
    said = claims.read(inventory.take(files))
    assert [(p.name, p.relation, p.where) for p in said.parents] == [
        ("hf:org/base", Relation.QUANTISED, "README.md:base_model")
    ]
    assert [c.value for c in said.licences] == ["mit"]
    assert [c.value for c in said.data] == ["d1"]
    assert said.merged


@pytest.mark.parametrize(
    "front",
    [
        "---\n- x\n---\n",
        "---\na: &a [1]\nb: *a\n---\n",
        "---\n{{{\n---\n",
        "---\nbase_model: {a: 1}\n---\n",
        "--- " + "[" * 5000 + "\n---\n",
        "---\n" + "[" * 50000 + "\n---\n",
        "---\n" + "- " * 20000 + "\n---\n",
        "---\n" + "? " * 20000 + "\n---\n",
        "---\nx: " + "{a: " * 9000 + "\n---\n",
        "---\n" + "\n".join(" " * n + "a:" for n in range(300)) + "\n---\n",
    ],
)
def test_a_card_that_cannot_be_read_claims_nothing(tmp_path: Path, front: str) -> None:
    files = tiny_model(tmp_path / "m")
    (files / "README.md").write_text(front)
    assert claims.read(inventory.take(files)).parents == ()


@pytest.mark.parametrize(
    ("config", "files", "relation"),
    [
        (
            {"peft_type": "LORA", "base_model_name_or_path": "org/base", "revision": None},
            "adapter_config.json",
            Relation.ADAPTER,
        ),
        (
            {"_name_or_path": "org/base", "quantization_config": {"quant_method": "gptq"}},
            "config.json",
            Relation.QUANTISED,
        ),
        ({"_name_or_path": "/home/me/base"}, "config.json", Relation.UNKNOWN),
    ],
)
def test_variants_from_settings(
    tmp_path: Path, config: dict[str, object], files: str, relation: Relation
) -> None:
    folder = tiny_model(tmp_path / "m")
    before = json.loads((folder / files).read_text()) if (folder / files).exists() else {}
    write_json(folder / files, before | config)
    taken_ = inventory.take(folder)
    (parent,) = parents.resolve(claims.read(taken_), taken_, None)
    assert parent.relation is relation
    assert parents.stated((parent,)).reason == "parent-without-revision"


def test_patches_name_tensors_and_files(tmp_path: Path) -> None:
    one, other = weights(), weights()
    other["model.layers.1.mlp.up_proj.weight"] = other["model.layers.1.mlp.up_proj.weight"] * 1.5
    other["extra.weight"] = np.ones((2, 2), np.float32)
    mine, theirs = model(tmp_path / "m", other, {"bos_token_id": 1}), model(tmp_path / "b", one)
    found = parents.patches(tensors.compare(mine, theirs), mine, theirs)
    assert [(p.kind, p.name, p.change, p.norm) for p in found] == [
        ("tensor", "extra.weight", "added", ""),
        ("tensor", "model.layers.1.mlp.up_proj.weight", "changed", "0.5"),
        ("file", "config.json", "changed", ""),
    ]
    assert parents.patch_summary(found).startswith("2 tensors (sha256:")


def test_weights_of_which_a_part_cannot_be_read_agree_with_no_parent(tmp_path: Path) -> None:
    said = claims.Claims(parents=(claims.ParentClaim("hf:org/base", "", Relation.FINETUNE, "README.md"),))
    mine, theirs = model(tmp_path / "m", weights()), model(tmp_path / "b", weights())
    kin = kinship.compare(mine, theirs)
    assert parents.ground(said, kin, tensors.compare(mine, theirs), "base").held
    (tmp_path / "m" / "more.safetensors").write_bytes(b"broken")
    part = inventory.take(tmp_path / "m")
    kin = kinship.compare(part, theirs)
    assert kin.verdict is Kinship.EXACT_COPY
    found = parents.ground(said, kin, tensors.compare(part, theirs), "base")
    assert (found.held, found.code) == (False, "too-little-compared")
    assert not parents.ground(said, kin, None, "base").held
