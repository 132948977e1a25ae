"""Numbers that no training leaves behind, and sound weights that stay quiet."""

import numpy as np
import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from checks.sentences import said_in_both
from hostile import INERT, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.weight_numbers import WeightNumbers
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

GATE = "model.layers.{}.mlp.gate_proj.weight"
ROWS = np.arange(32)


def findings(folder, **how):
    found = [*WeightNumbers().run(Case(take(folder, **how)))]
    said_in_both(found)
    return found


def findings_of(files):
    return [*WeightNumbers().run(Case(files))]


def held(folder, **how):
    return {f.reason: f for f in findings(folder, **how) if f.outcome is not Outcome.PASS}


def model(folder, change):
    arrays = tiny_arrays()
    change(arrays)
    tiny_model(folder)
    save_safetensors(folder / "model.safetensors", arrays)
    return folder


def put(name, value, rows=slice(None)):
    def change(arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][rows] = value

    return change


def large(arrays):
    arrays["lm_head.weight"] = arrays["lm_head.weight"] * 1000


def one_of_many(arrays):
    rng = np.random.default_rng(1)
    for layer in range(6):
        size = 0.05 * (100 if layer == 3 else 1)
        arrays[GATE.format(layer)] = (rng.standard_normal((32, 16)) * size).astype(np.float32)


HIT = {
    "not-a-number": put(GATE.format(0), np.nan, (7, 3)),
    "infinite": put(GATE.format(0), -np.inf, (7, 3)),
    "empty-matrix": put(GATE.format(0), 0),
    "constant-matrix": put(GATE.format(0), 0.25),
    "constant-rows": put(GATE.format(0), 0.25, 5),
    "huge-matrix": large,
    "stands-out": one_of_many,
}


@pytest.mark.parametrize("name", HIT)
def test_hit(name, tmp_path):
    assert held(model(tmp_path / "m", HIT[name])).keys() == {name}


def test_the_tensor_and_the_row_are_named(tmp_path):
    found = held(model(tmp_path / "m", HIT["not-a-number"]))["not-a-number"]
    assert found.where == f"model.safetensors:{GATE.format(0)}"
    assert dict(found.facts) == {"rows": "1", "all": "32", "first": "7"}


def test_clean(tmp_path):
    assert findings(tiny_model(tmp_path / "m")) == []
    assert findings(tiny_model(tmp_path / "s", shards=3)) == []


NOTES = {
    "zero-rows": put("lm_head.weight", 0, 258),
    "infinite-mask": lambda arrays: arrays.update({"model.attn_mask": np.full((4, 4), -np.inf, np.float32)}),
    "double-precision": lambda arrays: arrays.update({"x": arrays[GATE.format(0)].astype(np.float64)}),
}


@pytest.mark.parametrize("name", NOTES)
def test_what_sound_models_have_is_only_noted(name, tmp_path):
    found = findings(model(tmp_path / "m", NOTES[name]))
    assert [(f.reason, f.outcome) for f in found] == [(name, Outcome.PASS)]


def test_scales_may_be_one_value(tmp_path):
    scale = {"model.layers.0.q.weight_scale_inv": np.ones((16, 16), np.float32)}
    assert findings(model(tmp_path / "m", lambda arrays: arrays.update(scale))) == []


def test_many_are_counted(tmp_path):
    def spoil(arrays):
        arrays.update({GATE.format(n): np.full((32, 16), np.nan, np.float32) for n in range(30)})

    found = findings(model(tmp_path / "m", spoil))
    assert [f.reason for f in found].count("not-a-number") == 8
    assert dict(found[-1].facts) == {"count": "22"}


def test_malformed_weights_do_not_pass(tmp_path):
    folder = tiny_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"\x99" * 50)
    assert [(f.reason, f.outcome) for f in findings(folder)] == [("not-measured", Outcome.CANNOT_TELL)]


def test_over_limit_files_are_left_to_the_check_of_coverage(tmp_path):
    assert findings_of(take(tiny_model(tmp_path / "m"), Limits(file_bytes=8))) == []


def test_headers_alone_are_no_pass(tmp_path):
    found = held(tiny_model(tmp_path / "m"), headers_only=True)
    assert found["not-measured"].outcome is Outcome.CANNOT_TELL


def test_pickled_weights_are_not_called_read(tmp_path):
    folder = tiny_model(tmp_path / "m")
    torch_zip(folder / "pytorch_model.bin", INERT)
    files = take(folder)
    (held,) = WeightNumbers().run(Case(files))
    assert (held.reason, held.outcome) == ("not-measured", Outcome.CANNOT_TELL)
    (allowed,) = WeightNumbers().run(Case(files, known_pickles=True))
    assert (allowed.reason, allowed.severity) == ("in-pickle", Severity.NOTE)
    said_in_both([held, allowed])
