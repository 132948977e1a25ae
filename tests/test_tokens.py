"""A sweep by itself: what it could not look at holds, and no file of the model ends it."""

from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho.errors import DataError
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.probes.sweep.settings import Settings
from sekisho.records import Decision, Outcome
from sekisho.tokens import Options, Swept, sweep


def plain(chat: Chat, step: int) -> str:
    return f"About {chat[-1].content}"


def swept(model: Path, **changes) -> Swept:
    cache = model.parent / "cache"
    return sweep(
        model,
        options=Options(Settings(references=4), cache=cache, opener=lambda path: FakeModel(plain), **changes),
    )


@pytest.mark.integration
def test_a_clean_model_is_let_through(tmp_path: Path) -> None:
    assert swept(tiny_model(tmp_path / "m")).decision is Decision.ADMIT


@pytest.mark.integration
def test_a_model_without_a_readable_tokenizer_is_held(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / "tokenizer.json").write_text("{")
    found = swept(model)
    assert found.decision is Decision.HOLD
    assert "sweep-not-listed" in [f.reason for f in found.findings]


@pytest.mark.integration
def test_a_broken_declaration_in_the_models_folder_holds_and_the_sweep_goes_on(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    (model / "sekisho-tokens.toml").write_text("[[")
    found = swept(model)
    assert found.decision is Decision.HOLD
    assert [f.reason for f in found.findings if f.outcome is not Outcome.PASS] == ["declaration-not-read"]
    assert found.result is not None


@pytest.mark.integration
def test_a_broken_declaration_of_the_users_own_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there\.toml: not read"):
        swept(tiny_model(tmp_path / "m"), declared=tmp_path / "not there.toml")


@pytest.mark.parametrize(
    "wrong", [{"references": 0}, {"references": -5}, {"tokens": 0}, {"tier": 4}, {"tier": True}]
)
def test_settings_that_try_nothing_or_have_no_yardstick_are_refused(wrong) -> None:
    with pytest.raises(DataError, match="whole numbers"):
        Settings(**wrong)
