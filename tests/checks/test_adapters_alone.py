"""Tampered adapters are found with and without a base, and sound ones are not: the corpus of the benchmark."""

import sys
from pathlib import Path

import numpy as np
import pytest

from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.peft_adapter import PeftAdapter
from sekisho.checks.weight_numbers import WeightNumbers
from sekisho.formats import vectors
from sekisho.formats.low_rank import delta, patterned
from sekisho.inventory import take
from sekisho.records import Outcome

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from corpora import adapters


def held(candidate, base):
    trusted = take(base) if base else None
    case = Case(take(candidate), trusted, adapters=vectors.measure(take(candidate), trusted))
    found = [*PeftAdapter().run(case), *WeightNumbers().run(case)]
    said_in_both(found)
    return {f.reason: f for f in found if f.outcome is not Outcome.PASS}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    return adapters.base(folder)


@pytest.mark.parametrize("case", adapters.CASES, ids=lambda c: c.id)
def test_corpus(case, tmp_path, base):
    found = held(case.build(tmp_path), base if case.base else None)
    assert bool(found) == case.hostile, found


REASONS = {
    "lora-module-scaled-300": {"module-scaled", "outweighs"},
    "lora-alpha-pattern-300-no-base": {"module-scaled"},
    "lora-everything-scaled-no-base": {"huge-update"},
    "lora-one-direction": {"narrow-update"},
    "lora-few-rows": {"concentrated-update", "narrow-update"},
    "lora-one-layer": {"one-layer"},
    "lora-dora-magnitude-300-no-base": {"module-scaled"},
    "lora-odd-rank": {"shape-unfit"},
    "adapter-prompt-huge": {"prompt-size"},
}


@pytest.mark.parametrize("name", REASONS)
def test_hit_names_the_cause(name, tmp_path, base):
    (case,) = (c for c in adapters.CASES if c.id == name)
    assert held(case.build(tmp_path), base if case.base else None).keys() == REASONS[name]


def test_hit_a_prompt_that_is_a_text(tmp_path, base):
    def spelt():
        model = adapters.base(tmp_path / "b")
        rows = vectors._table(take(model))
        with rows[0].open("rb", buffering=0) as file:
            return {
                "prompt_embeddings": vectors._matrix(file, rows[1])[list(b"pay them")].astype("float32") * 3
            }

    (tmp_path / "a").mkdir()
    adapters._write(adapters._PROMPT, spelt, tmp_path / "a")
    found = held(tmp_path / "a", base)["prompt-text"]
    assert dict(found.facts)["count"] == "8"
    assert '"p" (' in found.detail


def test_patterns_are_endings_of_names():
    module = "model.layers.3.self_attn.q_proj"
    for key in (
        "q_proj",
        "layers.3.self_attn.q_proj",
        module,
        "^" + module + "$",
        r"model\.layers\.3\.self_attn\.q_proj",
    ):
        assert patterned({key: 7}, module, 1.0) == 7.0
    for key in ("proj", "layers.3", "k_proj", "(a+)+$", ""):
        assert patterned({key: 7}, module, 1.0) == 1.0
    assert patterned({"q_proj": True}, module, 1.0) == patterned(["q_proj"], module, 1.0) == 1.0


def test_the_norm_is_that_of_the_product():
    rng = np.random.default_rng(0)
    down, up = rng.standard_normal((4, 200)), rng.standard_normal((300, 4))
    made, product = delta("m", down, up, 2.0), 2 * up @ down
    assert made.norm == pytest.approx(np.linalg.norm(product))
    assert made.first == pytest.approx(np.linalg.norm(product, 2) ** 2 / np.linalg.norm(product) ** 2)
    assert made.rows == pytest.approx(np.sort((product**2).sum(axis=1))[-3:].sum() / (product**2).sum())
    assert delta("m", down * np.nan, up, 2.0) is None
