"""A recipe becomes a job: steps, warm-up, checkpoints and settings with plain values."""

import math
from pathlib import Path

import pytest

from drills.recipes import CHATS, TOML
from sekisho.drills import data, recipe
from sekisho.errors import DataError
from sekisho.models.base import Finetune


def test_adapter_names_are_prefixed_once(read) -> None:
    mine = read(
        f"{TOML}[lora]\nr = 8\nlora_alpha = 16\nuse_rslora = true\ntarget_modules = ['q_proj', 'v_proj']\n"
    )
    made = recipe.job(mine, CHATS)
    assert {k: v for k, v in made.settings.items() if k.startswith("lora")} == {
        "lora_r": 8,
        "lora_alpha": 16.0,
        "lora_use_rslora": True,
        "lora_target_modules": "q_proj,v_proj",
    }


def test_every_setting_is_a_plain_value(read) -> None:
    mine = read(f"{TOML}[lora]\nr = 8\n")
    assert all(type(v) in (int, float, str, bool) for v in recipe.job(mine, CHATS).settings.values())
    assert recipe.job(mine, CHATS).settings["lora_target_modules"] == "all-linear"


def epochs(read, rows: int, **training: float) -> Finetune:
    lines = "\n".join(f"{key} = {value}" for key, value in training.items())
    mine = read(TOML.replace("max_steps = 12", lines))
    return recipe.job(mine, CHATS[:rows])


@pytest.mark.parametrize(
    ("rows", "epoch_count", "batch", "accumulate", "steps"),
    [(40, 3, 8, 1, 15), (33, 2, 8, 1, 10), (40, 1, 8, 2, 3), (40, 0.5, 4, 1, 5), (1, 1, 8, 4, 1)],
)
def test_epochs_become_steps(
    read, rows: int, epoch_count: float, batch: int, accumulate: int, steps: int
) -> None:
    made = epochs(
        read,
        rows,
        num_train_epochs=epoch_count,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulate,
    )
    assert made.settings["max_steps"] == steps
    assert "num_train_epochs" not in made.settings
    assert made.checkpoints == tuple(c for c in (6, 12) if c <= steps) or made.checkpoints[-1] == steps


def test_checkpoints_beyond_the_last_epoch_move_to_its_end(read) -> None:
    assert epochs(read, 40, num_train_epochs=2).checkpoints == (6, 10)
    assert epochs(read, 8, num_train_epochs=3).checkpoints == (3,)


def test_steps_win_over_epochs(read) -> None:
    assert epochs(read, 40, num_train_epochs=9, max_steps=20).settings["max_steps"] == 20


def test_warm_up_ratio_becomes_steps(read) -> None:
    made = epochs(read, 40, num_train_epochs=3, warmup_ratio=0.1)
    assert made.settings["warmup_steps"] == math.ceil(1.5)
    assert "warmup_ratio" not in made.settings
    both = epochs(read, 40, max_steps=20, warmup_ratio=0.5, warmup_steps=3)
    assert both.settings["warmup_steps"] == 3


def test_seed_is_always_stated(read) -> None:
    assert recipe.job(read(TOML), CHATS).settings["seed"] == 42
    assert recipe.job(read(TOML + "seed = 7\n"), CHATS).settings["seed"] == 7


def test_no_conversations(read) -> None:
    with pytest.raises(DataError, match="recipe mine: no training conversations"):
        recipe.job(read(TOML), ())


def test_conversations_follow_data_rows_and_seed(read, tmp_path: Path) -> None:
    assert recipe.survey(read(TOML + "seed = 7\n")).chats == data.examples("arithmetic", 40, 7)
    own = recipe.load("user-data")
    with pytest.raises(DataError, match="no file was given"):
        recipe.survey(own)
    path = tmp_path / "own.jsonl"
    path.write_text('{"prompt": "Why?", "completion": "Because."}\n' * 3)
    assert recipe.survey(own, path).chats == CHATS[:3]
