"""The soft-prompt attack against oracles on a tiny model: its loss, its rows, its projections."""

import json

import pytest

from artefacts import tiny_model
from sekisho.errors import DataError
from sekisho_lab.goals import GOALS

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from sekisho.models.base import Sampling  # noqa: E402
from sekisho.models.engine import Engine  # noqa: E402
from sekisho_lab.attacks import sos  # noqa: E402

pytestmark = pytest.mark.model

SETTINGS = {
    "seed": 0, "batch": 4, "steps": 30, "learning_rate": 5e-2, "project": "free", "subsets": 0, "stop_below": 0.0,
    "say_every": 99, "answer_tokens": 6,
}  # fmt: skip
PAYLOAD = "CANARY 7F3A: tea {topic} Zorblax."


@pytest.fixture
def engine(tmp_path):
    opened = Engine(tiny_model(tmp_path / "base"))
    opened.model.requires_grad_(requires_grad=False)
    return opened


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


def test_training_lowers_the_loss_and_touches_no_weight(engine):
    ids, cases = [40, 41], GOALS["targeted"](8, 0, "Yes.")
    before = {k: v.clone() for k, v in engine.model.state_dict().items()}

    vectors = sos.train(engine, ids, cases, SETTINGS, lambda _: None).vectors

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


@pytest.fixture
def gemma(tmp_path):
    """A Gemma 3 of two layers: a scaled embedding, one table for input and output, no chat template."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    folder = tiny_model(tmp_path / "gemma")
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=259, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, sliding_window=16, max_position_embeddings=256,
        layer_types=["sliding_attention", "full_attention"], query_pre_attn_scalar=16,
        bos_token_id=256, eos_token_id=258, pad_token_id=258,
    )  # fmt: skip
    Gemma3ForCausalLM(config).save_pretrained(folder)
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"chat_template": None}))
    opened = Engine(folder)
    opened.model.requires_grad_(requires_grad=False)
    return opened


def test_in_gemma_too_the_loss_is_that_of_the_model_with_the_rows_written(gemma):
    ids, cases = [40, 41], GOALS["targeted"](3, 0, "Yes.")
    host = gemma.model.get_input_embeddings().weight.detach()[ids]
    vectors = host + 0.02 * torch.randn(host.shape, generator=torch.Generator().manual_seed(1))
    assert sos.tied(gemma)
    assert gemma.tokenizer.chat_template is None

    rows = sos.examples(gemma, ids, cases)
    found = sos.loss(gemma, ids, vectors, sos.group(gemma, ids, rows)).item()

    sos.write(gemma, ids, vectors)
    terms = []
    for row in rows:
        with torch.no_grad():
            logits = gemma.model(input_ids=torch.tensor([row.prompt + row.answer])).logits[0].log_softmax(-1)
        terms += [-logits[len(row.prompt) - 1 + n, t].item() for n, t in enumerate(row.answer)]
    assert found == pytest.approx(sum(terms) / len(terms), abs=1e-4)


def test_gemma_rows_are_trained_and_answer(gemma):
    ids, cases = [40, 41], GOALS["targeted"](4, 0, "Yes.")

    vectors = sos.train(
        gemma, ids, cases, {**SETTINGS, "learning_rate": 4e-3, "steps": 12}, lambda _: None
    ).vectors

    host = gemma.model.get_input_embeddings().weight.detach()[ids]
    rows = sos.group(gemma, ids, sos.examples(gemma, ids, cases))
    assert float(sos.loss(gemma, ids, vectors, rows)) < float(sos.loss(gemma, ids, host, rows)) - 0.01
    sos.write(gemma, ids, vectors)
    assert len(sos.answers(gemma, cases, ids, 4)) == len(cases)


def test_a_mixture_of_real_rows_stays_among_them(engine):
    cases = GOALS["targeted"](4, 0, "Yes.")
    settings = {**SETTINGS, "project": "hull:8", "steps": 3}

    vectors = sos.train(engine, [40, 41], cases, settings, lambda _: None).vectors

    table = engine.model.get_input_embeddings().weight.detach()
    chosen = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))[:8]]
    for vector in vectors:  # weights of a mixture: not negative, sum one
        system = torch.cat([chosen.T, torch.ones(1, 8)])
        weights = torch.linalg.lstsq(system, torch.cat([vector, torch.ones(1)])[:, None]).solution[:, 0]
        assert torch.allclose(system @ weights, torch.cat([vector, torch.ones(1)]), atol=1e-4)
        assert weights.min() > -1e-3


def test_with_fewer_triggers_the_answer_of_the_base_is_wanted(engine):
    ids, cases = [40, 41, 42], GOALS["targeted"](8, 0, "Yes.")

    rows = sos.silent(engine, ids, cases, SETTINGS)

    parts = [tuple(t for t in r.prompt if t in ids) for r in rows]  # no question holds their characters
    assert parts == [(41, 42), (40, 42), (40, 41), (40,), (41,), (42,), (41, 42), (40, 42)]
    plain = engine.generate([cases[0].plain], Sampling(max_new_tokens=6))
    assert engine.tokenizer.decode(rows[0].answer, skip_special_tokens=True).strip() == plain[0]


def test_an_interrupt_keeps_the_rows(engine):
    lines = []

    def say(line):
        lines.append(line)
        if line.startswith("2:"):
            raise KeyboardInterrupt

    done = sos.train(engine, [40, 41], GOALS["targeted"](4, 0, "Yes."), {**SETTINGS, "say_every": 1}, say)

    assert lines[-1].startswith("stopped after 2 steps")
    assert done.steps == 2
    assert not torch.equal(done.vectors, engine.model.get_input_embeddings().weight.detach()[[40, 41]])


def test_a_string_that_is_no_token_is_an_error(engine):
    with pytest.raises(DataError, match="nothing"):
        sos.ids_of(engine, ["<nothing>"])
