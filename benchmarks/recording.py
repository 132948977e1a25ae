"""What recording costs: CPU time of the same training with and without the recorder, in turn, in one process.

    OMP_NUM_THREADS=1 python benchmarks/recording.py                        # a tiny model of random weights, 200 steps
    OMP_NUM_THREADS=1 python benchmarks/recording.py --model DIR --steps 5    # a real one; fixed and per-step parts apart

The target is a ratio of 1.01 over 200 steps. CPU time of this process and its children (git) is counted, since a busy
machine's wall time says little; the fixed part (hashing base, rows and result, packages, code) is measured apart from the
steps, so that a run of few steps tells what 200 would cost. Loading the model is left out of both.
"""

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

ROWS = 64


def cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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


def train(
    model: Path, folder: Path, options: argparse.Namespace, callbacks: list[Any]
) -> tuple[float, dict[str, float]]:
    """CPU seconds of one training and of saving its result; and of each call of the callbacks."""
    import torch
    from transformers import (
        AutoModelForCausalLM,
        PrinterCallback,
        Trainer,
        TrainingArguments,
        default_data_collator,
    )

    torch.manual_seed(0)
    ids = torch.randint(0, 2000, (ROWS, options.length)).tolist()
    trainer = Trainer(
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
        data_collator=default_data_collator,
    )
    trainer.remove_callback(PrinterCallback)
    spent: dict[str, float] = {}
    for callback in callbacks:
        _timed(callback, spent)
        trainer.add_callback(callback)
    begun = cpu()
    trainer.train()
    trainer.save_model(str(folder))
    for callback in callbacks:
        callback.close()
    return cpu() - begun, spent


def _timed(callback: Any, spent: dict[str, float]) -> None:
    for name in ("on_train_begin", "on_log", "on_train_end", "close"):
        original = getattr(callback, name)

        def call(*given: Any, _name: str = name, _original: Any = original, **named: Any) -> Any:
            begun = cpu()
            try:
                return _original(*given, **named)
            finally:
                spent[_name] = spent.get(_name, 0.0) + cpu() - begun

        setattr(callback, name, call)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of a real model")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--logging", type=int, default=10, help="steps between two lines of the log")
    options = parser.parse_args()

    import torch
    import transformers

    from sekisho.training_log import SekishoCallback

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as home:
        model = options.model or tiny(Path(home) / "tiny")
        train(model, Path(home) / "warm", argparse.Namespace(**{**vars(options), "steps": 2}), [])
        plain, recorded, parts = [], [], []
        for n in range(options.rounds):
            plain.append(train(model, Path(home) / f"plain{n}", options, [])[0])
            callback = SekishoCallback(Path(home) / f"{n}.jsonl")
            seconds, spent = train(model, Path(home) / f"recorded{n}", options, [callback])
            recorded.append(seconds)
            parts.append(spent)
        size = (Path(home) / "0.jsonl").stat().st_size
    mine = {name: round(statistics.median(p.get(name, 0.0) for p in parts), 4) for name in parts[0]}
    fixed = sum(v for k, v in mine.items() if k != "on_log")
    step, log = statistics.median(plain) / options.steps, mine.get("on_log", 0.0) / options.steps
    print(
        json.dumps(
            {
                "steps": options.steps,
                "plain_cpu_s": [round(v, 3) for v in plain],
                "recorded_cpu_s": [round(v, 3) for v in recorded],
                "ratio_of_medians": round(statistics.median(recorded) / statistics.median(plain), 4),
                "recorder_cpu_s": mine,
                "ratio_by_parts": round(1 + (fixed + log * options.steps) / (step * options.steps), 4),
                "ratio_by_parts_at_200_steps": round(1 + (fixed + log * 200) / (step * 200), 4),
                "record_bytes": size,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
