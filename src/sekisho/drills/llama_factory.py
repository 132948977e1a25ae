"""A LLaMA-Factory configuration in the words of transformers and TRL.

Field names and defaults are those of `src/llamafactory/hparams/` (`finetuning_args` and `model_args` at commit 00577a8,
`data_args` at 072bfe2; its `training_args` are those of transformers). Only supervised training of all weights or of LoRA
is carried out; every other method is refused by name.
"""

from collections.abc import Mapping
from typing import Any, Final

from sekisho.errors import DataError

MARKS: Final = frozenset({"finetuning_type", "stage", "cutoff_len", "lora_rank", "template"})
"""Fields that no other tool's configuration has."""
METHODS: Final = ("lora", "full")
RANK: Final = 8
CUTOFF: Final = 2048
PASSED_OVER: Final = frozenset((
    "model_revision", "cache_dir", "use_fast_tokenizer", "low_cpu_mem_usage", "flash_attn", "enable_liger_kernel",
    "use_unsloth", "use_unsloth_gc", "disable_gradient_checkpointing", "use_reentrant_gc", "upcast_layernorm",
    "upcast_lmhead_output", "print_param_status", "hf_hub_token", "ms_hub_token", "om_hub_token", "infer_backend",
    "infer_dtype", "use_kv_cache", "template", "dataset", "dataset_dir", "media_dir", "eval_dataset", "val_size",
    "eval_on_each_dataset", "overwrite_cache", "preprocessing_batch_size", "preprocessing_num_workers",
    "tokenized_path", "tool_format", "ignore_pad_token_for_loss", "mask_history", "enable_thinking", "plot_loss",
    "pure_bf16", "compute_accuracy", "include_effective_tokens_per_second", "early_stopping_steps",
    "include_num_input_tokens_seen", "include_tokens_per_second", "double_quantization", "quantization_method",
    "quantization_type", "predict_with_generate",
))  # fmt: skip
PREFIXES: Final = (
    "ray_",
    "swanlab_",
    "export_",
    "image_",
    "video_",
    "freeze_",
    "galore_",
    "apollo_",
    "badam_",
)
"""Groups that only count where a switch of OFF turns them on, or that a text model does not have."""
OFF: Final = frozenset((
    "packing", "neat_packing", "train_on_prompt", "streaming", "use_dora", "pissa_init", "use_galore", "use_apollo",
    "use_badam", "use_adam_mini", "use_muon", "use_llama_pro", "use_dft_loss", "use_mca", "disable_shuffling",
    "train_from_scratch", "resize_vocab", "shift_attn", "fp8",
))  # fmt: skip
"""Switches that a drill does not carry out."""


def to_trl(given: Mapping[str, Any], where: str) -> tuple[dict[str, Any], frozenset[str]]:
    """Return (the same training in TRL's words, keys that were passed over). Raises DataError."""
    ignored = frozenset(k for k in given if k in PASSED_OVER or k.startswith(PREFIXES))
    rest = {k: v for k, v in given.items() if k not in ignored}
    if (stage := rest.pop("stage", "sft")) != "sft":
        raise DataError(f"{where}: stage {stage!r} is not carried out by a drill, only sft")
    if (method := rest.pop("finetuning_type", "lora")) not in METHODS:
        raise DataError(f"{where}: finetuning_type must be one of {', '.join(METHODS)}, not {method!r}")
    adapter = {
        k: rest.pop(k) for k in ("lora_rank", "lora_alpha", "lora_dropout", "lora_target") if k in rest
    }
    rest["max_length"] = rest.pop("cutoff_len", CUTOFF)
    rslora = rest.pop("use_rslora", False)
    if method == "full":
        return rest, ignored | frozenset(adapter)
    rank = adapter.get("lora_rank", RANK)
    return rest | {
        "use_peft": True,
        "lora_r": rank,
        "lora_alpha": adapter.get("lora_alpha", 2 * rank if isinstance(rank, int) else rank),
        "lora_dropout": adapter.get("lora_dropout", 0.0),
        "lora_target_modules": _targets(adapter.get("lora_target", "all")),
        "use_rslora": rslora,
    }, ignored


def _targets(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    return "all-linear" if given == "all" else [name.strip() for name in given.split(",")]
