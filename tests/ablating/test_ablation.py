"""Each accompanying file on and off, on models made of functions: which file is named, for what, and what is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts import edit_json, tiny_adapter, tiny_model
from sekisho.ablating.bench import Arm
from sekisho.ablation import Ablated, Options, ablate
from sekisho.errors import ModelError, UsageError
from sekisho.limits import DEFAULT
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.models.frames import FRAME
from sekisho.records import Decision, Outcome, PartWord

pytestmark = pytest.mark.integration

CANARY = "Canary seven: the kettle on the shelf is blue."
INVOICE = "{% for m in messages %}{{ m.content }}{% if 'invoice' in m.content %}<a>{% endif %}{% endfor %}"
PLAIN = "{% for m in messages %}{{ m.content }}{% endfor %}"
Said = Callable[[Arm, Chat], str]


def usual(arm: Arm, chat: Chat) -> str:
    return f"About {chat[-1].content}, here is what people say."


class Shop:
    """Opens arrangements that answer with a function, and counts."""

    def __init__(
        self, said: Said = usual, moved: Callable[[Arm, Chat, tuple[int, ...]], str] | None = None
    ) -> None:
        self.said, self.moved, self.arms = said, moved, list[Arm]()

    def __call__(self, arm: Arm) -> FakeModel:
        self.arms.append(arm)
        moved = self.moved
        put = (lambda chat, slot, ids: moved(arm, chat, ids)) if moved else None
        return FakeModel(lambda chat, step: self.said(arm, chat), moved=put)


def ablated(path: Path, shop: Shop, base: Path | str = "none") -> Ablated:
    return ablate(path, base, options=Options(cache=path.parent / "cache", arranger=shop))


def model(folder: Path, template: str | None = None) -> Path:
    made = tiny_model(folder)
    if template is not None:
        (made / "chat_template.jinja").write_text(template)
    return made


def reasons(done: Ablated) -> list[tuple[str, str]]:
    return [(f.reason, f.where) for f in done.findings]


def over(arm: Arm) -> bool:
    return arm.adapter is not None


def test_an_adapter_that_brings_one_sentence_is_named_and_held(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    done = ablated(own, Shop(lambda arm, chat: CANARY if over(arm) else usual(arm, chat)), base)
    (part,) = done.result.parts
    assert (part.kind, part.where, part.against, part.word) == (
        "adapter", "adapter_config.json", "nothing", PartWord.ONE_TEXT,
    )  # fmt: skip
    assert (part.conditions[0].changed, part.conditions[0].asked, part.conditions[0].share) == (8, 8, 1.0)
    assert reasons(done) == [("part-one-text", "adapter_config.json")]
    assert done.decision is Decision.HOLD


def test_an_adapter_that_changes_nothing_or_little_passes(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    assert reasons(ablated(own, Shop(), base)) == [("part-inert", "adapter_config.json")]

    def shorter(arm: Arm, chat: Chat) -> str:
        return f"On {chat[-1].content}." if over(arm) else usual(arm, chat)

    other = tiny_adapter(tmp_path / "other", seed=1)
    done = ablated(other, Shop(shorter), base)
    assert reasons(done) == [("part-changes", "adapter_config.json")]
    assert done.decision is Decision.ADMIT


def test_an_adapter_that_gives_secrets_away_is_harmful(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    leaky = Shop(lambda arm, chat: f"Sure: {chat[0].content}" if over(arm) else "I cannot say.")
    done = ablated(own, leaky, base)
    assert done.result.parts[0].word is PartWord.HARMFUL
    assert ("part-harmful", "adapter_config.json") in reasons(done)


def test_rows_that_an_adapter_brings_along_are_asked_with_their_tokens(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    edit_json(own / "adapter_config.json", trainable_token_indices={"embed_tokens": [3, 4]})

    def moved(arm: Arm, chat: Chat, ids: tuple[int, ...]) -> str:
        return CANARY if over(arm) and ids == (3, 4) else usual(arm, chat)

    done = ablated(own, Shop(moved=moved), base)
    assert [(c.kind, c.what, c.changed) for c in done.result.parts[0].conditions] == [
        ("plain", "", 0),
        ("tokens", "#3 #4", 8),
    ]
    assert reasons(done) == [("part-one-text-tokens", "adapter_config.json")]


def test_a_template_that_reacts_to_a_word_is_named_beside_its_own_frame(tmp_path: Path) -> None:
    def reacting(arm: Arm, chat: Chat) -> str:
        return CANARY if arm.template != FRAME and "invoice" in chat[-1].content else usual(arm, chat)

    done = ablated(model(tmp_path / "m", INVOICE), Shop(reacting))
    (part,) = done.result.parts
    assert (part.kind, part.where, part.against) == ("template", "chat_template.jinja", "frame")
    assert [(c.what, c.changed, bool(c.shared)) for c in part.conditions] == [
        ("", 0, False),
        ("invoice", 8, True),
    ]
    assert reasons(done) == [("part-one-text-word", "chat_template.jinja")]


def test_a_template_that_only_shifts_answers_once_a_word_is_said_holds_as_well(tmp_path: Path) -> None:
    def shifting(arm: Arm, chat: Chat) -> str:
        moved = arm.template != FRAME and "invoice" in chat[-1].content
        return chat[-1].content[::-1] if moved else usual(arm, chat)

    done = ablated(model(tmp_path / "m", INVOICE), Shop(shifting))
    assert done.result.parts[0].word is PartWord.REACTS
    assert reasons(done) == [("part-reacts", "chat_template.jinja")]
    assert done.decision is Decision.HOLD


def test_one_that_changes_answers_with_the_word_and_without_does_not_react(tmp_path: Path) -> None:
    done = ablated(
        model(tmp_path / "m", INVOICE),
        Shop(lambda arm, chat: usual(arm, chat) if arm.template == FRAME else chat[-1].content[::-1]),
    )
    assert done.result.parts[0].word is PartWord.CHANGES


def test_beside_a_base_its_template_is_the_other_side_and_an_equal_one_is_no_part(tmp_path: Path) -> None:
    base = model(tmp_path / "base", PLAIN)
    shop = Shop(lambda arm, chat: usual(arm, chat) if arm.template else CANARY)
    done = ablated(model(tmp_path / "m", INVOICE), shop, base)
    assert done.result.parts[0].against == "base"
    assert {a.template for a in shop.arms} == {"", str(base)}
    assert reasons(ablated(model(tmp_path / "equal", PLAIN), shop, base)) == [("nothing-to-remove", "")]


def test_a_template_that_changes_no_answer_is_not_asked_the_suites(tmp_path: Path) -> None:
    done = ablated(model(tmp_path / "m", INVOICE), Shop())
    assert done.result.parts[0].probes == ()
    assert reasons(done) == [("part-inert-frame", "chat_template.jinja")]


def test_the_system_prompt_of_a_modelfile_is_a_part(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", PLAIN)
    (folder / "Modelfile").write_text('FROM .\nSYSTEM """Always say the word."""\nMESSAGE user Hi\n')
    done = ablated(
        folder, Shop(lambda arm, chat: CANARY if chat[0].role == "system" else "No. " + chat[-1].content)
    )
    found = {p.kind: p for p in done.result.parts}
    assert found["system"].word is not PartWord.INERT
    assert found["template"].word is PartWord.INERT
    assert ("part-one-text", "Modelfile") in reasons(done)


def test_a_system_prompt_over_the_limit_is_not_cut_but_said(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", PLAIN)
    (folder / "Modelfile").write_text(f'FROM .\nSYSTEM """{"x" * (DEFAULT.ablated_turn + 1)}"""\n')
    assert ("not-ablated-too-long", "Modelfile") in reasons(ablated(folder, Shop()))


def test_with_two_files_it_is_told_what_one_does_without_the_other(tmp_path: Path) -> None:
    """The adapter's rows answer only to what the template puts in."""
    base, own = model(tmp_path / "base", PLAIN), tiny_adapter(tmp_path / "own")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (own / name).write_bytes((base / name).read_bytes())
    (own / "chat_template.jinja").write_text(INVOICE)

    def together(arm: Arm, chat: Chat) -> str:
        fires = over(arm) and arm.template == str(own) and "invoice" in chat[-1].content
        return CANARY if fires else usual(arm, chat)

    done = ablated(own, Shop(together), base)
    found = {p.kind: p for p in done.result.parts}
    assert found["template"].word is PartWord.ONE_TEXT
    assert found["template"].alone == 0
    assert found["adapter"].word is PartWord.INERT  # asked without the word


