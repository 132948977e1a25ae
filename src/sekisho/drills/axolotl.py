"""An Axolotl configuration in the words of transformers and TRL.

Field names and defaults are those of `src/axolotl/utils/schemas/` (`training` and `config` at commit 002a637, `peft` at
00564c8), and the warm-up is that of its trainer builder: 3 % of the steps where nothing is said.
"""

from collections.abc import Mapping
from typing import Any, Final

from sekisho.errors import DataError

MARKS: Final = frozenset({"base_model", "micro_batch_size", "sequence_len", "num_epochs", "sample_packing"})
"""Fields that no other tool's configuration has."""
RENAMED: Final = {
    "micro_batch_size": "per_device_train_batch_size",
    "num_epochs": "num_train_epochs",
    "optimizer": "optim",
    "lr_scheduler": "lr_scheduler_type",
    "sequence_len": "max_length",
    "peft_use_rslora": "use_rslora",
    "peft_use_dora": "use_dora",
}
"""Axolotl's name -> transformers' or TRL's."""
DEFAULTS: Final = {
    "per_device_train_batch_size": 1,
    "num_train_epochs": 1.0,
    "optim": "adamw_torch_fused",
    "lr_scheduler_type": "cosine",
    "max_length": 512,
    "weight_decay": 0.0,
}
WARMUP: Final = 0.03
PASSED_OVER: Final = frozenset((
    "base_model", "base_model_config", "revision_of_model", "model_type", "tokenizer_type", "tokenizer_config",
    "tokenizer_use_fast", "tokenizer_legacy", "processor_type", "is_falcon_derived_model", "is_llama_derived_model",
    "is_mistral_derived_model", "is_qwen_derived_model", "datasets", "test_datasets", "val_set_size", "chat_template",
    "chat_template_jinja", "default_system_message", "shuffle_merged_datasets", "skip_prepare_dataset", "strict",
    "push_dataset_to_hub", "hf_use_auth_token", "auto_resume_from_checkpoints", "special_tokens", "eot_tokens",
    "bfloat16", "float16", "float32", "fp8", "flash_attention", "xformers_attention", "sdp_attention", "flex_attention",
    "eager_attention", "flash_attn_cross_entropy", "flash_attn_rms_norm", "flash_attn_fuse_qkv", "flash_attn_fuse_mlp",
    "pad_to_sequence_len", "lora_fan_in_fan_out", "lora_on_cpu", "lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel",
    "early_stopping_patience", "saves_per_epoch", "evals_per_epoch", "device", "device_map", "world_size", "ddp",
    "max_memory", "gpu_memory_limit", "low_cpu_mem_usage", "use_tensorboard", "profiler_steps", "debug", "gc_steps",
    "include_tokens_per_second", "loss_watchdog_threshold", "loss_watchdog_patience", "accelerator_config",
    "do_causal_lm_eval", "plugins", "min_sample_len", "gptq", "qlora_sharded_model_loading", "bnb_config_kwargs",
    "sample_packing_group_size", "sample_packing_bin_size", "torch_compile_backend", "torch_compile_mode",
))  # fmt: skip
PREFIXES: Final = (
    "wandb_",
    "mlflow_",
    "comet_",
    "gradio_",
    "ray_",
    "unsloth_",
    "dataset_",
    "fsdp_",
    "liger_",
)
OFF: Final = frozenset((
    "train_on_inputs", "relora", "s2_attention", "use_pose", "batch_flattening", "curriculum_sampling",
    "reward_model", "process_reward_model", "sample_packing", "sample_packing_sequentially",
    "pretraining_sample_concatenation",
))  # fmt: skip
"""Switches that a drill does not carry out; those that share TRL's name are refused there."""


def to_trl(given: Mapping[str, Any], where: str) -> tuple[dict[str, Any], frozenset[str]]:
    """Return (the same training in TRL's words, keys that were passed over). Raises DataError."""
    ignored = frozenset(k for k in given if k in PASSED_OVER or k.startswith(PREFIXES))
    rest = DEFAULTS | {RENAMED.get(k, k): v for k, v in given.items() if k not in ignored}
    if not {"warmup_steps", "warmup_ratio"} & set(rest):
        rest["warmup_ratio"] = WARMUP
    _accumulated(rest, where)
    method = rest.pop("adapter", None)
    if method not in (None, "lora", "qlora"):
        raise DataError(f"{where}: adapter must be lora or empty, not {method!r}")
    adapter = {k for k in rest if k.startswith("lora_") or k == "use_rslora"}
    if method is None:
        return {k: v for k, v in rest.items() if k not in adapter}, ignored | adapter
    if rest.pop("lora_target_linear", False) is True:
        rest["lora_target_modules"] = "all-linear"
    if "lora_target_modules" not in rest:
        raise DataError(f"{where}: lora_target_linear or lora_target_modules is required")
    if method == "qlora":
        rest["load_in_4bit"] = True
    return rest | {"use_peft": True}, ignored


def _accumulated(rest: dict[str, Any], where: str) -> None:
    """Turn a total batch size into accumulation steps, as Axolotl does."""
    total, each = rest.pop("batch_size", None), rest["per_device_train_batch_size"]
    if total is None or "gradient_accumulation_steps" in rest:
        return
    if not (type(total) is int and type(each) is int and each > 0 and total >= each):
        raise DataError(f"{where}: batch_size must be a whole number, at least micro_batch_size")
    rest["gradient_accumulation_steps"] = total // each
