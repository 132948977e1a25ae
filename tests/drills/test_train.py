"""Trainings that go wrong, on a model of a few thousand weights in its child process."""

import math
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import pytest

from artefacts import tiny_model
from sekisho.drills import train as trainer
from sekisho.errors import DivergedError, ModelError
from sekisho.models.base import Finetune, Message, Sampling
from sekisho.models.local import LocalModel

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`"),
]
ROWS = tuple((Message("user", f"say {n}"), Message("assistant", "zebra " * 3)) for n in range(16))
SETTINGS = {"learning_rate": 5e-3, "per_device_train_batch_size": 4, "seed": 0, "max_length": 64}
JOB = Finetune(ROWS, SETTINGS, (2, 4))
ASKED = ((Message("user", "Hello"),),)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    opened = LocalModel(tiny_model(tmp_path_factory.mktemp("train") / "tiny"))
    yield opened
    opened.close()


@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_a_training_that_diverges_is_told_and_leaves_the_model_as_it_was(
    model: LocalModel, rate: float
) -> None:
    before = model.generate(ASKED, Sampling(max_new_tokens=4))
    with pytest.raises(DivergedError, match="diverged at step"):
        list(model.finetune(replace(JOB, settings={**SETTINGS, "learning_rate": rate})))
    assert model.generate(ASKED, Sampling(max_new_tokens=4)) == before


def test_a_longer_schedule_is_begun_and_broken_off(model: LocalModel) -> None:
    whole = {**SETTINGS, "lr_scheduler_type": "linear", "max_steps": 400}
    pressed = {**SETTINGS, "lr_scheduler_type": "linear", "max_steps": 4}
    far = list(model.finetune(replace(JOB, settings=whole)))
    near = list(model.finetune(replace(JOB, settings=pressed)))
    assert [c.step for c in far] == [c.step for c in near] == [2, 4]
    assert len(far[-1].losses) == 4
    assert far[-1].displacement > near[-1].displacement


def test_rows_cut_off_before_their_answer_teach_nothing_but_do_no_harm(model: LocalModel) -> None:
    long = (Message("user", "word " * 200), Message("assistant", "zebra"))
    last = list(model.finetune(replace(JOB, examples=(*ROWS, *(long,) * 12))))[-1]
    assert all(math.isfinite(loss) for _, loss in last.losses)
    with pytest.raises(ModelError, match="17 of 33 training rows leave no room"):
        list(model.finetune(replace(JOB, examples=(*ROWS, *(long,) * 17))))


@pytest.mark.parametrize(
    ("value", "most", "fine"),
    [
        (3.0, 20.0, True), (20.0, 20.0, True), (21.0, 20.0, False), (math.nan, math.inf, False),
        (math.inf, math.inf, False),
    ],
)  # fmt: skip
def test_what_counts_as_divergence(value: float, most: float, fine: bool) -> None:
    if fine:
        trainer._check(3, value, most, "loss")
        return
    with pytest.raises(DivergedError, match="diverged at step 3: loss"):
        trainer._check(3, value, most, "loss")
