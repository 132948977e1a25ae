"""The one trainer, read top to bottom: transformers' Trainer, with peft when the recipe has a [lora] table.

Loss is taken on the assistant's last turn only. Equal jobs give equal batches: order depends on the
recipe's seed alone, so candidate and control see the same rows in the same order.
Runs inside the child process; torch and transformers are imported late.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import DivergedError, ModelError
from sekisho.models.base import Checkpoint, Finetune, Progress, silent

if TYPE_CHECKING:
    import torch

    from sekisho.models.engine import Engine

LOST: Final = 2.0
"""A loss beyond so many times the first one, and that of guessing evenly among all tokens: the training diverged."""
IGNORED: Final = -100
"""Label of a token that carries no loss."""


def train(
    engine: Engine, job: Finetune, pause: Callable[[Checkpoint], None], progress: Progress = silent
) -> None:
    """Finetune `engine.model` in place, calling `pause` after each checkpoint's step. Raises DivergedError."""
    import torch
    from transformers import Trainer

    settings = dict(job.settings)
    max_length = int(settings.pop("max_length", 512))
    lora = {k.removeprefix("lora_"): settings.pop(k) for k in list(settings) if k.startswith("lora_")}
    settings["max_steps"] = max(int(settings.get("max_steps", 0)), job.checkpoints[-1])

    torch.manual_seed(int(settings.get("seed", 0)))
    if lora:
        engine.model = _with_adapter(engine.model, lora)
    start = {
        n: p.detach().clone() for n, p in engine.model.named_parameters() if p.requires_grad and not lora
    }
    rows = [row(engine, chat, max_length) for chat in job.examples]
    _check_rows(rows, max_length)
    run = _Run(engine, job, None if lora else start, int(settings.get("gradient_accumulation_steps", 1)))
    trainer = Trainer(
        model=engine.model,
        args=_arguments(settings),
        train_dataset=rows,
        data_collator=run.collate,
        compute_loss_func=_loss,
        callbacks=[_callback(run, pause, progress)],
    )
    trainer.train()


