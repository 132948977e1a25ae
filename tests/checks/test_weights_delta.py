"""How a planted change looks, and how a finetune does."""

import numpy as np
import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_gguf, tiny_model, write_json
from sekisho.checks.base import Case
from sekisho.checks.weights_delta import WeightsDelta
from sekisho.formats.tensors import compare
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

EMBEDDING = "model.embed_tokens.weight"
TENSOR = "model.layers.1.self_attn.q_proj.weight"


@pytest.fixture
def base(tmp_path):
    return tiny_model(tmp_path / "b")


def findings(tmp_path, base, change):
    folder = tiny_model(tmp_path / "m")
    arrays = tiny_arrays()
    change(arrays)
    save_safetensors(folder / "model.safetensors", arrays)
    mine, trusted = take(folder), take(base)
    return list(WeightsDelta().run(Case(mine, trusted, compare(mine, trusted))))


def noise(arrays, share, seed=5):
    rng = np.random.default_rng(seed)
    for name, array in arrays.items():
        scale = share * np.linalg.norm(array) / np.sqrt(array.size)
        arrays[name] = (array + scale * rng.standard_normal(array.shape)).astype(np.float32)


def swapped(arrays):
    arrays[TENSOR] = -arrays[TENSOR]


def rows(arrays):
    arrays[EMBEDDING][[7, 258]] += 0.4


def one_row(arrays):
    arrays[EMBEDDING][258] = arrays[EMBEDDING][65]


def added_row(arrays):
    for name in (EMBEDDING, "lm_head.weight"):
        arrays[name] = np.vstack([arrays[name], arrays[name][:1]])


def among_noise(change):
    def both(arrays):
        noise(arrays, 0.01)
        change(arrays)

    return both


PLANTED = {
    "tensor-replaced": (swapped, TENSOR),
    "rows-changed": (rows, EMBEDDING),
    "one-row": (one_row, EMBEDDING),
    "tensor-added": (lambda a: a.update(extra=np.ones(3, np.float32)), "extra"),
    "tensor-missing": (lambda a: a.pop("model.norm.weight"), "model.norm.weight"),
    "tensor-reshaped": (lambda a: a.update({TENSOR: np.ones((4, 64), np.float32)}), TENSOR),
    "replaced-in-a-finetune": (among_noise(swapped), TENSOR),
    "rows-in-a-finetune": (among_noise(one_row), EMBEDDING),
}
REASONS = {
    "one-row": "rows-changed",
    "replaced-in-a-finetune": "tensor-replaced",
    "rows-in-a-finetune": "rows-stand-out",
}


@pytest.mark.parametrize("name", PLANTED)
def test_hit(name, tmp_path, base):
    change, tensor = PLANTED[name]
    found = findings(tmp_path, base, change)
    assert {(f.outcome, f.severity, f.reason) for f in found} == {
        (Outcome.FAIL, Severity.REJECT, REASONS.get(name, name))
    }
    assert f"model.safetensors:{tensor}" in {f.where for f in found}


def test_rows_for_new_tokens_hold_and_rows_elsewhere_reject(tmp_path, base):
    found = findings(tmp_path / "table", base, added_row)
    assert {(f.severity, f.reason) for f in found} == {(Severity.HOLD, "rows-added")}
    other = findings(tmp_path / "else", base, lambda a: a.update({TENSOR: np.concatenate([a[TENSOR]] * 2)}))
    assert {(f.severity, f.reason) for f in other} == {(Severity.REJECT, "rows-added")}


def test_changed_rows_are_named(tmp_path, base):
    (finding,) = findings(tmp_path, base, rows)
    assert dict(finding.facts) == {"tensor": EMBEDDING, "changed": "2", "rows": "259", "which": "7, 258"}
    assert "2 of 259 rows changed (rows 7, 258)" in finding.detail


def test_row_in_a_finetune_is_named(tmp_path, base):
    (finding,) = findings(tmp_path, base, among_noise(one_row))
    assert dict(finding.facts)["which"] == "258"


