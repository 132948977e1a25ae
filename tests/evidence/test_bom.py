"""The bill of materials: valid against the schema, whole in its references, equal for equal models, honest on what is unknown."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from evidence.test_dossier import small
from sekisho import inventory
from sekisho.errors import DataError
from sekisho.evidence import bom
from sekisho.evidence.bom import references
from sekisho.formats import tensors
from sekisho.provenance import records as provenance
from sekisho.records import Dossier, FileLine, Inventory

TIME = "2030-01-01T00:00:00Z"
CARD = """---
license: apache-2.0
base_model: example/base
base_model_relation: finetune
datasets: [example/chats, other]
pipeline_tag: text-generation
language: [en, ja]
---
# A tiny model
"""


def subject(folder: Path, **changes: Any) -> bom.Subject:
    made = bom.Subject("tiny", inventory.take(folder), "sekisho 0.1.0", TIME)
    return dataclasses.replace(made, **changes)


def dossier_of(files: Inventory, **changes: Any) -> Dossier:
    lines = tuple(FileLine(f.path, f.size, f.sha256, f.format, f.role, f.problem) for f in files.files)
    return small(files=lines, not_tested=("no-drills",), **changes)


def valid(body: dict[str, Any]) -> dict[str, Any]:
    text = bom.to_json(body).decode()
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator  # takes seconds to import

    errors = JsonStrictValidator(SchemaVersion.V1_7).validate_str(text)
    assert errors is None, errors
    assert bom.dangling(body) == ()
    again: dict[str, Any] = json.loads(text)
    return again


def properties(body: dict[str, Any]) -> dict[str, str]:
    return {p["name"]: p["value"] for p in body["properties"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tiny_model(tmp_path / "tiny")
    (made / "README.md").write_text(CARD)
    return made


def test_every_file_is_a_component_with_digest_and_role(folder: Path) -> None:
    made = subject(folder)
    files = {c["name"]: c for c in valid(bom.build(made))["components"] if c["type"] == "file"}
    assert files.keys() == {f.path for f in made.inventory.files}
    for fact in made.inventory.files:
        assert files[fact.path]["hashes"] == [{"alg": "SHA-256", "content": fact.sha256}]
        assert {"name": "sekisho:file:role", "value": fact.role.value} in files[fact.path]["properties"]


def test_card_gives_licence_data_task_and_ancestor_as_claims(folder: Path) -> None:
    body = valid(bom.build(subject(folder)))
    model = body["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert model["pedigree"]["ancestors"][0]["purl"] == "pkg:huggingface/example/base"
    assert model["modelCard"]["modelParameters"]["task"] == "text-generation"
    assert model["modelCard"]["modelParameters"]["modelArchitecture"] == "LlamaForCausalLM"
    assert [c["name"] for c in body["components"] if c["type"] == "data"] == ["example/chats", "other"]
    claimed = next(c for c in body["citations"] if c["note"].startswith("claimed"))
    assert claimed["attributedTo"] == "file:README.md"


def test_nothing_known_is_spelled_out(tmp_path: Path) -> None:
    body = valid(bom.build(subject(tiny_model(tmp_path / "m"))))
    told = properties(body)
    clusters = {name.split(":")[2] for name in told if name.startswith("sekisho:g7:")}
    assert clusters == {"metadata", "system", "models", "datasets", "infrastructure", "security", "kpi"}
    for name in ("models:producer", "datasets:provenance", "system:data-flow", "kpi:security-metrics"):
        assert told[f"sekisho:g7:{name}"] == "unknown"
    assert body["metadata"]["component"]["licenses"] == [{"license": {"name": "unknown"}}]
    assert "ancestors: unknown" in body["metadata"]["component"]["pedigree"]["notes"]
    assert told["sekisho:checks"] == "unknown"


@pytest.mark.integration
def test_dossier_gives_behaviour_with_its_interval(folder: Path) -> None:
    made = subject(folder)
    body = valid(bom.build(dataclasses.replace(made, dossier=dossier_of(made.inventory))))
    card = body["metadata"]["component"]["modelCard"]
    rise = next(
        m
        for m in card["quantitativeAnalysis"]["performanceMetrics"]
        if m["type"].startswith("rise of adverts")
    )
    assert rise["value"] == "0.3"
    assert rise["confidenceInterval"] == {"lowerBound": "-0.1", "upperBound": "0.7"}
    assert "not tested: no-drills" in card["considerations"]["technicalLimitations"]
    assert {"name": "sekisho:check:c", "value": "fail 1"} in body["properties"]
    assert body["formulation"][1]["workflows"][0]["taskTypes"] == ["scan", "test"]


def test_dossier_of_another_model_is_refused(folder: Path) -> None:
    made = subject(folder)
    other = dossier_of(made.inventory)
    other = dataclasses.replace(
        other, files=(dataclasses.replace(other.files[0], sha256="00"), *other.files[1:])
    )
    with pytest.raises(DataError, match=r"of another model: \.gitattributes"):
        bom.build(dataclasses.replace(made, dossier=other))


def test_patches_name_tensors_and_files_that_differ_from_the_base(folder: Path, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    arrays = tiny_arrays()
    arrays["model.norm.weight"] = arrays["model.norm.weight"] * 2
    save_safetensors(folder / "model.safetensors", arrays)
    mine, theirs = inventory.take(folder), inventory.take(base)
    compared = bom.Base("base", theirs, tensors.compare(mine, theirs))
    body = valid(bom.build(subject(folder, base=compared)))
    texts = [p["diff"]["text"]["content"] for p in body["metadata"]["component"]["pedigree"]["patches"]]
    assert texts[0].startswith("changed model.norm.weight norm ")
    assert [line.split()[1] for line in texts[1].splitlines()] == ["README.md", "model.safetensors"]


def test_serial_number_is_that_of_the_content_and_not_of_the_hour(folder: Path) -> None:
    first = bom.build(subject(folder))
    later = bom.build(subject(folder, time="2031-01-01T00:00:00Z"))
    assert first["serialNumber"] == later["serialNumber"]
    (folder / "LICENSE").write_text("Another licence\n")
    assert bom.build(subject(folder))["serialNumber"] != first["serialNumber"]


def test_two_bills_of_one_model_are_equal_bytes(folder: Path) -> None:
    assert bom.to_json(bom.build(subject(folder))) == bom.to_json(bom.build(subject(folder)))


def test_unread_file_makes_the_assembly_incomplete(folder: Path) -> None:
    (folder / "gone").symlink_to("nowhere")
    body = valid(bom.build(subject(folder)))
    assert body["compositions"][0]["aggregate"] == "incomplete"
    assert properties(body)["sekisho:coverage:files-unread"] == "1"
    assert properties(body)["sekisho:coverage:unread"].startswith("gone: symlink-broken")
    assert "hashes" not in body["metadata"]["component"]
    assert body["metadata"]["component"]["version"] == "unknown"


@pytest.mark.parametrize(
    "card",
    [
        "---\n" + "a: &a [x]\nb: [*a, *a]\n---\n",
        "---\nlicense: [\n---\n",
        "---\n- a\n---\n",
        "---\n" + "[" * 5_000 + "\n---\n",
        "---\nlicense: {a: 1}\ndatasets: [[1], {}, 3]\n---\n",
        '---\nlicense: "\\u0007<b>"\n---\n',
        "---\ndate: 2020-13-45\n---\n",
    ],
)  # fmt: skip
def test_hostile_card_claims_nothing_or_plain_text(folder: Path, card: str) -> None:
    (folder / "README.md").write_text(card)
    body = valid(bom.build(subject(folder)))
    assert body["metadata"]["component"]["licenses"][0]["license"]["name"] in ("unknown", "\\x07<b>")


def test_odd_names_of_files_stay_references(folder: Path) -> None:
    (folder / "a b%20\u00e9#?.txt").write_text("x")
    valid(bom.build(subject(folder)))


@pytest.mark.integration
def test_intake_gives_commit_purl_and_supplier(folder: Path) -> None:
    body = valid(bom.build(subject(folder, intake=intake())))
    model = body["metadata"]["component"]
    assert model["purl"] == "pkg:huggingface/example/tiny@" + "a" * 40
    assert model["pedigree"]["commits"][0]["uid"] == "a" * 40
    assert model["pedigree"]["ancestors"][0]["hashes"][0]["content"] == "b" * 64
    assert model["supplier"] == {"name": "example"}
    assert properties(body)["sekisho:g7:models:timestamp"] == "unknown (not-recorded)"


def intake() -> provenance.Intake:
    none, claimed = provenance.unknown("not-recorded"), provenance.Basis.CLAIMED
    source = provenance.Stated("https://huggingface.co/example/tiny", claimed)
    return provenance.Intake(
        schema=1, source=source, revision=provenance.Stated("a" * 40, claimed),
        retrieval=provenance.Retrieval(none, none, none), files=(), complete=none, git_tree=none, root_digest=none,
        supplier=provenance.Supplier(provenance.Stated("example", claimed), "none"),
        parents=(provenance.Parent("hf:example/base", "", "sha256:" + "b" * 64, provenance.Relation.FINETUNE, claimed, "README.md:base_model"),),
        parents_stated=none, patches=(provenance.Patch("tensor", "a.weight", "changed", "0.01", "", ""),), patches_stated=none,
        builder=provenance.Builder(none, none, none, none), training_data=none, licences=(), licences_stated=none,
        behaviour_files=(), behaviour_stated=none, verification=provenance.Verification(none, none, "sekisho 0", none),
        ladder=provenance.Ladder(provenance.Level.CLAIMED, (), ()), deviations=(),
    )  # fmt: skip


def test_dangling_references_are_named() -> None:
    body = {"components": [{"bom-ref": "a"}], "dependencies": [{"ref": "b", "dependsOn": ["a", "c"]}]}
    assert references.dangling(body) == ("b", "c")
    assert references.dangling({"x": [{"bom-ref": "a"}, {"bom-ref": "a"}]}) == ("a",)
    assert references.dangling({"citations": [{"pointers": ["/nowhere/0"]}]}) == ("/nowhere/0",)
