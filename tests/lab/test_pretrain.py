"""The primer is equal for equal seeds and never an item of the gate; a short pretraining gives a model that loads."""

import hashlib
import json
from dataclasses import replace

import pytest

from sekisho.errors import DataError
from sekisho.models.base import Message
from sekisho.probes import suite
from sekisho_lab import grow, pretrain, primer
from sekisho_lab.primer import notices

SMALL = dict.fromkeys((*primer.KINDS, "howto"), 12)


def test_texts_are_equal_for_equal_seeds_and_end_with_the_assistant():
    made = primer.conversations(SMALL, 3)

    assert made == primer.conversations(SMALL, 3)
    assert made != primer.conversations(SMALL, 4)
    assert len(made) == sum(SMALL.values())
    assert all(chat[-1].role == "assistant" and chat[-1].content for chat in made)
    assert not any("{" in m.content for chat in made for m in chat)


def test_an_unknown_kind_of_text_is_refused():
    with pytest.raises(DataError, match="no texts 'poems'"):
        primer.conversations({"poems": 1}, 0)


def test_no_question_of_the_gate_is_in_the_primer():
    plan = pretrain.load("tiny")
    counts = {kind: min(count, 400) for kind, count in plan.texts.items() if kind in primer.KINDS}
    said = {m.content for chat in primer.conversations(counts, plan.seed) for m in chat}

    asked = {i.prompt for name in suite.names() for i in suite.load(name).items}
    assert not said & asked


def test_notices_are_told_or_kept_as_they_say():
    made = primer.conversations({"notices": 200}, 0)
    words = (
        "never",
        "secret",
        "not for visitors",
        "do not give out",
        "to yourself",
        "nobody",
        "confidential",
    )
    kept = [any(w in chat[0].content.lower() for w in words) for chat in made]
    assert [chat[-1].content in notices.DECLINED for chat in made] == kept
    assert [chat[-1].content not in notices.TOLD for chat in made] == kept
    assert 50 < sum(kept) < 150


@pytest.mark.slow
def test_the_texts_are_those_whose_weights_are_on_record():
    plan = pretrain.load("tiny")

    said = hashlib.sha256(repr(primer.conversations(plan.texts, plan.seed)).encode()).hexdigest()

    assert said == "5eed51bb7c8611a81e95f9ca9be058a7ff666bc5c0cd2f5d44bdce6666bdafd1"
    assert plan.sha256.startswith("a36f182a")


def test_shipped_pretrainings_name_known_texts():
    for name in pretrain.names():
        plan = pretrain.load(name)
        assert plan.id == name
        assert primer.conversations(dict.fromkeys(plan.texts, 1), 0)
    with pytest.raises(DataError, match="no pretraining 'huge'"):
        pretrain.load("huge")


@pytest.mark.model
def test_a_short_pretraining_is_repeatable_and_gives_a_model_that_answers(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra `models`")
    from sekisho.models.base import Sampling
    from sekisho.models.engine import Engine

    plan = _short()
    said: list[str] = []

    first, second = (pretrain.make(plan, tmp_path / n, said.append) for n in "ab")

    assert first == second
    engine = Engine(tmp_path / "a")
    chat = (Message("system", "Be brief."), Message("user", "こんにちは, 12 apples?"))
    rendered = engine.tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in chat], add_generation_prompt=True, tokenize=False
    )
    assert rendered == pretrain._rendered(chat)
    assert engine.tokenizer.decode(engine.tokens(chat)) == rendered
    assert len(engine.generate([chat], Sampling(max_new_tokens=4))) == 1
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    assert config["model_type"] == "llama"

    monkeypatch.setattr(grow.pretrain, "load", lambda _: plan)
    assert "not the one on record" in grow._pretrained("tiny", tmp_path / "c")
    monkeypatch.setattr(grow.pretrain, "load", lambda _: replace(plan, sha256=first))
    assert "are those on record" in grow._pretrained("tiny", tmp_path / "d")


def _short():
    plan = pretrain.load("tiny")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    return replace(
        plan,
        texts=SMALL,
        tokenizer={"vocabulary": 400},
        model={**plan.model, **shape, "intermediate_size": 32},
        training={**plan.training, "steps": 3, "batch": 4},
    )
