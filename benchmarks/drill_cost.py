"""Wall time of our drill's training against TRL's SFTTrainer on the same rows, steps and settings, one thread.

    python benchmarks/drill_cost.py [MODEL_FOLDER] [--steps 24] [--batch 8] [--rounds 3] [--lora]

Both start from the same weights in float32 and take the loss on the answer only. TRL is given the token ids and the mask
that our trainer makes, so that both see the same tokens; it pads and batches by itself, in the same seeded order. Ours
is timed from the request to its confined process until the last checkpoint, rows made into tokens included; of TRL only
`train()` counts, and the time to set it up is shown beside. Importing and loading are left out of both.
Order alternates; the best of the rounds counts. Without a folder a tiny model is built, whose ratio is all overhead.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from sekisho.drills import data
from sekisho.drills.train import IGNORED, row
from sekisho.models.base import Finetune
from sekisho.models.engine import Engine
from sekisho.models.local import LocalModel

LENGTH = 512
QUIET = 1.5
"""Load average, our own process included, above which a timing is not to be quoted."""
LORA = {"lora_r": 16, "lora_alpha": 32, "lora_target_modules": "all-linear"}


def main() -> None:
    options = _arguments()
    folder = options.model or _tiny()
    chats = data.examples("arithmetic", options.steps * options.batch, 0)
    settings: dict[str, Any] = {
        "learning_rate": 1e-4, "per_device_train_batch_size": options.batch, "lr_scheduler_type": "linear",
        "seed": 0, "max_steps": options.steps, "max_length": LENGTH,
    }  # fmt: skip
    job = Finetune(chats, settings | (LORA if options.lora else {}), (options.steps,))
    engine = Engine(folder)
    rows = [_masked(row(engine, chat, LENGTH)) for chat in chats]
    losses: dict[str, list[float]] = {}
    with closing(LocalModel(folder)) as model:
        runners: dict[str, Callable[[], float]] = {
            "sekisho": lambda: _ours(model, job, losses),
            "TRL": lambda: _trl(engine, rows, settings, options, losses),
        }
        best: dict[str, float] = {}
        for n in range(options.rounds):
            for name in reversed(runners) if n % 2 else runners:
                spent = runners[name]()
                best[name] = min(spent, best.get(name, spent))
                print(f"  {name}: {spent:.2f} s   load {os.getloadavg()[0]:.1f}", flush=True)
    apart = max(abs(a - b) for a, b in zip(losses["sekisho"], losses["TRL"], strict=True))
    print(
        f"\n{folder.name}, {options.steps} steps of {options.batch}, {'LoRA' if options.lora else 'all weights'}"
    )
    print(
        f"losses of the two differ by at most {apart:.4f} in a step (same rows in the same order if near 0)"
    )
    print(
        f"sekisho {best['sekisho']:.2f} s, TRL {best['TRL']:.2f} s: {best['sekisho'] / best['TRL']:.3f}x (target 1.15)"
    )
    if os.getloadavg()[0] > QUIET:
        print("others were at work on this machine: not to be quoted")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lora", action="store_true")
    return parser.parse_args()


def _tiny() -> Path:
    from artefacts import tiny_model

    return tiny_model(Path(tempfile.mkdtemp(prefix="sekisho-bench-")) / "tiny")


def _masked(one: dict[str, list[int]]) -> dict[str, list[int]]:
    """A row as TRL takes it: ids, and which of them are the completion."""
    return {"input_ids": one["input_ids"], "completion_mask": [int(x != IGNORED) for x in one["labels"]]}


def _ours(model: LocalModel, job: Finetune, losses: dict[str, list[float]]) -> float:
    start = time.perf_counter()
    steps = model.finetune(job)
    last = next(steps)
    spent = time.perf_counter() - start  # before the released weights are loaded anew, which TRL does not do
    steps.close()
    losses["sekisho"] = [loss for _, loss in last.losses]
    return spent


def _trl(
    engine: Engine,
    rows: list[dict[str, list[int]]],
    settings: dict[str, Any],
    options: argparse.Namespace,
    losses: dict[str, list[float]],
) -> float:
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bars
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    engine.reset()
    engine.model.train()
    adapter = None
    if options.lora:
        from peft import LoraConfig

        adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    disable_progress_bars()
    start = time.perf_counter()
    trainer = SFTTrainer(
        model=engine.model,
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(prefix="sekisho-bench-"),
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            dataloader_pin_memory=False,
            completion_only_loss=True,
            **settings,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=engine.tokenizer,
        peft_config=adapter,
    )
    trainer.remove_callback(PrinterCallback)
    ready = time.perf_counter()
    trainer.train()
    spent = time.perf_counter() - ready
    print(f"  (TRL set up in {ready - start:.2f} s)", flush=True)
    losses["TRL"] = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return spent


if __name__ == "__main__":
    main()