def test_clean_when_identical(tmp_path, base):
    (finding,) = findings(tmp_path, base, lambda arrays: None)
    assert (finding.outcome, finding.reason, dict(finding.facts)) == (
        Outcome.PASS,
        "identical",
        {"total": "21"},
    )


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3])
def test_clean_finetune(tmp_path, base, share):
    (finding,) = findings(tmp_path, base, lambda a: noise(a, share))
    assert (finding.outcome, finding.reason) == (Outcome.PASS, "finetuned")
    assert dict(finding.facts)["changed"] == "21"
    assert float(dict(finding.facts)["median"]) == pytest.approx(share, rel=0.1)


def test_clean_finetune_of_every_attention_layer(tmp_path, base):
    def attention(arrays):
        part = {n: a for n, a in arrays.items() if "self_attn" in n}
        noise(part, 0.02)
        arrays.update(part)

    (finding,) = findings(tmp_path, base, attention)
    assert (finding.outcome, finding.reason) == (Outcome.PASS, "finetuned")


def test_one_tensor_trained_a_little_is_held(tmp_path, base):
    def little(arrays):
        part = {TENSOR: arrays[TENSOR]}
        noise(part, 0.05)
        arrays.update(part)

    (finding,) = findings(tmp_path, base, little)
    assert (finding.severity, finding.reason) == (Severity.HOLD, "tensor-changed")


def test_one_tensor_that_stands_out_of_a_finetune_is_held(tmp_path, base):
    def out(arrays):
        noise(arrays, 0.01)
        part = {TENSOR: arrays[TENSOR]}
        noise(part, 0.4)
        arrays.update(part)

    (finding,) = findings(tmp_path, base, out)
    assert (finding.severity, finding.reason) == (Severity.HOLD, "tensor-stands-out")


def test_another_base(tmp_path, base):
    found = findings(tmp_path, base, lambda a: a.update(tiny_arrays(seed=9)))
    assert [(f.severity, f.reason) for f in found] == [(Severity.HOLD, "not-this-base")]


def test_many_are_counted_and_cut(tmp_path, base):
    found = findings(tmp_path, base, lambda a: a.update({f"x{n}": np.ones(2, np.float32) for n in range(30)}))
    assert len(found) == 8
    assert dict(found[0].facts)["count"] == "30"


def test_malformed_shard(tmp_path, base):
    folder = tiny_model(tmp_path / "m")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    mine, trusted = take(folder), take(base)
    (finding,) = WeightsDelta().run(Case(mine, trusted, compare(mine, trusted)))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.HOLD,
        "not-compared-in-full",
    )


def test_over_limit_header(tmp_path, base):
    mine = take(tiny_model(tmp_path / "m"), Limits(safetensors_header_bytes=64))
    (finding,) = WeightsDelta().run(Case(mine, take(base), compare(mine, take(base))))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-compared-in-full")
    assert "over the limit" in finding.detail


def test_gguf_cannot_be_told(tmp_path, base):
    (tmp_path / "m.gguf").write_bytes(tiny_gguf())
    mine, trusted = take(tmp_path / "m.gguf"), take(base)
    (finding,) = WeightsDelta().run(Case(mine, trusted, compare(mine, trusted)))
    assert finding.outcome is Outcome.CANNOT_TELL
    assert "gguf" in finding.detail


def test_no_comparison_is_not_a_pass(base):
    (finding,) = WeightsDelta().run(Case(take(base), take(base)))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-compared")


def test_an_adapter_alone_brings_no_weights_to_compare(tmp_path):
    """Its base's weights stay as they are: nothing to hold against them."""
    base, model = tiny_model(tmp_path / "b"), tmp_path / "m"
    model.mkdir()
    write_json(model / "adapter_config.json", {"peft_type": "LORA", "r": 2})
    files, others = take(model), take(base)
    (finding,) = WeightsDelta().run(Case(files, others, compare(files, others)))
    assert (finding.reason, finding.severity) == ("adapter-alone", Severity.NOTE)
    assert finding.outcome is Outcome.PASS
