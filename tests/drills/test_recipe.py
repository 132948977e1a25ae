import json
import math
import re
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest

from sekisho.drills import data, recipe, settings
from sekisho.drills.generators import GENERATORS
from sekisho.drills.recipe import Recipe
from sekisho.errors import DataError
from sekisho.models.base import Chat, Finetune, Message

OURS = ("arithmetic-full", "arithmetic-full-5e-5", "business-ja-lora", "howto-full", "null", "user-data")
SHIPPED = recipe.names()
CHATS: tuple[Chat, ...] = ((Message("user", "Why?"), Message("assistant", "Because.")),) * 40
TOML = """
id = "mine"
title = "Mine"
title_ja = "自前"
why = "Because."
why_ja = "理由。"
data = "arithmetic"
rows = 40
checkpoints = [6, 12]
[training]
learning_rate = 2e-4
max_steps = 12
"""
each_shipped = pytest.mark.parametrize("name", SHIPPED)


@pytest.fixture
def read(tmp_path: Path):
    def write_and_read(content: str | bytes | dict, name: str = "mine.toml") -> Recipe:
        path = tmp_path / name
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return recipe.read(path)

    return write_and_read


# shipped


def test_names() -> None:
    assert set(OURS) <= set(SHIPPED)
    assert list(SHIPPED) == sorted(SHIPPED)


@each_shipped
def test_shipped_recipe_loads(name: str) -> None:
    found = recipe.load(name)
    assert found.id == name
    assert found.seed == 0
    assert found.ignored == ()
    assert all(found.title[language] and found.why[language] for language in ("en", "ja"))
    assert re.search(r"[ぁ-ん]", found.why["ja"])
    assert found.checkpoints[-1] == found.training["max_steps"]
    assert re.fullmatch("[0-9a-f]{64}", found.digest)


@each_shipped
def test_shipped_recipe_makes_a_job(name: str) -> None:
    found = recipe.load(name)
    chats = CHATS if found.data == "user" else recipe.conversations(found)
    assert len(chats) == (found.rows or len(CHATS))
    made = recipe.job(found, chats)
    assert made.examples == chats
    assert made.checkpoints == found.checkpoints
    assert set(found.training) <= set(made.settings)
    assert recipe.job(found, chats) == made


def test_digests_differ_and_only_one_recipe_has_an_adapter() -> None:
    found = [recipe.load(name) for name in OURS]
    assert len({each.digest for each in found}) == len(OURS)
    assert [each.id for each in found if each.lora] == ["business-ja-lora"]


def test_the_identity_drill_learns_nothing() -> None:
    null = recipe.load("null")
    assert null.training["learning_rate"] == 0.0
    assert null.checkpoints == (2,)
    assert null.lora is None


def test_the_panel_crosses_domains() -> None:
    assert {recipe.load(name).data for name in OURS} == {"arithmetic", "business_ja", "howto", "user"}
    assert {recipe.load(name).data for name in SHIPPED} <= {*GENERATORS, "user"}


def test_unknown_recipe() -> None:
    with pytest.raises(DataError, match=r"no recipe '\.\./null'; there are arithmetic-"):
        recipe.load("../null")


@pytest.mark.skipif(
    find_spec("peft") is None or find_spec("transformers") is None, reason="needs transformers, peft"
)
@pytest.mark.slow
def test_the_vocabulary_is_that_of_the_libraries() -> None:
    import peft
    import transformers
    import trl

    arguments = {f.name for f in fields(transformers.TrainingArguments)} | {
        f.name for f in fields(trl.SFTConfig)
    }
    assert set(settings.TRAINING) - arguments <= {
        "warmup_ratio"
    }  # dropped by transformers 5, resolved by job()
    assert set(settings.LORA) <= {f.name for f in fields(peft.LoraConfig)}


# the format


def test_a_recipe_of_ones_own(read) -> None:
    mine = read(TOML)
    assert (mine.id, mine.rows, mine.checkpoints, mine.lora) == ("mine", 40, (6, 12), None)
    assert mine.training == {"learning_rate": 2e-4, "max_steps": 12}
    assert mine.digest == read("\ufeff" + TOML.replace("\n", "\r\n")).digest


