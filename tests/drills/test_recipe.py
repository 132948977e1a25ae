"""Recipes that ship, the format of one's own, and the digest."""

import re
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest

from drills.recipes import CHATS, TOML
from sekisho.drills import data, recipe, settings
from sekisho.drills.generators import GENERATORS
from sekisho.errors import DataError
from sekisho.limits import DEFAULT

OURS = ("arithmetic-full", "arithmetic-full-5e-5", "business-ja-lora", "howto-full", "null", "user-data")
SHIPPED = recipe.names()
each_shipped = pytest.mark.parametrize("name", SHIPPED)


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
    chats = CHATS if found.data == "user" else recipe.survey(found).chats
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
        read("#" * (DEFAULT.config_bytes + 1))
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
