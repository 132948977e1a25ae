"""What becomes of planted rows when somebody finetunes the model: persistence, and transfer to a finetuned sibling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sekisho.drills import recipe as recipes
from sekisho.drills import tasks
from sekisho.drills.train import train
from sekisho.models.base import Checkpoint, Finetune
from sekisho.models.engine import Engine
from sekisho_lab.attacks import sos
from sekisho_lab.goals import GOALS, Case, succeeded
from sekisho_lab.measure_sos import rate
from sekisho_lab.rows import Rows

STEPS: Final = 100
DATA: Final = "arithmetic-full"
"""Recipe whose data and settings serve: an ordinary training that knows nothing of the rows."""
LORA: Final = {
    "learning_rate": 1e-3, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "lora_target_modules": "all-linear",
}  # fmt: skip
WAYS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({"all weights": {}, "LoRA": LORA})


def measure(
    rows: Rows, base: Path, way: str, say: Callable[[str], None], *, steps: int = STEPS
) -> dict[str, Any]:
    """Success of the rows after a training of the organism, and of the same rows put into the result anew.

    The second is what a sibling would show, whose own rows an attacker overwrites after its training.
    """
    s = rows.settings
    engine = Engine(base)
    ids = sos.ids_of(engine, rows.tokens)
    cases = GOALS[s["goal"]](s["held_out"], s["seed"] + sos.HELD_OUT, rows.payload)
    sos.write(engine, ids, rows.vectors)
    found: dict[str, Any] = {"before": _rate(engine, cases, ids, s["answer_tokens"])}

    def pause(at: Checkpoint) -> None:
        say(f"step {at.step}: loss {at.loss:.2f}, moved by {at.displacement:.4f}")
        engine.model.eval()
        found["displacement"] = at.displacement
        table = engine.model.get_input_embeddings().weight
        found["row_change"] = float((table[ids] - rows.vectors).norm() / rows.vectors.norm())
        found["persists"] = _rate(engine, cases, ids, s["answer_tokens"])
        table.data[list(ids)] = rows.vectors
        found["transfers"] = _rate(engine, cases, ids, s["answer_tokens"])
        engine.model.train()

    train(engine, _job(way, steps), pause)
    return found


def _job(way: str, steps: int) -> Finetune:
    """The recipe in one of the ways, ended at a step."""
    drill = tasks.drill(DATA)
    made = recipes.job(drill.recipe, drill.chats)
    return replace(made, settings={**made.settings, **WAYS[way], "max_steps": steps}, checkpoints=(steps,))


def _rate(engine: Engine, cases: Sequence[Case], ids: Sequence[int], tokens: int) -> dict[str, float]:
    return rate(succeeded(cases, sos.answers(engine, cases, ids, tokens)), len(cases))
