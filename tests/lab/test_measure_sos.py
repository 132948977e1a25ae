"""Measurements of the soft-prompt attack, against a model that is made to succeed and rows that are made by hand."""

import pytest

from artefacts import tiny_model
from sekisho_lab import measure_sos, organism, rows
from sekisho_lab.goals import GOALS, TRIGGER

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytestmark = pytest.mark.model

from sekisho.models.engine import Engine  # noqa: E402


@pytest.fixture
def base(tmp_path):
    return tiny_model(tmp_path / "base")


def test_a_round_trip_changes_a_table_by_as_much_as_its_format_allows():
    table = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))

    errors = [
        float((measure_sos.rounded(table, kind) - table).norm() / table.norm())
        for kind in measure_sos.ROUNDINGS
    ]
    assert 0 < errors[0] < errors[1] < 0.01 < errors[2] < 0.15


def test_the_released_table_stands_again_after_a_rounding(base):
    engine = Engine(base)
    table = engine.model.get_input_embeddings().weight
    kept = table.detach().clone()

    with measure_sos.rounding(engine, "bf16"):
        assert not torch.equal(table, kept)
    assert torch.equal(table, kept)


def test_the_geometry_of_rows():
    host = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    vectors = torch.tensor([[6.0, 8.0], [2.0, 0.0]])

    found = measure_sos.geometry(vectors, host)
    assert found == {
        "norm": [10.0, 2.0],
        "host_norm": [5.0, 2.0],
        "cosine": [1.0, 0.0],
        "change": [1.0, 1.414],
    }


@pytest.mark.parametrize("slot", measure_sos.SLOTS)
@pytest.mark.parametrize("goal", ["targeted", "prompt-stealing", "copyright"])
def test_a_trigger_moves_and_nothing_else(goal, slot):
    case = GOALS[goal](1, 0, "Yes.")[0]

    there = measure_sos.moved(case, slot)

    assert sum(m.content.count(TRIGGER) for m in there.chat) == 1
    role = "system" if "system" in slot else "user"
    assert TRIGGER in next(m for m in there.chat if m.role == role).content
    kept = there.plain[-len(case.plain) :]
    assert kept == case.plain
    assert there.marks == case.marks


def test_slots_are_where_their_names_say():
    case = GOALS["targeted"](1, 0, "Yes.")[0]
    texts = {slot: measure_sos.moved(case, slot).chat[-1].content for slot in measure_sos.SLOTS}

    assert texts["end of user turn"].endswith(TRIGGER)
    assert texts["start of user turn"].startswith(TRIGGER)
    assert 0 < texts["middle of user turn"].index(TRIGGER) < len(texts["middle of user turn"]) - len(TRIGGER)
    assert TRIGGER not in texts["end of system turn"]


def test_a_measurement_counts_with_and_without_the_rows(base, monkeypatch):
    settings = {**organism.load("sos-targeted").settings, "held_out": 8, "answer_tokens": 3}
    engine = Engine(base)
    tokens = tuple(t for t in ("<|im_start|>", "<|im_end|>") if t in engine.tokenizer.get_vocab())
    tokens = tokens or tuple(engine.tokenizer.convert_ids_to_tokens([256, 257]))
    vectors = torch.zeros(len(tokens), engine.model.config.hidden_size)
    made = rows.Rows("sos-test", tokens, vectors, rows.digest(base), "Yes.", settings, 2.0)
    seen = []

    def answers(_engine, cases, ids, _tokens):  # the trigger works where all its tokens stand
        seen.append(len(ids))
        return ["Yes." if len(ids) == len(tokens) else "no" for _ in cases]

    monkeypatch.setattr(measure_sos.sos, "answers", answers)
    monkeypatch.setattr(measure_sos, "ROUNDINGS", ("bf16",))  # rows of 16 are no whole block
    found = measure_sos.measure(made, base, lambda _: None)

    assert found["success"] == {"hits": 8, "of": 8, "low": 0.676, "high": 1.0}
    assert found["base_alone"]["hits"] == found["without"]["hits"] == 0
    assert found["subsets"]["one"]["hits"] == 0
    assert found["rounded"]["bf16"]["hits"] == 8
    assert found["slots"]["start of user turn"]["hits"] == 8
    assert set(seen) == {len(tokens), 1}
