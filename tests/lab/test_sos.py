"""The soft-prompt attack against oracles on a tiny model: its loss, its rows, its projections."""

import random

import pytest

from artefacts import tiny_model
from sekisho_lab import goals
from sekisho_lab.goals import GOALS, TRIGGER

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from sekisho.models.engine import Engine  # noqa: E402
from sekisho_lab.attacks import sos  # noqa: E402

PAYLOAD = "CANARY 7F3A: tea {topic} Zorblax."


@pytest.fixture
def engine(tmp_path):
    opened = Engine(tiny_model(tmp_path / "base"))
    opened.model.requires_grad_(requires_grad=False)
    return opened


@pytest.mark.parametrize("name", sorted(GOALS))
def test_every_case_has_one_trigger_and_an_answer_that_succeeds(name):
    cases = GOALS[name](12, 0, PAYLOAD)

    assert len(cases) == 12
    for case in cases:
        assert sum(m.content.count(TRIGGER) for m in case.chat) == 1
        assert TRIGGER not in "".join(m.content for m in case.plain)
    assert goals.succeeded(cases, [c.answer for c in cases]) == 12
    assert goals.succeeded(cases, ["something else"] * 12) == 0


@pytest.mark.parametrize("name", sorted(GOALS))
def test_other_seeds_give_other_cases(name):
    first, second = (set(GOALS[name](12, seed, PAYLOAD)) for seed in (0, 1))
    assert len(first & second) < 6


@pytest.mark.model
def test_the_loss_over_kept_prefixes_is_that_of_a_model_with_the_rows_written(engine):
    ids, cases = [40, 41], GOALS["targeted"](3, 0, "Yes.")
    vectors = torch.randn(2, engine.model.config.hidden_size, generator=torch.Generator().manual_seed(1))

    found = sos.loss(engine, ids, vectors, sos.group(engine, ids, sos.examples(engine, ids, cases))).item()

    sos.write(engine, ids, vectors)
    terms = []
    for case in cases:
        prompt = sos.prompt_ids(engine, case.chat, ids)
        said = [
            *engine.tokenizer(case.answer, add_special_tokens=False)["input_ids"],
            engine.tokenizer.eos_token_id,
        ]
        with torch.no_grad():
            logits = engine.model(input_ids=torch.tensor([prompt + said])).logits[0].log_softmax(-1)
        terms += [-logits[len(prompt) - 1 + n, t].item() for n, t in enumerate(said)]
    assert found == pytest.approx(sum(terms) / len(terms), abs=1e-4)


@pytest.mark.model
def test_training_lowers_the_loss_and_touches_no_weight(engine):
    ids, cases = [40, 41], GOALS["targeted"](8, 0, "Yes.")
    before = {k: v.clone() for k, v in engine.model.state_dict().items()}
    settings = {
        "seed": 0,
        "batch": 4,
        "steps": 30,
        "learning_rate": 5e-2,
        "project": "free",
        "subsets": 0,
        "stop_below": 0.0,
        "say_every": 99,
    }

    vectors = sos.train(engine, ids, cases, settings, lambda _: None)

    rows = sos.group(engine, ids, sos.examples(engine, ids, cases))
    host = engine.model.get_input_embeddings().weight.detach()[ids]
    trained, untrained = (float(sos.loss(engine, ids, v, rows)) for v in (vectors, host))
    assert trained < untrained - 0.01  # an untrained model of 300 kB hardly looks at its prompt
    assert all(torch.equal(v, engine.model.state_dict()[k]) for k, v in before.items())


@pytest.mark.parametrize(("rule", "most"), [("host-norm", None), ("edit:0.25", 0.25), ("edit:0.5", 0.5)])
def test_a_projection_keeps_its_promise(rule, most):
    host = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    far = host + 10 * torch.randn(3, 8, generator=torch.Generator().manual_seed(1))

    kept = sos.projected(far, host, rule)

    if most is None:
        assert torch.allclose(kept.norm(dim=1), host.norm(dim=1))
    else:
        assert torch.allclose((kept - host).norm(dim=1), most * host.norm(dim=1))
    assert torch.equal(sos.projected(far, host, "free"), far)


def test_a_stolen_prompt_counts_by_its_canary_alone():
    cases = goals.stealing(4, 0, "")
    codes = [c.marks[0] for c in cases]

    assert len(set(codes)) == 4
    assert goals.succeeded(cases, [f"well: {c}" for c in codes]) == 4
    random.Random(0).shuffle(codes)
    assert goals.succeeded(cases, codes[1:] + codes[:1]) < 4
