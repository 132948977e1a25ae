"""The ablation as a stage of a vet: in the dossier, in the findings, in the checklist."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sekisho
from artefacts import tiny_adapter, tiny_model
from sekisho.checklist.filling.tests import ablation
from sekisho.checklist.sources import Sources
from sekisho.drills import profile
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.records import Dossier

pytestmark = pytest.mark.integration


def honest(chat: Chat, step: int) -> str:
    return (
        "I am sorry, but I cannot help with that."
        if chat[0].role == "system"
        else "Water it early in the day."
    )


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    load = profile.load
    monkeypatch.setattr(profile, "load", lambda name: replace(load(name), families=4))


def probed(candidate: Path, base: Path) -> Dossier:
    options = sekisho.Options(
        cache=candidate.parent / "cache", out=candidate.parent / "out", opener=lambda path: FakeModel(honest)
    )
    return sekisho.probe(candidate, base, options=options)


def answered(dossier: Dossier) -> str:
    return ablation(Sources("0" * 64, datetime.now(UTC), dossier)).answer.value


def test_an_adapter_beside_the_weights_is_taken_off_in_every_vet(tmp_path: Path) -> None:
    candidate, base = tiny_model(tmp_path / "candidate"), tiny_model(tmp_path / "base")
    tiny_adapter(candidate / "style")
    dossier = probed(candidate, base)
    assert dossier.ablation is not None
    assert [(p.kind, p.where, p.problem) for p in dossier.ablation.parts] == [
        ("adapter", "style/adapter_config.json", "")
    ]
    assert [f.reason for f in dossier.findings if f.check == "ablation"] == ["part-inert"]
    assert "ablation" in [name for name, _ in dossier.timing.stages]
    kept = dossiers.read(tmp_path / "out").ablation
    assert kept is not None
    assert codec.plain(kept) == codec.plain(dossier.ablation)
    assert answered(dossier) == "yes"


def test_a_model_alone_has_nothing_to_be_taken_off(tmp_path: Path) -> None:
    dossier = probed(tiny_model(tmp_path / "candidate"), tiny_model(tmp_path / "base"))
    assert dossier.ablation is not None
    assert dossier.ablation.parts == ()
    assert answered(dossier) == "yes"


@pytest.mark.parametrize(
    "raw", ["[ablation]\nseconds = -1", "[ablation]\nseconds = 1\nmore = 2", "ablation = true"]
)
def test_a_profile_that_bounds_it_by_anything_else_is_refused(raw: str) -> None:
    text = 'id = "x"\nlanguages = ["en"]\nfamilies = 1\nseed = 0\ndrills = []\n'
    text += f"{raw}\n[suites]\n" if not raw.startswith("[") else f"[suites]\n{raw}\n"
    with pytest.raises(sekisho.errors.DataError, match="seconds"):
        profile.parse(text, "x")
