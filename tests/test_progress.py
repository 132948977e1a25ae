"""The progress as a file, for programs that watch."""

import json

from sekisho.progress import NOTE, Console


def test_the_file_says_how_far_it_is(tmp_path):
    file = tmp_path / "p.json"
    watch = Console({NOTE: str(file)})
    watch.stage("inspect")
    watch.notice("a", 1, 4)
    watch.stage("measure")
    watch.forecast(90)

    made = json.loads(file.read_text())
    assert made["stages"] == ["inspect", "measure"]
    assert made["forecast_s"] == 90
    assert made["work"] == [["a", 1, 4]]
    assert [p.name for p in tmp_path.iterdir()] == ["p.json"]


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path):
    watch = Console({NOTE: str(tmp_path / "no" / "p.json")})
    watch.stage("inspect")
    watch.notice("a", float("nan"), 1)
    assert not (tmp_path / "no").exists()


def test_without_the_variable_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Console({}).stage("inspect")
    assert not list(tmp_path.iterdir())
