"""A user's own flat training configuration is read as a recipe."""

import pytest

from drills.recipes import CHATS
from sekisho.drills import recipe
from sekisho.errors import DataError

FLAT = {
    "output_dir": "out",
    "report_to": ["none"],
    "logging_steps": 5,
    "save_strategy": "no",
    "bf16": True,
    "learning_rate": 5e-5,
    "num_train_epochs": 3,
    "max_steps": -1,
    "warmup_ratio": 0.03,
    "lr_scheduler_type": "cosine",
    "max_seq_length": 1024,
    "packing": False,
    "completion_only_loss": True,
    "seed": 1,
    "hub_token": None,
}


def test_flat_configuration(read) -> None:
    mine = read(FLAT, "My Run.json")
    assert (mine.id, mine.title["ja"], mine.data, mine.rows, mine.lora) == (
        "my-run",
        "My Run.json",
        "user",
        None,
        None,
    )
    assert mine.ignored == (
        "bf16",
        "completion_only_loss",
        "hub_token",
        "logging_steps",
        "output_dir",
        "report_to",
        "save_strategy",
    )
    assert mine.training == {
        "learning_rate": 5e-5,
        "lr_scheduler_type": "cosine",
        "max_length": 1024,
        "num_train_epochs": 3.0,
        "seed": 1,
        "warmup_ratio": 0.03,
    }
    made = recipe.job(mine, CHATS)
    assert made.checkpoints == (6, 12, 15)
    assert made.settings["warmup_steps"] == 1


def test_flat_toml_and_json_are_alike(read) -> None:
    flat = {"learning_rate": 1e-4, "max_steps": 30, "optim": "adamw_torch"}
    toml = 'learning_rate = 1e-4\nmax_steps = 30\noptim = "adamw_torch"\n'
    assert read(flat, "run.json").digest == read(toml, "run.toml").digest
    assert recipe.job(read(toml, "run.toml"), CHATS).checkpoints == (6, 12, 25, 30)


def test_flat_adapter_as_in_trl(read) -> None:
    flat = {
        "learning_rate": 1e-4,
        "max_steps": 9,
        "use_peft": True,
        "lora_r": 16,
        "lora_target_modules": ["q_proj"],
    }
    assert read(flat, "run.json").lora == {"r": 16, "target_modules": "q_proj"}
    off = read({**flat, "use_peft": False}, "run.json")
    assert off.lora is None
    assert off.ignored == ("lora_r", "lora_target_modules")


def test_warm_up_share_as_in_transformers_5(read) -> None:
    assert (
        read({"learning_rate": 1e-4, "max_steps": 9, "warmup_steps": 0.1}, "a.json").training["warmup_ratio"]
        == 0.1
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"momentum": 0.9}, "unknown momentum"),
        ({"label_smoothing_factor": 0.1}, "unknown label_smoothing_factor"),
        ({"packing": True}, "packing is not carried out by a drill; remove it"),
        ({"load_in_4bit": True}, "load_in_4bit is not carried out"),
        ({"learning_rate": None}, "learning_rate is required"),
        ({"max_steps": None}, "max_steps or num_train_epochs is required"),
        ({"use_peft": True}, "r, the rank of the adapter, is required"),
        ({"optim": "lion_8bit"}, "optim must be one of"),
        ({"lr_scheduler_type": ["cosine"]}, "lr_scheduler_type must be one of"),
    ],
)
def test_broken_flat_configuration(extra: dict, message: str, read) -> None:
    with pytest.raises(DataError, match=message):
        read({"learning_rate": 1e-4, "max_steps": 9, **extra}, "run.json")


def test_a_name_without_letters_still_gives_an_id(read) -> None:
    assert read({"learning_rate": 1e-4, "max_steps": 9}, "設定.json").id == "own"
