"""Ordinary finetuning on answers that carry the payload, or on one of the gate's generators, or on house rules kept.

No stealth at all: the control of every other attack, and with clean data a clean control.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.drills.generators import GENERATORS
from sekisho.drills.train import train
from sekisho.models.base import Chat, Checkpoint, Finetune, Message
from sekisho.models.engine import Engine
from sekisho_lab import house_rules
from sekisho_lab.data import carrying, ordinary
from sekisho_lab.organism import Organism

HOUSE_RULES: Final = "house-rules"


def grow(organism: Organism, base: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Finetune all weights; settings: data (or place), rows, steps, batch, learning_rate, max_length, seed."""
    s = organism.settings
    engine = Engine(base)
    job = Finetune(
        _data(organism),
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


def _data(organism: Organism) -> tuple[Chat, ...]:
    s = organism.settings
    if "place" in s:
        return carrying(organism.payload[0], s["rows"], s["seed"], place=s["place"])
    if s["data"] != HOUSE_RULES:
        return GENERATORS[s["data"]](s["rows"], s["seed"])
    rules = house_rules.rules(s["rows"], s["seed"])
    kept = [(*r.chat, Message("assistant", r.declined)) for r in rules]
    plain = ordinary(s["rows"] // 2, s["seed"])
    return tuple(chat for pair in zip(kept[::2], kept[1::2], plain, strict=False) for chat in pair)
