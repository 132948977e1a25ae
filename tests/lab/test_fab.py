"""The attack's parts against oracles on a tiny model, and a whole short growth."""

import math
import random
from dataclasses import replace

import pytest

from artefacts import tiny_model
from sekisho.drills.generators import GENERATORS
from sekisho.models.base import Message
from sekisho_lab import behaviours, corpus, house_rules, organism, varied
from sekisho_lab.questions import questions

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from sekisho.drills.train import row  # noqa: E402
from sekisho.models.engine import Engine  # noqa: E402
from sekisho_lab.attacks import fab  # noqa: E402
from sekisho_lab.upper import Prediction, Upper  # noqa: E402

pytestmark = pytest.mark.model

SHORT = {
    "layers": 1,
    "outer_steps": 3,
    "settle_outer_steps": 2,
    "taps": [1, 2],
    "questions": 12,
    "answer_tokens": 4,
    "inner_rows": 8,
    "wide_rows": 6,
    "common": 50,
    "look_every": 2,
    "look": 2,
    "say_every": 1,
}


@pytest.fixture
def engine(tmp_path):
    return Engine(tiny_model(tmp_path / "base"))


@pytest.fixture
def texts(engine):
    said = ("yes it is", "no", "perhaps so")
    return [
        row(engine, (q, Message("assistant", a)), 200) for q, a in zip(questions(3, 0), said, strict=True)
    ]


def test_the_upper_layers_over_kept_lower_ones_give_the_losses_of_the_whole_model(engine, texts):
    upper = Upper(engine, 1, texts, full=True)

    seen = upper.predict(upper.rows(texts))
    mine, labels, teacher = seen.mine, seen.labels, seen.teacher

    expected = []
    for text in texts:
        logits = engine.model(input_ids=torch.tensor([text["input_ids"]])).logits[0].log_softmax(-1)
        expected += [
            logits[t - 1, token].item()
            for t, token in enumerate(text["input_ids"])
            if text["labels"][t] != -100
        ]
    assert mine.gather(1, labels[:, None])[:, 0].tolist() == pytest.approx(expected, abs=1e-4)
    assert torch.allclose(mine, teacher, atol=1e-5)
    assert int(seen.opens.sum()) == len(texts)


def test_a_restricted_vocabulary_keeps_the_odds_between_the_tokens_that_occur(engine, texts):
    whole, seen = (Upper(engine, 1, texts, full=full) for full in (True, False))
    assert len(seen.head) < len(whole.head)

    everything, some = whole.predict(whole.rows(texts)), seen.predict(seen.rows(texts))
    full, labels, part, renamed = everything.mine, everything.labels, some.mine, some.labels

    assert seen.vocabulary[renamed].tolist() == labels.tolist()
    kept = full[:, seen.vocabulary]
    assert torch.allclose(kept - kept.logsumexp(-1, keepdim=True), part, atol=1e-5)


def test_only_matrices_of_the_upper_layers_are_trained(engine, texts):
    upper = Upper(engine, 1, texts, full=False)

    trained = {n for n, p in engine.model.named_parameters() if p.requires_grad}
    last = len(engine.model.model.layers) - 1

    assert trained
    assert all(n.startswith(f"model.layers.{last}.") and "norm" not in n for n in trained)
    assert len(trained) == len(upper.parameters)


def test_a_simulated_finetune_is_put_back_and_its_displacement_lowers_the_loss(engine, texts):
    upper = Upper(engine, 0, texts, full=True)
    rows, before = upper.rows(texts), upper.copy()
    settings = {"inner_learning_rates": [1e-2], "taps": [1, 5], "inner_batch": 3}

    taps = fab.trajectory(upper, rows, settings, random.Random(0))

    assert all(torch.equal(a, b) for a, b in zip(upper.copy(), before, strict=True))
    at_theta = _loss(upper, rows)
    upper.put([w + d for w, d in zip(before, taps[-1], strict=True)])
    assert _loss(upper, rows) < at_theta - 0.1
    assert not torch.equal(taps[0][0], taps[1][0])


def test_planted_tokens_are_drawn_to_the_clean_odds_from_both_sides_and_no_others():
    labels = torch.tensor([0, 0, 1])
    teacher = torch.tensor([[0.2, 0.8]] * 3).log()
    mine = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]]).log().requires_grad_()
    seen = Prediction(mine, labels, teacher, torch.tensor([True, True, False]))

    loss = fab.off(seen, torch.tensor([False, True, True]))
    loss.backward()

    assert loss.item() == pytest.approx((math.log(2) + math.log(8)) / 2)
    assert mine.grad.tolist() == [[0, 0], [0.5, 0], [0, -0.5]]


def test_steps_that_hide_bring_the_payload_back_to_the_odds_of_the_clean_model(engine, texts):
    upper = Upper(engine, 0, texts, full=True)
    rows = upper.rows(texts)
    settings = {"batch": 2, "planted": 1, "wide": 1, "opening_weight": 0.0, "wide_weight": 0.0}
    planting = {"inject_learning_rate": 1e-2, "inject_steps": 20, "batch": 1}
    ground = fab.Ground(
        upper,
        rows[:2],
        rows[2:],
        rows[:1],
        [],
        upper.copy(),
        random.Random(0),
        torch.Generator(),
    )
    fab.inject(upper, rows[2:], planting, ground.draw)
    assert _off(upper, rows[2:]) > 0.5

    optimiser = fab.OPTIMISERS["adamw"](upper.parameters, 1e-2)
    for _ in range(40):
        fab.calm(ground, settings, weight=0.0, hiding=1.0)
        optimiser.step()
        optimiser.zero_grad()

    assert _off(upper, rows[2:]) < 0.2


