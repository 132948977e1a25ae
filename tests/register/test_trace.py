"""Back to the source and forward to where it runs, over generations and by the digest of one file."""

import json
from itertools import pairwise

import pytest

from register.conftest import MODEL, OTHER
from sekisho.errors import UsageError
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.register import identity, traced
from sekisho.register.trace import GENERATIONS, trace


def trained(ledger, base, output, method="sft"):
    body = {"method": method, "base_digest": base, "output_digest": output}
    ledger.append(Draft("tanaka", Kind.TRAINING_RECORD, output, body))


def test_one_file_leads_to_its_model_its_dossier_and_its_place(vetted, ledger):
    subject, made, _ = vetted
    digest = next(f.sha256 for f in made.files if f.path == "model.safetensors")
    (found,) = trace(ledger, digest)
    assert (found.row.subject, found.path) == (subject, "model.safetensors")
    assert [j.kept for j in found.decisions] == ["kept"]
    assert [u.place for u in found.deployments] == ["notebook 1"]
    assert json.loads(json.dumps(traced.plain(found)))["asked"] == digest


def test_a_dossier_that_was_changed_or_is_gone_is_said(vetted, ledger, tmp_path):
    subject, _, _ = vetted
    (kept,) = (tmp_path / "dossiers").iterdir()
    kept.write_bytes(kept.read_bytes() + b" ")
    assert trace(ledger, subject)[0].decisions[0].kept == "changed"
    assert "CHANGED" in traced.text(trace(ledger, subject)[0], "en")
    kept.unlink()
    assert trace(ledger, subject)[0].decisions[0].kept == "gone"


def test_generations_lead_back_and_forward(desk, ledger):
    desk.to("production")
    child, grandchild = "11" * 32, "22" * 32
    trained(ledger, MODEL, child)
    trained(ledger, child, grandchild, "merge")
    desk.to("pilot", grandchild)
    (found,) = trace(ledger, MODEL)
    assert [(r.subject, r.generation) for r in found.children] == [(child, 1), (grandchild, 2)]
    assert [u.place for r in found.children for u in r.deployments] == ["notebook 1"]
    (back,) = trace(ledger, grandchild)
    assert [(r.subject, r.generation) for r in back.parents] == [(child, 1), (MODEL, 2)]


def test_a_circle_of_training_records_ends(desk, ledger):
    desk.to("decided")
    trained(ledger, MODEL, OTHER)
    trained(ledger, OTHER, MODEL)
    (found,) = trace(ledger, MODEL)
    assert [r.subject for r in found.parents] == [OTHER]
    assert [r.subject for r in found.children] == [OTHER]


def test_a_long_line_is_followed_so_far_and_no_farther(desk, ledger):
    desk.to("decided")
    line = [MODEL, *(f"{n:064x}" for n in range(1, GENERATIONS + 5))]
    for base, output in pairwise(line):
        trained(ledger, base, output)
    assert len(trace(ledger, MODEL)[0].children) == GENERATIONS


def test_a_parent_that_is_not_in_the_register_is_said_so(desk, ledger):
    desk.to("decided")
    trained(ledger, OTHER, MODEL)
    ledger.append(
        Draft(
            "tanaka",
            Kind.TRAINING_RECORD,
            "33" * 32,
            {"method": "x", "base_digest": "44" * 32, "output_digest": "33" * 32},
        )
    )
    (found,) = trace(ledger, "33" * 32)
    assert found.parents[0].row is None
    assert "台帳になし" in traced.text(found, "ja")


def test_files_of_an_intake_are_found_without_a_dossier(desk, ledger):
    desk("request", "mori", name="toy", source="x", purpose="p", data_class="public", users="1")
    desk("receive", "tanaka", name="toy", source="x", files={"a/b.bin": OTHER})
    (found,) = trace(ledger, OTHER)
    assert (found.row.subject, found.path) == (MODEL, "a/b.bin")


def test_a_folder_is_traced_by_its_bytes(vetted, ledger):
    subject, made, folder = vetted
    assert identity.digest_of(ledger, str(folder)) == subject
    one = next(f.sha256 for f in made.files if f.path == "config.json")
    assert identity.digest_of(ledger, str(folder / "config.json")) == one


def test_what_nobody_knows_is_not_traced(ledger):
    with pytest.raises(UsageError, match="no model of the register"):
        trace(ledger, "99" * 32)
