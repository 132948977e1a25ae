"""What recording costs: the same training with and without the recorder, block by block in turn, in one process.

    OMP_NUM_THREADS=1 python benchmarks/recording.py                                    # a tiny model of random weights
    OMP_NUM_THREADS=1 python benchmarks/recording.py --model DIR --batch 1 --length 128     # a real one, full finetuning

Two trainings of 200 steps take turns of 10 steps, so that whatever else the machine does falls on both. What comes before the
first step (hashing base and rows) and after the last (hashing weights and result) is counted in full. The target is a
ratio of 1.01 for the whole. The interval is a bootstrap over pairs of turns. CPU time is this process's and its
children's (git); on a quiet machine wall time says the same. Loading the model is left out of both.
"""

import argparse
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS = 64
TURN = 10
"""Steps of one turn."""
RESAMPLED = 10_000
ARMS = ("plain", "recorded")


def cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Spent:
    """Wall and CPU seconds of one training: before its first step, of each turn, after its last step."""

    turns: list[tuple[float, float]] = field(default_factory=list)
    begun: tuple[float, float] = (0.0, 0.0)

    def start(self) -> None:
        """A turn begins."""
        self.begun = time.perf_counter(), cpu()

    def stop(self) -> None:
        """It ends."""
        self.turns.append((time.perf_counter() - self.begun[0], cpu() - self.begun[1]))


class Baton:
    """Only the training that holds it goes on, and only its time is counted."""

    def __init__(self) -> None:
        self.spent = {arm: Spent() for arm in ARMS}
        self.condition = threading.Condition()
        self.turn = ARMS[0]
        self.over: set[str] = set()

    def take(self, arm: str) -> None:
        """Wait for one's turn."""
        with self.condition:
            self.condition.wait_for(lambda: self.turn == arm)
        self.spent[arm].start()

    def give(self, arm: str, *, last: bool = False) -> None:
        """Hand it to the other training, unless that is over."""
        self.spent[arm].stop()
        with self.condition:
            if last:
                self.over.add(arm)
            other = ARMS[1 - ARMS.index(arm)]
            self.turn = arm if other in self.over else other
            self.condition.notify_all()

    def swap(self, arm: str) -> None:
        """End one turn and wait for the next."""
        self.give(arm)
        self.take(arm)


def tiny(folder: Path) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=2048,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def trainer(model: Path, folder: Path, options: argparse.Namespace, swap: Callable[[], None]) -> Any:
    """A trainer that hands the baton on before its first step and after each turn."""
    import torch
    from transformers import (
        AutoModelForCausalLM,
        PrinterCallback,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )
    from transformers import default_data_collator as collator

    class Turns(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            if state.global_step % TURN == 0:
                swap()

    torch.manual_seed(0)
    ids = torch.randint(0, 2000, (ROWS, options.length)).tolist()
    made = Trainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=TrainingArguments(
            str(folder),
            max_steps=options.steps,
            per_device_train_batch_size=options.batch,
            logging_steps=options.logging,
            save_strategy="no",
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=[{"input_ids": row, "labels": row} for row in ids],
        data_collator=collator,
    )
    made.remove_callback(PrinterCallback)
    made.add_callback(Turns())
    return made


def race(model: Path, home: Path, options: argparse.Namespace) -> dict[str, Spent]:
    """Both trainings, in turn."""
    from sekisho.training_log import SekishoCallback

    baton = Baton()
    made = {arm: trainer(model, home / arm, options, lambda a=arm: baton.swap(a)) for arm in ARMS}
    recorder = SekishoCallback(home / "run.jsonl")
    made["recorded"].add_callback(recorder)

    def train(arm: str) -> None:
        baton.take(arm)
        try:
            made[arm].train()
            made[arm].save_model(str(home / arm))
            if arm == "recorded":
                recorder.close()
        finally:
            baton.give(arm, last=True)

    with ThreadPoolExecutor(len(ARMS)) as pool:
        for done in [pool.submit(train, arm) for arm in ARMS]:
            done.result()
    return baton.spent


def ratio(spent: dict[str, Spent], clock: int) -> dict[str, Any]:
    """Whole trainings held against each other, with an interval over pairs of turns; `clock` 0 is wall, 1 is CPU."""
    plain, recorded = ([t[clock] for t in spent[arm].turns] for arm in ARMS)
    ends = [(s[0], s[-1]) for s in (plain, recorded)]
    pairs = list(zip(plain[1:-1], recorded[1:-1], strict=True))
    draw = random.Random(0)

    def whole(some: list[tuple[float, float]]) -> float:
        sides = [sum(ends[n]) + sum(p[n] for p in some) for n in (0, 1)]
        return sides[1] / sides[0]

    many = sorted(whole(draw.choices(pairs, k=len(pairs))) for _ in range(RESAMPLED))
    return {
        "plain_s": round(sum(plain), 2),
        "recorded_s": round(sum(recorded), 2),
        "before_first_step_s": [round(e[0], 3) for e in ends],
        "last_turn_and_saving_s": [round(e[1], 3) for e in ends],
        "ratio": round(whole(pairs), 4),
        "interval_95": [round(many[int(RESAMPLED * q)], 4) for q in (0.025, 0.975)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of a real model")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--logging", type=int, default=10, help="steps between two lines of the log")
    options = parser.parse_args()

    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with suppress(OSError), Path("/proc/loadavg").open() as load:
        print(json.dumps({"load": load.read().split()[:3]}))
    with tempfile.TemporaryDirectory() as home:
        model = options.model or tiny(Path(home) / "tiny")
        warm = argparse.Namespace(**{**vars(options), "steps": 2})
        trainer(model, Path(home) / "warm", warm, lambda: None).train()
        spent = race(model, Path(home), options)
        size = (Path(home) / "run.jsonl").stat().st_size
    shape = {k: getattr(options, k) for k in ("steps", "batch", "length", "logging")}
    print(
        json.dumps({**shape, "cpu": ratio(spent, 1), "wall": ratio(spent, 0), "record_bytes": size}, indent=1)
    )


if __name__ == "__main__":
    main()
