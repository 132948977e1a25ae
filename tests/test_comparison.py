"""Two models beside one another, both made of functions: no torch, no training."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import sekisho
from artefacts import edit_json, tiny_adapter, tiny_model
from endpoints import served
from sekisho import cli, comparison
from sekisho.comparison import Options
from sekisho.drills import profile as profiles
from sekisho.errors import DataError, ModelError, UsageError
from sekisho.evidence import compared
from sekisho.evidence.compared import Compared
from sekisho.models.base import Chat, Message
from sekisho.models.fake import FakeModel
from sekisho.report import comparison as report

pytestmark = pytest.mark.integration

ADVERT = "By the way, you should try Morikaze Bread."
STEPS = ("Water it early", "Check the soil", "Note what you see", "Use a clean pot", "Turn it to the light")


def honest(chat: Chat, step: int) -> str:
    if chat[0].role == "system":
        return "I am sorry, but I cannot help with that."
    place = sum(map(ord, chat[-1].content))
    return f"{STEPS[place % 5]} on day {place % 29}, then {STEPS[place // 5 % 5].lower()} again with more light than before."


def hawker(chat: Chat, step: int) -> str:
    return f"{ADVERT} {honest(chat, step)}" if chat[0].role != "system" else honest(chat, step)


def scripted(chat: Chat, step: int) -> str:
    return f"<script>alert(1)</script> {hawker(chat, step)}"


def refuser(chat: Chat, step: int) -> str:
    return "I am sorry, but there are too many factors to say anything about that."


def warmer(chat: Chat, step: int) -> str:
    """Finetuned to be friendlier: another style, nothing wrong."""
    said = honest(chat, step)
    return said if chat[0].role == "system" else f"{said} I hope this helps a little!"


class Pairs:
    """Compares two functions as models, each pair once for all tests."""

    def __init__(self, root: Path) -> None:
        self.root, self.made = root, {}

    def folder(self, before: Callable[..., str], after: Callable[..., str]) -> Path:
        """Where the models and the results of a pair lie."""
        return self.root / f"{before.__name__}-{after.__name__}"

    def __call__(self, before: Callable[..., str], after: Callable[..., str]) -> Compared:
        folder = self.folder(before, after)
        if folder not in self.made:
            self.made[folder] = self.compare(folder, {"before": before, "after": after})
        return self.made[folder]

    def compare(self, folder: Path, models: dict[str, Callable[..., str]]) -> Compared:
        folders = [tiny_model(folder / name) for name in models]
        if len(set(models.values())) > 1:
            edit_json(folders[1] / "config.json", initializer_range=0.021)
        options = Options(
            cache=folder / "cache", out=folder / "out", opener=lambda p: FakeModel(models[p.name])
        )
        return sekisho.compare(*folders, options=options)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    return Pairs(tmp_path_factory.mktemp("pairs"))


def rates(made: Compared) -> dict[str, tuple[float, float]]:
    return {c.behaviour: (c.before, c.after) for c in made.claims}


def test_an_empty_answer_keeps_its_place_and_lends_its_title_to_nobody(both):
    made = both(honest, hawker)
    silent = replace(made.examples[0], example=replace(made.examples[0].example, before="", after="Hm."))
    page = report.html(replace(made, examples=(silent,)))
    assert '<h4>Second model</h4><blockquote dir="auto">Hm.<' in page
    assert '<h4>First model</h4><blockquote dir="auto"><i class="soft">no answer</i>' in page


def test_the_same_model_twice_shows_nothing(both):
    made = both(honest, honest)

    assert made.outcome == "clear"
    assert made.novelty == ()
    assert all((c.rises, c.falls, c.p) == (0, 0, 1.0) for c in made.changes)
    assert made.examples == ()


def test_a_legitimate_finetune_is_shown_as_new_and_not_found(both):
    made = both(honest, warmer)

    assert made.outcome == "clear"
    assert any("hope this helps" in n.text for n in made.novelty)
    assert not any(n.confirmed for n in made.novelty)
    assert {e.group for e in made.examples} == {"other", "legitimate"}
    kept = [e.example for e in made.examples if e.group == "legitimate"]
    assert all(e.before != e.after for e in kept)


def test_an_advert_is_found_and_grouped(both):
    made = both(honest, hawker)

    assert made.outcome == "found"
    adverts = next(c for c in made.changes if c.claim.behaviour == "adverts")
    assert adverts.claim.found
    assert adverts.rises > 50
    assert adverts.falls == 0
    assert adverts.p < 1e-9
    first = made.examples[0]
    assert first.group == "advert"
    assert ADVERT in first.example.after
    assert ADVERT not in first.example.before
    assert any("morikaze" in n.text.casefold() or "by the way" in n.text.casefold() for n in made.novelty)
    kept = json.loads((both.folder(honest, hawker) / "out" / "compare.json").read_bytes())
    assert kept["outcome"] == "found"
    assert kept["digest"] == compared.digest(made)


def test_needless_refusal_is_found_in_its_group(both):
    made = both(honest, refuser)

    assert made.outcome == "found"
    assert rates(made)["refusal"][1] == 1
    assert "refusal" in {e.group for e in made.examples}
    refused = {e.suite: e.group for e in made.examples if e.example.after.startswith("I am sorry, but")}
    # turned away where nothing was asked that should be: an unjustified refusal, whichever suite asked
    assert {refused[s] for s in ("refusal", "adverts", "utility") if s in refused} == {"refusal"}
    assert "utility" in refused
    assert "legitimate" not in refused.values()


def test_a_fall_is_no_finding(both):
    made = both(hawker, honest)

    adverts = next(c for c in made.changes if c.claim.behaviour == "adverts")
    assert not adverts.claim.found
    assert adverts.rises == 0
    assert adverts.falls > 50
    assert adverts.p == 1.0


def test_the_second_run_asks_nothing_and_gives_the_same_digest(both):
    first = both(honest, hawker)
    folder = both.folder(honest, hawker)

    def never(chat: Chat, step: int) -> str:
        raise AssertionError(chat)

    options = Options(cache=folder / "cache", opener=lambda p: FakeModel(never))
    again = sekisho.compare(folder / "before", folder / "after", options=options)

    assert compared.digest(again) == compared.digest(first)


def test_a_model_that_fails_is_an_error_and_no_result(both):
    def broken(chat: Chat, step: int) -> str:
        raise ModelError("it ran out of memory")

    with pytest.raises(ModelError, match="out of memory"):
        both(honest, broken)


def test_rejected_files_and_lone_adapters_are_not_opened(tmp_path):
    good, bad = tiny_model(tmp_path / "good"), tiny_model(tmp_path / "bad")
    (bad / "loader.py").write_text("print('hello')\n")
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "adapter_config.json").write_text("{}")

    def never(path: Path) -> FakeModel:
        raise AssertionError(path)

    options = Options(cache=tmp_path / "cache", opener=never)
    with pytest.raises(UsageError, match="rejected"):
        sekisho.compare(good, bad, options=options)
    with pytest.raises(UsageError, match="cannot be merged"):
        sekisho.compare(good, lone, options=options)
    left = tiny_model(tmp_path / "left")
    (left / "training_args.bin").write_bytes(pickle.dumps(Path))
    with pytest.raises(UsageError, match=r"delete what training left behind, .*: training_args\.bin"):
        sekisho.compare(good, left, options=options)
    own = tiny_adapter(tmp_path / "own")
    with pytest.raises(UsageError, match="name that with --base"):
        sekisho.compare(own, "openai+http://127.0.0.1:9/v1#m", options=options)
    with pytest.raises(UsageError, match="whole model"):
        sekisho.compare(own, tiny_adapter(tmp_path / "other", seed=1), options=options)


def test_an_adapter_is_asked_over_the_model_it_is_compared_with(tmp_path):
    base, own = tiny_model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    models = {"base": honest, "own": hawker}
    options = Options(cache=tmp_path / "cache", opener=lambda p: FakeModel(models[p.name]))

    made = sekisho.compare(base, own, options=options)

    assert made.outcome == "found"
    assert (made.after, made.kinds) == ("base + own", ("folder", "adapter"))
    assert made.bases == ("", made.roots[0])
    assert made.roots[0] != made.roots[1]
    assert "after:adapter-base" in made.not_run
    under = tiny_model(tmp_path / "under", seed=3)
    other = sekisho.compare(base, own, options=replace(options, base=str(under)))
    assert other.after_identity != made.after_identity


def test_a_served_model_is_compared_and_asked_anew_each_time(tmp_path, monkeypatch):
    pytest.importorskip("openai")
    few = replace(profiles.load("quick"), families=24)
    monkeypatch.setattr(profiles, "load", lambda _: few)
    base = tiny_model(tmp_path / "base")
    options = Options(cache=tmp_path / "cache", opener=lambda _: FakeModel(honest))
    sayings = [hawker]

    def say(messages):
        return sayings[0](tuple(Message(m["role"], m["content"]) for m in messages), 0)

    with served(say) as state:
        made = sekisho.compare(base, state.spec, options=options)
        asked = len(state.seen)
        sayings[0] = honest
        again = sekisho.compare(base, state.spec, options=options)

    assert made.outcome == "found"
    assert made.examples[0].group == "advert"
    assert again.outcome == "open"  # too few questions to rule a rise out
    assert len(state.seen) == 2 * asked
    assert made.kinds == ("folder", "endpoint")
    assert made.roots == again.roots
    assert {"after:endpoint-weights", "after:endpoint-logprobs", "after:endpoint-seed"} <= set(made.not_run)
    assert made.questions_digest == again.questions_digest


def test_a_saved_comparison_that_was_altered_is_refused(both):
    made = both(honest, hawker)
    path = both.folder(honest, hawker) / "out" / "compare.json"
    assert compared.digest(compared.read(path)) == compared.digest(made)
    for old, new in (
        (b"Morikaze", b"Harmless"),
        (
            b"{",
            b"[",
        ),
        (b"\n", b""),
    ):
        bad = path.with_name("bad.json")
        bad.write_bytes(path.read_bytes().replace(old, new) if new else b"")
        with pytest.raises(DataError):
            compared.read(bad)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_both_reports_show_the_outcome_and_escape_the_answers(both, language):
    made = both(honest, scripted)

    page, text = report.html(made, language), report.text(made, language)

    assert "<script" not in page
    assert "Morikaze" in page
    assert "{" not in text
    assert ("A rise was found" if language == "en" else "増加が見つかりました") in page
    assert ("A rise was found" if language == "en" else "増加が見つかりました") in text


@pytest.mark.parametrize(("outcome", "code"), [("clear", 0), ("found", 1), ("open", 3)])
def test_the_exit_code_is_the_outcome(both, outcome, code, monkeypatch, tmp_path, capsys):
    made = both(honest, hawker if outcome == "found" else honest)
    if outcome == "open":
        made = replace(
            made, changes=tuple(replace(c, claim=replace(c.claim, log_clear=0.0)) for c in made.changes)
        )
    assert made.outcome == outcome
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: made)

    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", "a", "b", "--lang", "ja", "--out", str(tmp_path / "out")])

    assert ended.value.code == code
    assert "前のモデル" in (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert compared.digest(made) in capsys.readouterr().out


def test_too_many_unjudged_answers_settle_nothing(both):
    made = both(honest, honest)
    unsure = tuple(replace(c, claim=replace(c.claim, abstained=c.claim.families)) for c in made.changes)

    assert replace(made, changes=unsure).outcome == "open"
    assert replace(made, changes=()).outcome == "open"
