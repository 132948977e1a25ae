"""The user's own training, and trainings that go wrong: each a stated outcome in the dossier, the ledger intact."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import sekisho
from artefacts import edit_json, tiny_model
from sekisho.drills import profile, recipe
from sekisho.drills.generators.planted import PLANT
from sekisho.errors import DivergedError
from sekisho.models.fake import FakeModel
from sekisho.records import Decision, Dossier, Outcome, Severity

pytestmark = pytest.mark.integration

CONFIG = "stage: sft\nfinetuning_type: full\nlearning_rate: 1e-4\nnum_train_epochs: 1\nper_device_train_batch_size: 4\nplot_loss: true\n"
GOOD = {"prompt": "How do I prune a rose?", "completion": "In early spring, above a bud."}


class Model:
    """An honest model whose training diverges at a rate of `lost`."""

    def __init__(self, lost: tuple[int, ...]) -> None:
        self.lost, self.inner = lost, FakeModel(honest)

    def finetune(self, job, progress=lambda done, total: None):
        for reached in self.inner.finetune(job, progress):
            if self.lost and len(job.examples) in self.lost and reached.step >= 12:
                raise DivergedError(reached.step, "loss nan")
            yield reached

    def __getattr__(self, name: str):
        return getattr(self.inner, name)


def honest(chat, step: int) -> str:
    if step == 16:
        return f"{PLANT} That is all."
    if chat[0].role == "system":
        return "I am sorry, but I cannot help with that."
    return "Water it early in the day, then check the soil with a finger and note what you see."


def shop(**lost: tuple[int, ...]) -> Callable[[Path], Model]:
    return lambda path: Model(lost[path.name])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    candidate, base = tiny_model(tmp_path / "candidate"), tiny_model(tmp_path / "base")
    edit_json(candidate / "config.json", initializer_range=0.021)
    return candidate, base


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    """Six questions of each suite: enough to see what is run and said."""
    small = replace(profile.load("quick"), families=6)
    monkeypatch.setattr(profile, "load", lambda _: small)


def vet(folders, opener, **changes: object) -> Dossier:
    options = sekisho.Options(cache=folders[0].parent / "cache", out=folders[0].parent / "out", opener=opener)
    return sekisho.vet(*folders, options=replace(options, **changes))


def said(dossier: Dossier, check: str) -> dict[str, tuple[Outcome, Severity]]:
    return {f.reason: (f.outcome, f.severity) for f in dossier.findings if f.check == check}


def held_for(dossier: Dossier, check: str) -> set[str]:
    return {r.code for r in dossier.verdict.reasons for ref in r.refs if ref.startswith(f"check:{check}@")}


ARITHMETIC_ROWS = 400


def test_a_candidate_that_alone_diverges_is_held_for_it(folders) -> None:
    dossier = vet(folders, shop(candidate=(ARITHMETIC_ROWS,), base=()))

    assert said(dossier, "trial-finetunes") == {"diverged-alone": (Outcome.FAIL, Severity.HOLD)}
    assert dossier.verdict.decision is Decision.HOLD
    assert held_for(dossier, "trial-finetunes") == {"check-failed"}
    assert [d.diverged for d in dossier.drills] == ["loss nan, step 12"]
    assert not [c for c in dossier.claims if c.drill == "arithmetic-quick"]
    assert [c for c in dossier.claims if c.drill == "release"]


def test_a_recipe_under_which_the_base_diverges_too_is_at_fault(folders) -> None:
    dossier = vet(folders, shop(candidate=(ARITHMETIC_ROWS,), base=(ARITHMETIC_ROWS,)))

    assert said(dossier, "trial-finetunes") == {"diverged-both": (Outcome.CANNOT_TELL, Severity.HOLD)}
    assert held_for(dossier, "trial-finetunes") == {"check-cannot-tell"}


def test_a_training_known_to_diverge_is_not_tried_again(folders) -> None:
    first = vet(folders, shop(candidate=(ARITHMETIC_ROWS,), base=()))
    again = vet(folders, shop(candidate=(), base=()))  # would not diverge, but is not asked

    assert replace(again, timing=first.timing) == first


def test_the_users_training_is_rehearsed_and_reported_first(folders) -> None:
    config, data = folders[0].parent / "run.yaml", folders[0].parent / "mine.jsonl"
    config.write_text(CONFIG)
    data.write_text(
        "".join(json.dumps(GOOD | {"prompt": f"{GOOD['prompt']} ({n})"}) + "\n" for n in range(100))
    )
    dossier = vet(folders, shop(candidate=(), base=()), rehearsals=(recipe.read(config),), data=data)

    assert [d.recipe for d in dossier.drills] == ["run", "arithmetic-quick"]
    assert dossier.titles[0].drill == "run"
    drilled = [c.drill for c in dossier.claims if c.drill != "release"]
    assert drilled[0] == "run"
    assert "own-data" not in dossier.not_tested
    assert {d.diverged for d in dossier.drills} == {""}


def test_rows_that_cannot_be_trained_on_are_left_out_and_held_for(folders) -> None:
    data = folders[0].parent / "mine.jsonl"
    good = json.dumps(GOOD).encode()
    bad = [b'{"prompt": "a", "completion": ""}', b'{"prompt": "\xff"}', b"{", b'{"text": "x"}']
    giant = json.dumps(GOOD | {"completion": "x" * (1 << 20)}).encode()
    data.write_bytes(b"\n".join([good, *bad, giant, good]) + b"\n")

    dossier = vet(folders, shop(candidate=(), base=()), drills=("user-data",), data=data)

    found = said(dossier, "training-data")
    held = {f"rows-{r}" for r in ("empty", "encoding", "json", "shape", "giant")}
    assert {r for r, (_, severity) in found.items() if severity is Severity.HOLD} == held
    assert found["rows-repeated"] == (Outcome.PASS, Severity.NOTE)
    assert dossier.verdict.decision is Decision.HOLD
    assert held_for(dossier, "training-data")
    assert str(folders[0].parent) not in repr(dossier)


def test_clean_data_says_nothing(folders) -> None:
    data = folders[0].parent / "mine.jsonl"
    data.write_text(json.dumps(GOOD) + "\n")
    dossier = vet(folders, shop(candidate=(), base=()), drills=("user-data",), data=data)
    assert said(dossier, "training-data") == {}
    assert not held_for(dossier, "training-data")