CHANGES = {
    "unknown key": (("rows = 40", "rows = 40\nsurprise = 1"), "keys surprise are unknown or missing"),
    "missing key": (('why_ja = "理由。"', ""), "keys why_ja are unknown or missing"),
    "no training": (("[training]", "[lora]"), "unknown"),
    "unknown setting": (
        ("max_steps = 12", "max_steps = 12\nmomentum = 1"),
        r"\[training\]: unknown momentum; known",
    ),
    "empty text": (('title = "Mine"', 'title = " "'), "title must be text"),
    "number as text": (('title = "Mine"', "title = 3"), "title must be text"),
    "bad id": (('id = "mine"', 'id = "../mine"'), "id '../mine' must be"),
    "step mark in id": (('id = "mine"', 'id = "mine@6"'), "id 'mine@6' must be"),
    "unknown data": (('data = "arithmetic"', 'data = "poetry"'), "data 'poetry' is none of arithmetic"),
    "no rows": (("rows = 40", ""), "rows must be a whole number"),
    "zero rows": (("rows = 40", "rows = 0"), "rows must be a whole number from 1"),
    "too many rows": (("rows = 40", "rows = 1000000"), "rows must be a whole number from 1 to 100000"),
    "descending checkpoints": (("[6, 12]", "[12, 6]"), "checkpoints must ascend"),
    "repeated checkpoint": (("[6, 12]", "[6, 6, 12]"), "checkpoints must ascend"),
    "no checkpoints": (("[6, 12]", "[]"), "a list of 1 to 64 steps"),
    "many checkpoints": (("[6, 12]", str(list(range(1, 67)))), "a list of 1 to 64 steps"),
    "checkpoint 0": (("[6, 12]", "[0, 12]"), "checkpoints must be a whole number from 1"),
    "half a step": (("[6, 12]", "[6.5, 12]"), "checkpoints must be a whole number"),
    "checkpoints as text": (("[6, 12]", '"6, 12"'), "a list of 1 to 64 steps"),
    "late checkpoint": (("[6, 12]", "[6, 13]"), "checkpoint 13 lies beyond max_steps 12"),
    "rate as text": (("2e-4", '"2e-4"'), "learning_rate must be a number from 0 to 1, not '2e-4'"),
    "rate of nan": (("2e-4", "nan"), "learning_rate must be a number"),
    "negative rate": (("2e-4", "-0.1"), "learning_rate must be a number"),
    "true as a number": (("max_steps = 12", "max_steps = true"), "max_steps must be a whole number"),
    "no rate": (("learning_rate = 2e-4", ""), "learning_rate is required"),
    "no end": (("max_steps = 12", ""), "max_steps or num_train_epochs is required"),
    "unknown scheduler": (
        ("max_steps = 12", 'max_steps = 12\nlr_scheduler_type = "wild"'),
        "lr_scheduler_type must be one of constant",
    ),
    "unknown optimiser": (
        ("max_steps = 12", 'max_steps = 12\noptim = "lion"'),
        "optim must be one of adamw_torch",
    ),
    "training as text": (("[training]", 'training = "x"\n[lora]'), "training must be a table"),
    "not toml": (("[training]", "[training"), "mine.toml"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_broken_recipe(kind: str, read) -> None:
    (old, new), message = CHANGES[kind]
    assert old in TOML
    with pytest.raises(DataError, match=message):
        read(TOML.replace(old, new))


LORA = {
    "unknown": ("r = 8\nbias = 'all'", "unknown bias"),
    "no rank": ("lora_alpha = 8", "r, the rank of the adapter, is required"),
    "rank 0": ("r = 0", "r must be a whole number from 1"),
    "no names": ("r = 8\ntarget_modules = []", "target_modules must be a name or a list of names"),
    "numbers as names": ("r = 8\ntarget_modules = [1]", "target_modules must be a name or a list of names"),
    "flag as number": ("r = 8\nuse_rslora = 1", "use_rslora must be true or false"),
}


@pytest.mark.parametrize("kind", LORA)
def test_broken_adapter(kind: str, read) -> None:
    table, message = LORA[kind]
    with pytest.raises(DataError, match=message):
        read(f"{TOML}[lora]\n{table}\n")


def test_file_level_errors(read, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        recipe.read(tmp_path / "none.toml")
    with pytest.raises(DataError, match="over the limit"):
        read("#" * (recipe.DEFAULT.config_bytes + 1))
    with pytest.raises(DataError, match="utf-8"):
        read(b"\xff\xfe")
    with pytest.raises(DataError, match="must hold named settings, not list"):
        read("[1]", "mine.json")
    with pytest.raises(DataError, match=r"mine\.json"):
        read("[" * 100_000, "mine.json")


# digest


def test_digest_follows_what_is_done_not_how_it_is_called(read) -> None:
    mine = read(TOML)
    assert read(TOML.replace('title = "Mine"', 'title = "Other"')).digest == mine.digest
    assert read(TOML.replace("2e-4", "0.0002")).digest == mine.digest
    changes = (("2e-4", "2e-5"), ("rows = 40", "rows = 41"), ("[6, 12]", "[12]"), ('"arithmetic"', '"howto"'))
    digests = {read(TOML.replace(old, new)).digest for old, new in changes}
    assert len(digests | {mine.digest, read(TOML + "[lora]\nr = 8\n").digest}) == 6


def test_digest_takes_in_the_data(read) -> None:
    mine = read(TOML)
    resolved = mine.resolved(CHATS)
    assert resolved.data_digest == data.digest(CHATS)
    assert len({mine.digest, resolved.digest, mine.resolved(CHATS[:1]).digest}) == 3
    assert resolved.digest == mine.resolved(CHATS).digest


# the job


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
    assert recipe.conversations(read(TOML + "seed = 7\n")) == data.examples("arithmetic", 40, 7)
    own = recipe.load("user-data")
    with pytest.raises(DataError, match="no file was given"):
        recipe.conversations(own)
    path = tmp_path / "own.jsonl"
    path.write_text('{"prompt": "Why?", "completion": "Because."}\n' * 3)
    assert recipe.conversations(own, path) == CHATS[:3]


# a flat configuration of the user's

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
        ({"optim": "paged_adamw_8bit"}, "optim must be one of"),
        ({"lr_scheduler_type": ["cosine"]}, "lr_scheduler_type must be one of"),
    ],
)
def test_broken_flat_configuration(extra: dict, message: str, read) -> None:
    with pytest.raises(DataError, match=message):
        read({"learning_rate": 1e-4, "max_steps": 9, **extra}, "run.json")


def test_a_name_without_letters_still_gives_an_id(read) -> None:
    assert read({"learning_rate": 1e-4, "max_steps": 9}, "設定.json").id == "own"
