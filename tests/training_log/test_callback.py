"""The callback in transformers' own Trainer, on a model of 13,000 numbers: what it records, and that it changes nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sekisho
from artefacts import tiny_model
from sekisho.errors import UsageError
from sekisho.training_log import reading, repeating, verifying
from sekisho.training_log.verifying import Against

pytest.importorskip("torch")
pytestmark = pytest.mark.model

ROWS = [{"input_ids": [n % 250, 5, 7, 9], "labels": [n % 250, 5, 7, 9]} for n in range(16)]
TESTS = str(Path(__file__).parents[1])
SOURCE = str(Path(sekisho.__file__).parents[1])
Train = Callable[..., Any]


@pytest.fixture
def train(tmp_path) -> Train:
    """Train a little; returns the trainer."""
    import torch
    import transformers

    model = tmp_path / "base"
    tiny_model(model)

    def make(*callbacks: Any, out: str = "out", rows: Any = ROWS, **settings: Any) -> Any:
        transformers.logging.set_verbosity_error()
        torch.manual_seed(0)
        chosen = {
            "max_steps": 4,
            "logging_steps": 1,
            "save_steps": 2,
            "learning_rate": 1e-3,
            "seed": 1,
        } | settings
        trainer = transformers.Trainer(
            model=transformers.AutoModelForCausalLM.from_pretrained(model),
            args=transformers.TrainingArguments(
                str(tmp_path / out),
                use_cpu=True,
                report_to=[],
                disable_tqdm=True,
                per_device_train_batch_size=2,
                **chosen,
            ),
            train_dataset=rows,
            data_collator=transformers.default_data_collator,
            callbacks=list(callbacks),
        )
        trainer.train()
        return trainer

    return make


def weights(trainer: Any) -> dict[str, Any]:
    return {n: p.detach().clone() for n, p in trainer.model.named_parameters()}


def test_everything_is_recorded(train, tmp_path):
    from sekisho.training_log import SekishoCallback

    callback = SekishoCallback(data=ROWS, owner="K. Sato", classification="internal")
    trainer = train(callback)
    trainer.save_model(str(tmp_path / "out"))
    callback.close()
    record = reading.read(tmp_path / "out.record.jsonl")

    assert (record.broken, record.finished) == ((), True)
    assert [s for s, _ in record.losses()] == [1, 2, 3, 4]
    assert [b["step"] for b in record.each("save")] == [2, 4]
    assert set(record.last("save")["not_opened"]) >= {"optimizer.pt", "scheduler.pt", "training_args.bin"}
    assert "model.safetensors" in record.outputs
    assert record.rows("given") == record.rows("trained")
    assert record.settings["training.learning_rate"] == 1e-3
    assert record.settings["optimiser.class"].endswith(".AdamW")
    assert record.settings["optimiser.groups"][0]["betas"] == [0.9, 0.999]
    assert record.settings["scheduler.class"].endswith("LambdaLR")
    assert record.first("seeds")["torch_seed"] == 1
    assert record.first("open")["method"] == "transformers.Trainer"
    assert record.first("packages")["versions"]["torch"]
    assert record.first("machine")["threads"] >= 1
    assert (
        verifying.verify(record, Against(tmp_path / "base", None, tmp_path / "out"))[0].code
        == "data-unchecked"
    )
    assert (
        verifying.verify(record, Against(tmp_path / "base", None, tmp_path / "out" / "checkpoint-2"))[0].grave
        is False
    )


def test_recording_changes_nothing_about_the_training(train, tmp_path):
    import torch

    from sekisho.training_log import SekishoCallback

    class Drawing:
        """A dataset that draws: reading it must not move the generators."""

        def __len__(self) -> int:
            return len(ROWS)

        def __getitem__(self, at: int) -> dict[str, Any]:
            return ROWS[(at + int(torch.randint(0, 3, (1,)))) % len(ROWS)]

    plain = weights(train(rows=Drawing(), out="a"))
    callback = SekishoCallback(tmp_path / "r.jsonl")
    recorded = weights(train(callback, rows=Drawing(), out="b"))
    callback.close()

    assert all(torch.equal(plain[n], recorded[n]) for n in plain)


def test_the_same_training_is_reproduced_and_another_seed_is_named(train, tmp_path):
    from sekisho.training_log import SekishoCallback

    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        callback = SekishoCallback(tmp_path / f"{name}.jsonl")
        train(callback, out=name, seed=seed)
        callback.close()
    first, second, third = (reading.read(tmp_path / f"{n}.jsonl") for n in "abc")

    same, other = repeating.compare(first, second), repeating.compare(first, third)
    assert (same.outcome, same.by, same.differing) == ("reproduced", "weights", ())
    assert other.outcome != "reproduced"
    assert ("setting", "training.seed", "1", "2") in [(d.kind, d.name, d.old, d.new) for d in other.differing]
    assert ("seed", "torch_seed") in [(d.kind, d.name) for d in other.differing]


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft calls it
def test_an_adapter_is_recorded_with_its_base(train, tmp_path):
    peft = pytest.importorskip("peft")
    import transformers

    from sekisho.training_log import SekishoCallback

    tiny_model(tmp_path / "own")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "own")
    model = peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    callback = SekishoCallback(tmp_path / "r.jsonl")
    args = transformers.TrainingArguments(
        str(tmp_path / "o"), max_steps=1, use_cpu=True, report_to=[], disable_tqdm=True
    )
    trainer = transformers.Trainer(
        model, args, train_dataset=ROWS, data_collator=transformers.default_data_collator
    )
    trainer.add_callback(callback)
    trainer.train()
    callback.close()
    record = reading.read(tmp_path / "r.jsonl")

    assert record.settings["adapter.r"] == 4
    assert record.first("base")["files"]
    assert record.last("weights")["tensors"] == 4  # two matrices for each of two layers


def test_a_stream_stays_unknown_with_its_reason(train, tmp_path):
    import torch

    from sekisho.training_log import SekishoCallback

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            yield from ROWS

    callback = SekishoCallback(tmp_path / "r.jsonl")
    train(callback, rows=Stream())
    callback.close()
    record = reading.read(tmp_path / "r.jsonl")

    assert record.finished
    assert "only once" in record.data("trained")["unknown"]
    assert "data=" in record.data("given")["unknown"]


def test_a_named_record_that_lies_there_stops_the_training_at_once(train, tmp_path):
    from sekisho.training_log import SekishoCallback

    (tmp_path / "r.jsonl").write_text("kept")
    with pytest.raises(UsageError, match="lies there already"):
        train(SekishoCallback(tmp_path / "r.jsonl"))
    assert (tmp_path / "r.jsonl").read_text() == "kept"


def test_a_second_training_gets_a_record_of_its_own(train, tmp_path):
    from sekisho.training_log import SekishoCallback

    callback = SekishoCallback()
    trainer = train(callback)
    trainer.train()
    callback.close()

    assert reading.read(tmp_path / "out.record.jsonl").finished
    assert reading.read(tmp_path / "out-2.record.jsonl").finished


SCRIPT = """
import sys; sys.path[:0] = [{source!r}, {tests!r}]
from pathlib import Path
import transformers
from artefacts import tiny_model
tiny_model(Path("base"))
rows = [{{"input_ids": [n, 5, 7], "labels": [n, 5, 7]}} for n in range(16)]
args = transformers.TrainingArguments("out", max_steps={steps}, logging_steps=1, save_steps=10, use_cpu=True, report_to=[])
class Told(transformers.TrainerCallback):
    def on_log(self, args, state, control, **_):
        print(state.global_step, flush=True)