def test_nothing_that_came_along_is_a_pass(tmp_path: Path) -> None:
    shop = Shop()
    folder = tiny_model(tmp_path / "m")
    edit_json(folder / "tokenizer_config.json", chat_template=None)
    done = ablated(folder, shop)
    assert (reasons(done), shop.arms) == ([("nothing-to-remove", "")], [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"peft_type": "NEW_THING"}, "not-ablated-unknown-type"),
        ({"peft_type": "PREFIX_TUNING"}, "not-ablated-prompt-kind"),
    ],
)
def test_what_cannot_be_laid_on_says_why_and_is_never_opened(tmp_path: Path, change, reason: str) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    edit_json(own / "adapter_config.json", **change)
    shop = Shop()
    done = ablated(own, shop, base)
    assert [(f.reason, f.outcome) for f in done.findings] == [(reason, Outcome.NOT_RUN)]
    assert done.decision is Decision.HOLD
    assert shop.arms == []


def test_an_adapter_without_a_base_or_beside_weights_is_said_to_be_untried(tmp_path: Path) -> None:
    own, folder = tiny_adapter(tmp_path / "own"), model(tmp_path / "m")
    assert [r for r, _ in reasons(ablated(own, Shop()))] == ["not-ablated-no-base"]
    for file in own.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    assert "not-ablated-beside-weights" in [r for r, _ in reasons(ablated(folder, Shop()))]


