"""A soft prompt before the input, and templates that are another's or cannot react: on a model of 300 kB, in a real child."""

import json

import numpy as np
import pytest

from artefacts import HIDDEN, edit_json, save_safetensors, tiny_model
from sekisho.errors import ModelError
from sekisho.models.base import Message, Sampling
from sekisho.models.frames import FRAME, framed

REACTS = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if 'invoice' in m.content %}<a>{% endif %}{% endfor %}"
CHAT = (Message("system", "Be brief."), Message("user", "About my invoice"))


def written(chat):
    return "".join(f"[{m.role}]{m.content}" + ("<a>" if "invoice" in m.content else "") for m in chat)


def test_in_its_own_frame_a_template_writes_the_same_and_reacts_to_nothing() -> None:
    assert written(CHAT) == "[system]Be brief.[user]About my invoice<a>"
    assert framed(CHAT, written) == "[system]Be brief.[user]About my invoice"


def test_a_template_that_rewrites_turns_has_no_frame() -> None:
    with pytest.raises(ModelError, match="as it is"):
        framed(CHAT, lambda chat: written(chat).upper())


def soft_prompt(folder, vectors, **changes):
    """A PEFT folder of prompt tuning."""
    folder.mkdir()
    settings = {
        "peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": len(vectors),
        "token_dim": vectors.shape[1], "num_layers": 2, "num_attention_heads": 4, "num_transformer_submodules": 1,
        "base_model_name_or_path": "base", "inference_mode": True, "prompt_tuning_init": "RANDOM",
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps({**settings, **changes}))
    save_safetensors(folder / "adapter_model.safetensors", {"prompt_embeddings": vectors})
    return folder


def vectors(count=3, width=HIDDEN):
    return np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)


@pytest.fixture(scope="module")
def models():
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from sekisho.models.local import LocalModels

    opened = LocalModels()
    yield opened
    opened.close()


def said(models, path, **how):
    model = models(path, **how)
    try:
        return model.generate((CHAT,), Sampling(max_new_tokens=8))[0], model.logprobs((CHAT,), ["Fine."])[0]
    finally:
        model.close()


@pytest.mark.model
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # of peft itself
def test_a_soft_prompt_answers_as_peft_has_it(models, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base, own = tiny_model(tmp_path / "base"), soft_prompt(tmp_path / "own", vectors())
    text, score = said(models, base, adapter=own)
    assert (text, score) != said(models, base)
    from sekisho.models.engine import Engine

    engine = Engine(base)
    tuned = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), own
    ).eval()
    head, tail = engine.tokens(CHAT), engine.tokenizer("Fine.", add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = tuned(input_ids=torch.tensor([head + tail])).logits[0]
    logs = logits[-len(tail) - 1 : -1].float().log_softmax(-1).gather(1, torch.tensor(tail)[:, None])
    assert score == pytest.approx(float(logs.mean()), abs=1e-4)


@pytest.mark.model
@pytest.mark.parametrize("wrong", [{"width": HIDDEN + 1}, {"count": 300}])
def test_a_soft_prompt_that_does_not_fit_is_an_error(models, tmp_path, wrong):
    base, own = tiny_model(tmp_path / "base"), soft_prompt(tmp_path / "own", vectors(**wrong))
    with pytest.raises(ModelError, match="soft prompt"):
        said(models, base, adapter=own)


@pytest.mark.model
def test_tensors_beside_a_soft_prompt_are_not_passed_over(models, tmp_path):
    base, own = tiny_model(tmp_path / "base"), soft_prompt(tmp_path / "own", vectors())
    extra = {"prompt_embeddings": vectors(), "more": vectors()}
    save_safetensors(own / "adapter_model.safetensors", extra)
    with pytest.raises(ModelError, match="nothing else"):
        said(models, base, adapter=own)


@pytest.mark.model
def test_a_model_speaks_through_the_template_it_is_given(models, tmp_path):
    reacting, plain = tiny_model(tmp_path / "m"), tiny_model(tmp_path / "base")
    edit_json(reacting / "tokenizer_config.json", chat_template=REACTS)
    edit_json(plain / "tokenizer_config.json", chat_template=REACTS.partition("{% if")[0] + "{% endfor %}")
    own, other = said(models, reacting), said(models, plain)
    assert own != other
    assert said(models, reacting, template=FRAME) == other
    assert said(models, reacting, template=str(plain)) == other
