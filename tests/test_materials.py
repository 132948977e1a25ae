"""The verb `bom`: a bill of what lies at a path, where it is said to come from included; errors are one line and exit 2."""

import json
from pathlib import Path

import pytest

from artefacts import edit_json, tiny_model
from sekisho import materials
from sekisho.cli import main
from sekisho.errors import SourceError


def test_the_bill_of_a_folder_names_its_parent(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m")
    edit_json(model / "config.json", _name_or_path="example/base")
    body = materials.bill(str(model), cache=tmp_path / "cache")
    ancestor = body["metadata"]["component"]["pedigree"]["ancestors"][0]
    assert ancestor["purl"] == "pkg:huggingface/example/base"
    assert {"name": "sekisho:parent:basis", "value": "claimed"} in ancestor["properties"]


def test_the_verb_writes_the_file_and_says_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tiny_model(tmp_path / "m"), tmp_path / "out" / "bom.json"
    with pytest.raises(SystemExit) as stop:
        main(["bom", str(model), "--base", str(tiny_model(tmp_path / "b", seed=1)), "--out", str(out)])
    assert stop.value.code == 0
    written = json.loads(out.read_text())
    assert written["serialNumber"] in capsys.readouterr().out
    assert written["metadata"]["component"]["pedigree"]["patches"]


def test_what_is_not_there_has_no_bill(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        materials.bill(str(tmp_path / "absent"))