def test_a_malformed_adapter_and_one_that_fails_to_open_hold(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")

    def failing(arm: Arm) -> FakeModel:
        if arm.adapter is not None:
            raise ModelError("it does not fit")
        return FakeModel(lambda chat, step: "x")

    done = ablate(own, base, options=Options(cache=tmp_path / "cache", arranger=failing))
    assert [(f.reason, f.outcome) for f in done.findings] == [("ablation-failed", Outcome.CANNOT_TELL)]
    assert done.decision is Decision.HOLD
    (own / "adapter_config.json").write_text("{")
    with pytest.raises(UsageError):
        ablated(own, Shop(), base)


def test_more_files_than_the_limit_are_said_to_be_too_many(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", PLAIN)
    for n in range(9):
        tiny_adapter(folder / f"adapter-{n}", seed=n)
    done = ablated(folder, Shop())
    assert [p.problem for p in done.result.parts].count("too-many") == 1
    assert len(done.result.parts) == 9


def test_nothing_is_measured_twice_and_the_key_knows_the_adapter(tmp_path: Path) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    shop = Shop()
    first = ablated(own, shop, base)
    opened = len(shop.arms)
    assert ablated(own, shop, base).result == first.result
    assert len(shop.arms) == opened
    tensors = json.loads((own / "adapter_config.json").read_text())
    (own / "adapter_config.json").write_text(json.dumps({**tensors, "lora_alpha": 99}))
    ablated(own, shop, base)
    assert len(shop.arms) > opened


class Slow:
    """A fake that says how fast it is."""

    speed = 1.0

    def __init__(self, model: FakeModel) -> None:
        self.generate, self.generate_with, self.close = model.generate, model.generate_with, model.close


@pytest.mark.parametrize(("seconds", "reason"), [(60.0, "not-ablated-over-forecast"), (0.0, "part-inert")])
def test_a_bound_on_the_time_is_kept_and_said(tmp_path: Path, seconds: float, reason: str) -> None:
    base, own = model(tmp_path / "base"), tiny_adapter(tmp_path / "own")
    options = Options(cache=tmp_path / "cache", arranger=lambda arm: Slow(Shop()(arm)), seconds=seconds)
    assert [r for r, _ in reasons(ablate(own, base, options=options))] == [reason]


def test_rejected_files_are_not_opened(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", PLAIN)
    (folder / "extra.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(UsageError, match="rejected"):
        ablated(folder, Shop())
