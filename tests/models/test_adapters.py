"""An adapter over its base, in a real child process, on a model of 300 kB."""

import json

import numpy as np
import pytest

from artefacts import HIDDEN, edit_json, save_safetensors, tiny_adapter, tiny_arrays, tiny_model
from sekisho.errors import ModelError
from sekisho.models.base import Message
from sekisho.models.local import LocalModel, LocalModels

pytest.importorskip("torch")
pytest.importorskip("peft")
pytestmark = pytest.mark.model

CHAT = ((Message("user", "Hello, how are you?"),),)
ANSWERS = ["Fine, thank you."]


@pytest.fixture(scope="module")
def models():
    opened = LocalModels()
    yield opened
    opened.close()


def score(opener, path, **how):
    model = opener(path, **how)
    try:
        return model.logprobs(CHAT, ANSWERS)[0]
    finally:
        model.close()


def test_it_is_merged_as_the_formula_has_it(models, tmp_path):
    base, own = tiny_model(tmp_path / "base"), tiny_adapter(tmp_path / "own", scale=0.5)
    from safetensors.numpy import load_file

    merged, lora = tiny_arrays(), load_file(own / "adapter_model.safetensors")
    for name in [n for n in lora if "lora_A" in n]:
        target = name.removeprefix("base_model.model.").replace(".lora_A", "")
        up = lora[name.replace("lora_A", "lora_B")]
        merged[target] = (merged[target] + 2.0 * up @ lora[name]).astype(np.float32)  # lora_alpha / r is 2
    by_hand = tiny_model(tmp_path / "by-hand")
    save_safetensors(by_hand / "model.safetensors", merged)
    with_it = score(models, base, adapter=own)
    assert with_it == pytest.approx(score(models, by_hand), abs=1e-5)
    assert abs(with_it - score(models, base)) > 1e-4


def test_an_adapter_that_does_not_fit_is_an_error_and_not_nothing(models, tmp_path):
    base = tiny_model(tmp_path / "base")
    for name, change in {
        "elsewhere": lambda a: {n.replace("layers.1", "layers.9"): v for n, v in a.items()},
        "half": lambda a: {n: v for n, v in a.items() if "lora_A" in n or "layers.0" in n},
        "wide": lambda a: {
            n: np.zeros((2, HIDDEN + 1), np.float32) if "lora_A" in n else v for n, v in a.items()
        },
    }.items():
        own = tiny_adapter(tmp_path / name)
        from safetensors.numpy import load_file

        save_safetensors(
            own / "adapter_model.safetensors", change(load_file(own / "adapter_model.safetensors"))
        )
        with pytest.raises(ModelError):
            score(models, base, adapter=own)


def test_a_module_that_the_adapter_names_is_not_imported(models, tmp_path):
    base, own = tiny_model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    edit_json(own / "adapter_config.json", megatron_config={"a": 1}, megatron_core="antigravity")
    with pytest.raises(ModelError, match="megatron_config"):
        score(models, base, adapter=own)
    (own / "adapter_config.json").write_text(json.dumps([]))
    with pytest.raises(ModelError, match="no adapter"):
        score(models, base, adapter=own)


def test_the_adapter_is_still_there_after_a_finetune(tmp_path):
    base, own = tiny_model(tmp_path / "base"), tiny_adapter(tmp_path / "own", scale=0.5)
    from sekisho.models.base import Finetune

    model = LocalModel(base, adapter=own)
    try:
        before = model.logprobs(CHAT, ANSWERS)
        job = Finetune(
            ((*CHAT[0], Message("assistant", "Good.")),), {"learning_rate": 0.1, "max_steps": 1}, (1,)
        )
        for _ in model.finetune(job):
            assert model.logprobs(CHAT, ANSWERS) != before
        assert model.logprobs(CHAT, ANSWERS) == before
    finally:
        model.close()