model = transformers.AutoModelForCausalLM.from_pretrained("base")
trainer = transformers.Trainer(model, args, train_dataset=rows, data_collator=transformers.default_data_collator)
{callback}
trainer.add_callback(Told())
trainer.train()
trainer.save_model("out")
"""
ADDED = "from sekisho.training_log import SekishoCallback; trainer.add_callback(SekishoCallback())"


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_killed_while_training_everything_accepted_is_there(tmp_path):
    code = SCRIPT.format(source=SOURCE, tests=TESTS, steps=100_000, callback=ADDED)
    script = tmp_path / "train.py"
    script.write_text(code)
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as child:
        told = next(int(x) for x in child.stdout if x.strip().isdigit() and int(x) >= 25)
        child.send_signal(signal.SIGKILL)
    record = reading.read(tmp_path / "out.record.jsonl")

    assert record.broken == ()
    assert [s for s, _ in record.losses()][:told] == list(range(1, told + 1))
    assert [b["step"] for b in record.each("save")][:2] == [10, 20]
    found = verifying.verify(record, Against(tmp_path / "base", None, tmp_path / "out" / "checkpoint-10"))
    assert [t.code for t in found if t.grave] == []
    assert "no-end" in [t.code for t in found]


@pytest.mark.slow
def test_a_script_that_knows_nothing_of_it_is_recorded_and_rerun(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT.format(source=SOURCE, tests=TESTS, steps=3, callback=""))
    env = {**os.environ, "PYTHONPATH": SOURCE}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "sekisho.cli", *words]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    made = run("record", "--", sys.executable, "train.py")
    assert made.returncode == 0, made.stderr
    assert (
        run("training", "verify", "training.record.jsonl", "--base", "base", "--model", "out").returncode == 3
    )
    again = run("rerun", "training.record.jsonl")
    assert (again.returncode, "bit for bit" in again.stdout) == (0, True), again.stdout + again.stderr
