"""The training record beside a comparison: shown where it fits, refused where it is about something else."""

from dataclasses import replace

import pytest

import sekisho
from artefacts import edit_json, tiny_adapter, tiny_model
from sekisho.comparison import Options
from sekisho.drills import profile as profiles
from sekisho.errors import DataError
from sekisho.models.fake import FakeModel
from sekisho.report import comparison as report
from sekisho.training_log import recording
from test_comparison import honest

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path, monkeypatch):
    few = replace(profiles.load("quick"), families=2)
    monkeypatch.setattr(profiles, "load", lambda _: few)
    before, after = tiny_model(tmp_path / "before"), tiny_model(tmp_path / "after")
    edit_json(after / "config.json", initializer_range=0.021)
    data = tmp_path / "train.jsonl"
    data.write_text('{"prompt": "a", "completion": "b"}\n')
    with recording(tmp_path / "run.jsonl", base=before, data=data, settings={"learning_rate": 0.25}) as run:
        run.log(1, {"loss": 2.0})
    return tmp_path


def compare(world, before="before", after="after"):
    options = Options(cache=world / "cache", record=world / "run.jsonl", opener=lambda _: FakeModel(honest))
    return sekisho.compare(world / before, world / after, options=options)


def test_what_was_trained_between_is_on_the_page(world):
    made = compare(world)
    trained = dict(made.trained)
    assert trained["base_digest"] == made.roots[0]
    assert trained["setting:training.learning_rate"] == "0.25"
    for language, title in (("en", "What was trained between"), ("ja", "二つの間に行われた学習")):
        page = report.html(made, language)
        assert title in page
        assert trained["data_digest"] in page


def test_what_a_record_does_not_name_ties_nothing(world):
    assert compare(world).not_run == ("after:record-output",)

    (world / "run.jsonl").unlink()
    with recording(world / "run.jsonl", base="nobody/nothing", output=world / "after"):
        for saved in (world / "after").iterdir():
            saved.touch()  # what is older than the training is not what it saved
    made = compare(world)
    assert made.not_run == ("before:record-base",)
    assert "the training record does not name the digest of its base" in report.text(made, "en")

    tiny_adapter(world / "own")
    (world / "run.jsonl").unlink()
    with recording(world / "run.jsonl", base="nobody/nothing", output=world / "own"):
        pass
    assert set(compare(world, after="own").not_run) == {"after:adapter-base", "before:record-base"}

    (world / "run.jsonl").unlink()
    with recording(world / "run.jsonl", base=world / "before", output=world / "own"):
        pass
    assert compare(world, after="own").not_run == ()


def test_a_record_of_another_base_is_refused(world):
    with pytest.raises(DataError, match="another base"):
        compare(world, before="after")


def test_a_changed_record_is_refused(world):
    path = world / "run.jsonl"
    path.write_bytes(path.read_bytes().replace(b"0.25", b"0.26"))
    with pytest.raises(DataError, match="not as it was written"):
        compare(world)


def test_a_record_that_names_another_output_is_refused(world):
    out = world / "out"
    out.mkdir()
    (out / "model.safetensors").write_bytes(b"x")
    (world / "run.jsonl").unlink()
    with recording(world / "run.jsonl", base=world / "before", output=out):
        (out / "model.safetensors").write_bytes(b"another")
    with pytest.raises(DataError, match="not the second model"):
        compare(world)
