"""Tokens per second of greedy answers: Sekisho, lm-eval's hf backend and plain transformers, in one run.

    python benchmarks/probe_throughput.py MODEL_FOLDER PROMPTS.jsonl [--prompts 200] [--new-tokens 32] [--batch 8] [--rounds 2]

PROMPTS.jsonl has one question a line, under `instruction` or `prompt`. Needs `pip install lm-eval==0.4.13`. All three
get the same token ids, float32 weights and one thread; each is timed after its model is loaded. Sekisho chooses its
own batches; the other two get `--batch`, lm-eval sorted by length as it does itself. Every other round runs in the
opposite order; the best time of each counts.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from sekisho.models.base import Message, Sampling
from sekisho.models.engine import Engine

Answers = list[str]


def main() -> None:
    options = _arguments()
    engine = Engine(options.model)
    questions = _questions(options.prompts_file, options.prompts)
    texts = [_rendered(engine, q) for q in questions]
    runners: dict[str, Callable[[], Answers]] = {
        "transformers": lambda: _transformers(engine, texts, options),
        "lm-eval hf": _lm_eval(engine, texts, options),
        "sekisho": lambda: _sekisho(engine, questions, options),
    }
    times: dict[str, float] = {}
    answers: dict[str, Answers] = {}
    turns = [name for n in range(options.rounds) for name in (reversed(runners) if n % 2 else runners)]
    for name in turns:
        start = time.perf_counter()
        answers[name] = runners[name]()
        spent = time.perf_counter() - start
        times[name] = min(spent, times.get(name, spent))
        print(f"  {name}: {spent:.1f} s", flush=True)
    _table(engine, times, answers)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path)
    parser.add_argument("prompts_file", type=Path)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def _questions(path: Path, count: int) -> list[str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [str(row.get("instruction") or row["prompt"]) for row in rows][:count]


def _rendered(engine: Engine, question: str) -> str:
    turns = [{"role": "user", "content": question}]
    return str(engine.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))


def _sekisho(engine: Engine, questions: Sequence[str], options: argparse.Namespace) -> Answers:
    chats = [(Message("user", q),) for q in questions]
    return engine.generate(chats, Sampling(max_new_tokens=options.new_tokens))


def _transformers(engine: Engine, texts: Sequence[str], options: argparse.Namespace) -> Answers:
    """`generate` on left-padded batches in the order given, as its documentation shows."""
    tokenizer, out = engine.tokenizer, []
    tokenizer.padding_side = "left"
    for start in range(0, len(texts), options.batch):
        batch = tokenizer(
            list(texts[start : start + options.batch]),
            return_tensors="pt",
            padding=True,
            add_special_tokens=False,
        )
        ids = engine.model.generate(**batch, max_new_tokens=options.new_tokens, do_sample=False)
        out += tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in out]


def _lm_eval(engine: Engine, texts: Sequence[str], options: argparse.Namespace) -> Callable[[], Answers]:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=engine.model, tokenizer=engine.tokenizer, batch_size=options.batch, device="cpu")
    settings = {"until": ["<|im_end|>"], "max_gen_toks": options.new_tokens, "do_sample": False}
    requests = [
        Instance("generate_until", {}, (text, dict(settings)), n, metadata=("bench", n, 1))
        for n, text in enumerate(texts)
    ]
    return lambda: [text.strip() for text in model.generate_until(requests, disable_tqdm=True)]


def _table(engine: Engine, times: dict[str, float], answers: dict[str, Answers]) -> None:
    mine = answers["sekisho"]
    print(f"\n{'':14} {'seconds':>8} {'tokens/s':>9} {'equal to ours':>14}")
    for name, spent in times.items():
        count = sum(len(engine.tokenizer(a, add_special_tokens=False)["input_ids"]) for a in answers[name])
        same = sum(a == b for a, b in zip(answers[name], mine, strict=True))
        print(f"{name:14} {spent:8.1f} {count / spent:9.1f} {same:>8} of {len(mine)}")
    print(f"\nsekisho against lm-eval: {times['lm-eval hf'] / times['sekisho']:.2f}x in wall time")


if __name__ == "__main__":
    main()