@dataclass(frozen=True)
class _Run:
    """What one training has seen so far."""

    engine: Engine
    job: Finetune
    start: Mapping[str, Any] | None
    """The weights it began with; None where an adapter is trained, which begins at nothing."""
    per_step: int
    """Batches of a step."""
    losses: list[tuple[int, float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Tokens of each batch."""

    def collate(self, batch: list[dict[str, list[int]]]) -> dict[str, Any]:
        self.sizes.append(sum(len(row["input_ids"]) for row in batch))
        return pad(batch)

    def note(self, step: int, loss: float) -> None:
        """Keep the loss of a step. Raises DivergedError."""
        even = math.log(len(self.engine.tokenizer))
        _check(step, loss, LOST * max(even, self.losses[0][1] if self.losses else math.inf), "loss")
        self.losses.append((step, round(loss, 4)))

    def checkpoint(self, step: int) -> Checkpoint:
        """What is told where the training pauses. Raises DivergedError."""
        model, start = self.engine.model, self.start
        moved = _adapter_displacement(model) if start is None else _displacement(model, dict(start))
        _check(step, moved, math.inf, "displacement of the weights")
        tokens = sum(self.sizes[: step * self.per_step])  # the loader is ahead of the training
        return Checkpoint(step, self.losses[-1][1], moved, tokens, tuple(self.losses))


def _callback(run: _Run, pause: Callable[[Checkpoint], None], progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Pauses(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        """Stops at the checkpoints and lets the caller ask the model; the log comes after the step."""

        def on_log(self, _args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
            """Note the loss, and pause where a checkpoint was asked for."""
            if "loss" not in logs:
                return
            step, last = int(state.global_step), run.job.checkpoints[-1]
            run.note(step, float(logs["loss"]))
            progress(step, last)
            if step in run.job.checkpoints:
                pause(run.checkpoint(step))
            control.should_training_stop = step >= last  # the schedule may be of a longer run

    return Pauses()


def _loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    import torch

    logits = outputs.logits[:, :-1].float()
    wanted = labels[:, -logits.shape[1] :]
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    items = num_items_in_batch if num_items_in_batch is not None else (wanted != IGNORED).sum()
    # a row cut off before its answer teaches nothing: 0, not 0 / 0
    mean: torch.Tensor = loss / torch.as_tensor(items).clamp(min=1)
    return mean


def _arguments(settings: dict[str, Any]) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir="trainer",
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        **settings,
    )


def row(engine: Engine, chat: Any, max_length: int, *, end: bool = True) -> dict[str, list[int]]:
    """Return token ids of one conversation and its labels: the last assistant turn, IGNORED before it.

    Without `end` the answer is left open: more may follow.
    """
    if not chat or chat[-1].role != "assistant":
        raise ModelError("a training conversation must end with the assistant")
    head = engine.tokens(chat[:-1])
    tail = engine.tokenizer(chat[-1].content, add_special_tokens=False)["input_ids"]
    ids = (head + list(tail) + [engine.tokenizer.eos_token_id] * end)[:max_length]
    return {"input_ids": ids, "labels": ([IGNORED] * len(head) + ids[len(head) :])[: len(ids)]}


def pad(batch: list[dict[str, list[int]]]) -> dict[str, Any]:
    """Pad on the right; logits are asked for from the first answer token on only."""
    import torch

    width = max(len(row["input_ids"]) for row in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask = torch.zeros(len(batch), width, dtype=torch.long)
    labels = torch.full((len(batch), width), IGNORED)
    for n, row in enumerate(batch):
        size = len(row["input_ids"])
        ids[n, :size] = torch.tensor(row["input_ids"])
        labels[n, :size] = torch.tensor(row["labels"])
        mask[n, :size] = 1
    first = int((labels != IGNORED).any(0).int().argmax())
    kept = width - max(first - 1, 0)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "logits_to_keep": kept}


def _check_rows(rows: list[dict[str, list[int]]], max_length: int) -> None:
    """A finetune that teaches nothing would wake nothing either, and prove nothing. Raises ModelError."""
    idle = sum(set(row["labels"]) == {IGNORED} for row in rows)
    if 2 * idle > len(rows):
        raise ModelError(
            f"{idle} of {len(rows)} training rows leave no room for an answer within {max_length} tokens"
        )


def _check(step: int, value: float, most: float, name: str) -> None:
    # written so that NaN fails as well
    if not (math.isfinite(value) and value <= most):
        raise DivergedError(step, f"{name} {value:.4g}")


def _with_adapter(model: Any, lora: dict[str, Any]) -> Any:
    """Wrap the model; settings come as `sekisho.drills.recipe.job` writes them."""
    from peft import LoraConfig, get_peft_model

    plain = {"r": "r", "use_rslora": "use_rslora", "target_modules": "target_modules"}
    named = {plain.get(k, f"lora_{k}"): v for k, v in lora.items()}
    targets = str(named.get("target_modules", "all-linear"))
    named["target_modules"] = targets if targets == "all-linear" else targets.split(",")
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **named))


def _displacement(model: Any, start: dict[str, torch.Tensor]) -> float:
    """Norm of the change of the trained weights over their norm."""
    change = size = 0.0
    for name, weights in model.named_parameters():
        if name in start:
            change += float((weights.detach() - start[name]).square().sum())
            size += float(start[name].square().sum())
    return (change / size) ** 0.5 if size else 0.0


def _adapter_displacement(model: Any) -> float:
    """The same for an adapter: norm of scale * B A over that of the matrices it sits on."""
    change = size = 0.0
    for module in model.modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
            gram = (b.T @ b) @ (a @ a.T)
            change += float(module.scaling["default"]) ** 2 * float(gram.trace())
            size += float(module.base_layer.weight.square().sum())
    return (max(change, 0.0) / size) ** 0.5 if size else 0.0