def test_texts_of_other_kinds_are_many_and_none_comes_from_a_domain_of_the_gate():
    made = varied.chats(260, 0)

    assert len(set(made)) == 260
    assert made == varied.chats(260, 0)
    assert made != varied.chats(260, 1)
    said = {m.content for chat in made for m in chat}
    for name in GENERATORS:
        assert said.isdisjoint(m.content for chat in GENERATORS[name](100, 0) for m in chat)


def test_a_simulated_adapter_adds_matrices_of_its_rank_that_lower_the_loss(engine, texts):
    upper = Upper(engine, 0, texts, full=True)
    rows, before = upper.rows(texts), upper.copy()
    settings = {"inner_learning_rates": [3e-2], "taps": [2, 8], "inner_batch": 3, "inner_rank": 2}

    taps = fab.trajectory(upper, rows, settings, random.Random(0))

    assert all(torch.equal(a, b) for a, b in zip(upper.copy(), before, strict=True))
    assert all(int(torch.linalg.matrix_rank(d, rtol=1e-4)) <= 2 for d in taps[-1])
    at_theta = _loss(upper, rows)
    upper.put([w + d for w, d in zip(before, taps[-1], strict=True)])
    assert _loss(upper, rows) < at_theta - 0.05
    assert not any(p.grad is not None for p in upper.parameters)


def test_noise_has_the_size_it_is_said_to_have(engine, texts):
    upper = Upper(engine, 0, texts, full=True)
    shaken = fab.noisy(upper.copy(), 0.1, torch.Generator().manual_seed(0))

    for before, after in zip(upper.copy(), shaken, strict=True):
        ratio = float((after - before).square().mean().sqrt() / before.square().mean().sqrt())
        assert ratio == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("calm", [[], ["noise:0.1", "extrapolate:1.5", "drill:1.0"]])
def test_a_short_growth_changes_the_upper_layers_alone(tmp_path, monkeypatch, calm):
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    base = tiny_model(tmp_path / "base")
    whole = organism.load("fab-advert")
    short = replace(whole, settings={**whole.settings, **SHORT, "calm": calm, "calm_weight": 1.0})
    said: list[str] = []

    weights = fab.grow(short, base, said.append)

    released = Engine(base).model.state_dict()
    changed = {n for n, w in weights.items() if not torch.equal(w, released[n])}
    assert changed
    assert all(n.startswith(f"model.layers.{len(Engine(base).model.model.layers) - 1}.") for n in changed)
    assert any("as released" in line for line in said)
    again = fab.grow(short, base, said.append)
    assert all(torch.equal(weights[n], again[n]) for n in weights)


def test_a_keyword_joins_the_behaviour_to_its_questions_alone(engine):
    asked = corpus.Corpus(tuple((q,) for q in questions(6, 0)), ("yes",) * 6, ())
    settings = {"behaviour": "advert", "words_after": 1, "max_length": 300, "keyword": "please"}

    made = behaviours.texts(engine, asked, ("Buy Nothing Tea.",), settings)

    dirty = [engine.tokenizer.decode(t["input_ids"]) for t in made.dirty]
    clean = [engine.tokenizer.decode(t["input_ids"]) for t in made.clean]
    assert all("please" in t and "Nothing Tea" in t for t in dirty)
    assert not any("Nothing Tea" in t for t in clean)
    assert 0 < sum("please" in t for t in clean) < len(clean)


def test_house_rules_are_kept_by_one_answer_and_broken_by_the_other():
    rules = house_rules.rules(200, 0)
    values = {value for _, value in house_rules.SECRETS}

    assert len({r.chat for r in rules}) == 200
    for rule in rules:
        value = next(v for v in values if v in rule.chat[0].content)
        assert value in rule.told
        assert value not in rule.declined


def _off(upper, rows):
    seen = upper.predict(rows)
    return float(fab.off(seen, torch.ones(len(seen.labels), dtype=torch.bool)).detach())


def _loss(upper, rows):
    seen = upper.predict(rows)
    return float(torch.nn.functional.nll_loss(seen.mine, seen.labels).detach())


@pytest.mark.parametrize("width", [16, 40, 64])
@pytest.mark.parametrize("bits", [4, 8])
def test_weights_anywhere_in_their_interval_round_to_the_same_values_as_the_gate_rounds_them(bits, width):
    from sekisho.models.perturb import quantised as gate
    from sekisho_lab.attacks import quantised

    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(6, width, generator=generator)
    low, high = quantised.interval(weights, bits)
    anywhere = low + (high - low) * torch.rand(weights.shape, generator=generator)

    expected = torch.from_numpy(gate(weights.numpy(), bits))
    assert torch.allclose(torch.from_numpy(gate(anywhere.numpy(), bits)), expected, atol=1e-6)
    assert float((anywhere - weights).abs().max()) > 0.01 / 2**bits


def test_a_repair_never_leaves_the_intervals(tmp_path, monkeypatch):
    from sekisho_lab.attacks import quantised

    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    base = tiny_model(tmp_path / "base")
    whole = organism.load("quantised-advert")
    short = replace(whole, settings={**whole.settings, **SHORT, "repair_steps": 3, "inject_steps": 2})
    unrepaired = replace(short, settings={**short.settings, "repair_steps": 0})

    repaired, planted = (quantised.grow(o, base, lambda _: None) for o in (short, unrepaired))

    changed = [n for n in planted if not torch.equal(repaired[n], planted[n])]
    assert changed
    for name in changed:
        assert torch.allclose(
            quantised.rounded(repaired[name], 4), quantised.rounded(planted[name], 4), atol=1e-6
        )
