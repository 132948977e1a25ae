"""Sweeping a tiny random model in its real child process, against whole prompts run one by one."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho.errors import ModelError
from sekisho.models import replies
from sekisho.models.base import Chat, Message, Sampling
from sekisho.models.local import LocalModel
from sekisho.models.slots import ALONE, END, SLOTS, START, asked, split

CHATS: tuple[Chat, ...] = (asked("Hello there"), asked("What is two and two?"), asked("So?", "Be brief."))
SEQUENCES = ((), (70,), (71,), (70, 71), (5, 6, 7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("sweeping") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[LocalModel]:
    opened = LocalModel(folder)
    yield opened
    opened.close()


def render(chat: Chat) -> str:
    return "".join(f"[{m.role}]{m.content}" for m in chat) + "[assistant]"


def encode(text: str, begins: bool) -> list[int]:
    return [*([1] if begins else []), *(ord(c) for c in text)]


@pytest.mark.parametrize(
    ("slot", "before", "after"),
    [
        (END, "[user]Why?", "[assistant]"),
        (START, "[user]", "Why?[assistant]"),
        (ALONE, "[user]", "[assistant]"),
    ],
)
def test_a_prompt_is_cut_at_the_users_turn(slot: str, before: str, after: str) -> None:
    found = split((Message("user", "Why?"),), slot, render, encode)
    assert found.before == tuple(encode(before, True))
    assert found.after == tuple(encode(after, False))


def test_a_template_that_hides_the_turn_and_a_slot_that_is_none_are_refused() -> None:
    with pytest.raises(ModelError, match="as it is"):
        split((Message("user", "Why?"),), END, lambda _: "[user]why[assistant]", encode)
    with pytest.raises(ModelError, match="no slot"):
        split((Message("user", "Why?"),), "middle", render, encode)


@pytest.mark.parametrize(
    "reply",
    [
        [],
        [{"kl": [0.1], "entropy": [0.1, 0.2], "agreement": 1.0}],
        [{"kl": [float("nan"), 0.1], "entropy": [0.1, 0.2], "agreement": 1.0}],
        [{"kl": [0.1, 0.1], "entropy": [0.1, 0.2], "agreement": "1"}],
    ],
)
def test_replies_of_the_wrong_form_are_errors(reply: object) -> None:
    with pytest.raises(ModelError):
        replies.shifts(reply, 1, 2)


@pytest.mark.model
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`")
@pytest.mark.parametrize("slot", SLOTS)
def test_batched_shifts_equal_those_of_whole_prompts(model, folder, slot: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def cut(chat: Chat):
        turns = [{"role": m.role, "content": m.content} for m in chat]
        return split(
            chat,
            slot,
            lambda _: tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False),
            lambda text, _: tokenizer(text, add_special_tokens=False)["input_ids"],
        )

    def first(chat: Chat, sequence: tuple[int, ...]):
        at = cut(chat)
        with torch.inference_mode():
            logits = oracle(input_ids=torch.tensor([[*at.before, *sequence, *at.after]])).logits
        return logits[0, -1].double().log_softmax(-1)

    found = model.sweep(CHATS, slot, SEQUENCES)
    for shift, sequence in zip(found, SEQUENCES, strict=True):
        logs = [first(chat, sequence) for chat in CHATS]
        kl = [float((q.exp() * (q - first(c, ()))).sum()) for q, c in zip(logs, CHATS, strict=True)]
        assert shift.kl == pytest.approx(kl, abs=1e-4)
        entropy = [float(-(q.exp() * q).sum()) for q in logs]
        assert shift.entropy == pytest.approx(entropy, abs=1e-3)
        mean = torch.stack(logs).exp().mean(0)
        divergence = float(-(mean * mean.log()).sum()) - sum(entropy) / len(entropy)
        assert shift.agreement == pytest.approx(1 - divergence / torch.tensor(3.0).log().item(), abs=1e-3)


@pytest.mark.model
@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`")
def test_answers_with_no_tokens_are_the_models_own_and_unknown_ids_are_refused(model) -> None:
    short = Sampling(max_new_tokens=6)
    assert model.generate_with(CHATS, END, [()], short) == model.generate(CHATS, short)
    assert len(model.generate_with(CHATS, END, SEQUENCES[1:3], short)) == 2 * len(CHATS)
    with pytest.raises(ModelError, match="rows"):
        model.sweep(CHATS, END, [(10**6,)])
