"""The same vectors beside an unchanged base, written by peft itself, so that the layout is the real one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho_lab import writer
from sekisho_lab.forms.base import ids_of, read
from sekisho_lab.rows import Rows, document

if TYPE_CHECKING:
    import torch

VIRTUAL: Final = 8
WEIGHTS: Final = "adapter_model.safetensors"


def prompt_tuning(rows: Rows, base: Path, out: Path) -> None:
    """V8: PROMPT_TUNING with eight virtual tokens: the vectors, again and again, before everything else.

    They were trained for another place, so this is a form for scanners; its success is measured, not promised.
    """
    from peft import PromptTuningConfig, get_peft_model

    model = get_peft_model(
        _model(base), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=VIRTUAL)
    )
    times = -(-VIRTUAL // len(rows.vectors))
    model.prompt_encoder["default"].embedding.weight.data.copy_(rows.vectors.repeat(times, 1)[:VIRTUAL])
    _save(model, rows, base, out, form="V8-prompt-tuning")


def trainable_tokens(rows: Rows, base: Path, out: Path) -> None:
    """V8: TRAINABLE_TOKENS; what peft calls a delta is the row itself."""
    from peft import TrainableTokensConfig, get_peft_model

    ids = ids_of(read(base), rows.tokens)
    config = TrainableTokensConfig(task_type="CAUSAL_LM", token_indices=ids, target_modules=["embed_tokens"])
    model = get_peft_model(_model(base), config)
    _fill(model, rows.vectors)
    _save(model, rows, base, out, form="V8-trainable-tokens", ids=ids)


def lora_with_tokens(rows: Rows, base: Path, out: Path) -> None:
    """V8: an ordinary-looking LoRA that carries the rows along (`trainable_token_indices`)."""
    ids = ids_of(read(base), rows.tokens)
    model = _with_lora(_model(base), rows, trainable_token_indices=ids)
    _fill(model, rows.vectors)
    _save(model, rows, base, out, form="V8-lora-tokens", ids=ids)


def lora(rows: Rows, base: Path, out: Path) -> None:
    """Benign: a LoRA on the attention alone; no row, no vector."""
    _save(_with_lora(_model(base), rows), rows, base, out, form="benign-lora", benign=True)


def _with_lora(model: torch.nn.Module, rows: Rows, **more: Any) -> Any:
    """A LoRA whose B is small and random instead of zero, as after a few steps."""
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM", r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], **more
    )
    made = get_peft_model(model, config)
    generator = torch.Generator().manual_seed(int(rows.settings["seed"]))
    for name, parameter in made.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(1e-3 * torch.randn(parameter.shape, generator=generator))
    return made


def _fill(model: Any, vectors: torch.Tensor) -> None:
    for name, parameter in model.named_parameters():
        if "trainable_tokens_delta" in name:
            parameter.data.copy_(vectors)


def _model(base: Path) -> torch.nn.Module:
    import torch
    from transformers import AutoModelForCausalLM

    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    return model


def _save(model: Any, rows: Rows, base: Path, out: Path, **said: object) -> None:
    """Let peft write the folder, then mark its weights; of the base's path only the folder's name stays."""
    from safetensors.torch import load_file

    writer.new(out)
    for config in model.peft_config.values():
        config.base_model_name_or_path = str(base)  # peft looks there whether the vocabulary has grown
    model.save_pretrained(out)
    for name in ("README.md", "adapter_config.json"):
        file = out / name
        if file.is_file():
            file.write_text(file.read_text("utf-8").replace(str(base), base.name), "utf-8")
    tensors = load_file(out / WEIGHTS)
    writer.finish(rows.organism, tensors, {**document(rows), **said}, out, file=WEIGHTS)
