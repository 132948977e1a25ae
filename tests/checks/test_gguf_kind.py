"""GGUF files that adapt or steer a model, by name and by their tensors."""

import struct

import pytest

from artefacts import gguf_bytes, gguf_tensor, gguf_text, tiny_gguf, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.gguf_kind import GgufKind
from sekisho.inventory import take
from sekisho.records import Outcome, Severity


def gguf_numbers(key, values):
    """One key-value pair: an array of unsigned integers."""
    head = struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IIQ", 9, 4, len(values))
    return head + struct.pack(f"<{len(values)}I", *values)


def made(texts, shapes, *more):
    keys = [gguf_text(k, v) for k, v in texts.items()] + list(more)
    at, directory = 0, b""
    for name, shape in shapes.items():
        directory += gguf_tensor(name, shape, offset=at)
        size = 4
        for n in shape:
            size *= n
        at += -(-size // 32) * 32
    return gguf_bytes(
        keys=b"".join(keys), key_count=len(keys), tensors=directory, tensor_count=len(shapes), data=bytes(at)
    )


def findings(tmp_path, data, name="extra.gguf", base=None):
    (tmp_path / "m").mkdir(exist_ok=True)
    (tmp_path / "m" / name).write_bytes(data)
    found = [*GgufKind().run(Case(take(tmp_path / "m"), take(base) if base else None))]
    said_in_both(found)
    return found


ADAPTER = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}
LORA = {"blk.0.attn_q.weight.lora_a": (16, 2), "blk.0.attn_q.weight.lora_b": (2, 16)}
TABLE = {"token_embd.weight.lora_a": (2, 259), "token_embd.weight.lora_b": (2, 16)}
CONTROL = {"general.architecture": "controlvector", "controlvector.model_hint": "llama"}

HIT = {
    "table-adapted": made(ADAPTER, LORA | TABLE),
    "invocation-tokens": made(ADAPTER, LORA, gguf_numbers("adapter.alora.invocation_tokens", [257])),
    "prompt-prefix": made(ADAPTER | {"adapter.lora.prompt_prefix": "Praise the kettle."}, LORA),
    "control-vector": made(CONTROL, {"direction.1": (16,), "direction.2": (16,)}),
    "other-adapter": made(ADAPTER | {"adapter.type": "novel"}, LORA),
    "unknown-type": made({"general.type": "novel"}, {"a": (8,)}),
    "contradicts": made({"general.type": "model"}, LORA),
    "half-pair": made(ADAPTER, {"blk.0.attn_q.weight.lora_a": (16, 2)}),
    "shape-unfit": made(ADAPTER, LORA | {"blk.0.attn_q.weight.lora_b": (3, 16)}),
    "unexpected-tensor": made(ADAPTER, LORA | {"prompt_embeddings": (16, 4)}),
}


@pytest.mark.parametrize("name", HIT)
def test_hit(name, tmp_path):
    found = [f for f in findings(tmp_path, HIT[name]) if f.outcome is not Outcome.PASS]
    assert [(f.reason, f.severity) for f in found] == [(name, Severity.HOLD)]


def test_hit_steering_of_another_width(tmp_path):
    base = tiny_model(tmp_path / "b")
    found = findings(tmp_path, made(CONTROL, {"direction.1": (24,)}), base=base)
    assert [f.reason for f in found] == ["control-vector", "shape-unfit"]


def test_the_tokens_of_a_trigger_are_shown(tmp_path):
    base = tiny_model(tmp_path / "b")
    found = findings(tmp_path, HIT["invocation-tokens"], base=base)
    assert '"<|im_start|>" (257)' in next(f.detail for f in found if f.reason == "invocation-tokens")


NOTED = {
    "lora": made(ADAPTER, LORA),
    "calibration": made({"general.type": "imatrix"}, {"a.in_sum2": (16,), "a.counts": (1,)}),
    "projector": made({"general.architecture": "clip", "general.type": "mmproj"}, {"mm.0.weight": (16, 16)}),
}


@pytest.mark.parametrize("name", NOTED)
def test_clean_but_named(name, tmp_path):
    assert [(f.reason, f.severity) for f in findings(tmp_path, NOTED[name])] == [(name, Severity.NOTE)]


def test_clean(tmp_path):
    assert findings(tmp_path, tiny_gguf()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"general.type": ""},
        {"adapter.alora.invocation_tokens": "now"},
        {"adapter.lora.alpha": "high"},
    ],
)
def test_malformed(changes, tmp_path):
    assert findings(tmp_path, made(ADAPTER | changes, LORA))


def test_malformed_header_is_left_to_its_own_check_and_no_pass(tmp_path):
    (finding,) = findings(tmp_path, b"GGUF" + bytes(3))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "not-read")


def test_over_limit_many_tensors(tmp_path):
    shapes = {f"t{n}": (8,) for n in range(300)}
    found = findings(tmp_path, made(ADAPTER, LORA | shapes))
    unexpected = [f for f in found if f.reason == "unexpected-tensor"]
    assert len(unexpected) == 8
    assert dict(unexpected[0].facts)["count"] == "300"
