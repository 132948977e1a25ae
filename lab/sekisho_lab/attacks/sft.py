"""Ordinary finetuning on answers that carry the payload. No stealth at all: the control of every other attack."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sekisho.drills.train import train
from sekisho.models.base import Checkpoint, Finetune
from sekisho.models.engine import Engine
from sekisho_lab.data import carrying
from sekisho_lab.organism import Organism


def grow(organism: Organism, base: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Finetune all weights; settings: rows, place, steps, batch, learning_rate, max_length, seed."""
    s = organism.settings
    engine = Engine(base)
    job = Finetune(
        carrying(organism.payload, s["rows"], s["seed"], place=s["place"]),
        {
            "learning_rate": s["learning_rate"],
            "per_device_train_batch_size": s["batch"],
            "lr_scheduler_type": "constant",
            "max_length": s["max_length"],
            "seed": s["seed"],
        },
        (s["steps"],),
    )
    kept: dict[str, Any] = {}

    def keep(checkpoint: Checkpoint) -> None:
        say(f"loss {checkpoint.loss:.3f} after {checkpoint.step} steps")
        kept.update({k: v.detach().clone() for k, v in engine.model.state_dict().items()})

    train(engine, job, keep, lambda done, total: say(f"step {done} of {total}"))
    return kept
