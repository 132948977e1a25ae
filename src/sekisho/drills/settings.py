"""The vocabulary of a recipe: names of `transformers.TrainingArguments`, TRL's `SFTConfig` and `peft.LoraConfig`.

Closed: what is not listed is refused, since a setting passed over in silence would be another rehearsal than asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.errors import DataError

Value = float | int | str | bool


@dataclass(frozen=True)
class Kind:
    """What a setting accepts: whole numbers or any within bounds, one of some words, or true and false."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    words: tuple[str, ...] = ()
    flag: bool = False

    def read(self, value: Any, where: str) -> Value:
        """Return the value in its one form. Raises DataError."""
        if self.flag:
            if not isinstance(value, bool):
                raise DataError(f"{where} must be true or false, not {value!r}")
            return value
        if self.words:
            if value not in self.words:
                raise DataError(f"{where} must be one of {', '.join(self.words)}, not {value!r}")
            return str(value)
        return self._number(value, where)

    def _number(self, value: Any, where: str) -> Value:
        accepted = (int,) if self.whole else (int, float)
        # written so that NaN fails as well
        if isinstance(value, bool) or not isinstance(value, accepted) or not self.low <= value <= self.high:
            noun = "a whole number" if self.whole else "a number"
            raise DataError(f"{where} must be {noun} from {self.low:g} to {self.high:g}, not {value!r}")
        return value if self.whole else float(value)


SCHEDULERS: Final = (
    "constant", "constant_with_warmup", "linear", "cosine", "polynomial", "inverse_sqrt",
)  # fmt: skip
OPTIMISERS: Final = ("adamw_torch", "adamw_torch_fused", "adafactor", "sgd")
"""Those that need nothing beyond torch and transformers."""

TRAINING: Final[Mapping[str, Kind]] = {
    "learning_rate": Kind(0, 1),
    "per_device_train_batch_size": Kind(1, 1024, whole=True),
    "gradient_accumulation_steps": Kind(1, 4096, whole=True),
    "max_steps": Kind(1, 1_000_000, whole=True),
    "num_train_epochs": Kind(0.001, 1000),
    "lr_scheduler_type": Kind(words=SCHEDULERS),
    "warmup_steps": Kind(0, 1_000_000, whole=True),
    "warmup_ratio": Kind(0, 1),
    "weight_decay": Kind(0, 10),
    "adam_beta1": Kind(0, 0.999999),
    "adam_beta2": Kind(0, 0.9999999),
    "adam_epsilon": Kind(0, 1),
    "max_grad_norm": Kind(0, 1_000_000),
    "optim": Kind(words=OPTIMISERS),
    "seed": Kind(0, 2**32 - 1, whole=True),
    "max_length": Kind(8, 131_072, whole=True),
}
"""The [training] table."""

LORA: Final[Mapping[str, Kind]] = {
    "r": Kind(1, 4096, whole=True),
    "lora_alpha": Kind(0.001, 65_536),
    "lora_dropout": Kind(0, 0.99),
    "use_rslora": Kind(flag=True),
}
"""The [lora] table, but for `target_modules`, which is a name or a list of names."""

LORA_IN_ONE_TABLE: Final[Mapping[str, str]] = {
    "lora_r": "r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "lora_target_modules": "target_modules",
    "use_rslora": "use_rslora",
}
"""Names in a flat TRL configuration -> names in the [lora] table."""

PASSED_OVER: Final = frozenset((
    "output_dir", "overwrite_output_dir", "report_to", "run_name", "project", "push_to_hub", "do_train", "do_eval",
    "do_predict", "disable_tqdm", "per_device_eval_batch_size", "bf16", "bf16_full_eval", "fp16", "fp16_full_eval",
    "tf32", "torch_compile", "dtype", "torch_dtype", "use_cpu", "gradient_checkpointing", "fsdp", "fsdp_config",
    "gradient_checkpointing_kwargs", "deepspeed", "load_best_model_at_end", "metric_for_best_model", "local_rank",
    "greater_is_better", "resume_from_checkpoint", "remove_unused_columns", "attn_implementation", "trust_remote_code",
    "model_name_or_path", "model_revision", "dataset_name", "dataset_config", "dataset_train_split",
    "dataset_test_split", "dataset_num_proc", "dataset_text_field", "skip_memory_metrics", "lora_task_type",
    "completion_only_loss", "assistant_only_loss",  # a drill always takes its loss on the last assistant turn
))  # fmt: skip
PASSED_OVER_PREFIXES: Final = ("logging_", "log_", "save_", "eval_", "hub_", "dataloader_", "ddp_")
"""Of a user's own configuration: where things come from and go to, and how they are computed, not what is learnt."""

OFF_ONLY: Final = frozenset((
    "packing", "padding_free", "group_by_length", "load_in_4bit", "load_in_8bit", "use_dora", "use_liger_kernel",
))  # fmt: skip
"""Switches that a drill does not carry out: harmless in a user's configuration where they are off."""


def table(given: Mapping[str, Any], kinds: Mapping[str, Kind], where: str) -> dict[str, Value]:
    """Check every value of a table. Raises DataError on an unknown key or a value out of bounds."""
    if unknown := sorted(set(given) - set(kinds)):
        raise DataError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(kinds)}")
    return {key: kinds[key].read(value, f"{where}: {key}") for key, value in sorted(given.items())}


def lora(given: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Check a [lora] table; a list of target modules becomes one text, joined by commas. Raises DataError."""
    rest = {key: value for key, value in given.items() if key != "target_modules"}
    checked = table(rest, LORA, where)
    if "r" not in checked:
        raise DataError(f"{where}: r, the rank of the adapter, is required")
    modules = given.get("target_modules", "all-linear")
    names = [modules] if isinstance(modules, str) else modules
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
        raise DataError(f"{where}: target_modules must be a name or a list of names, not {modules!r}")
    return {**checked, "target_modules": ",".join(names)}
