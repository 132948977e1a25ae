"""Records and commits that lie about where a model came from."""

import json

import pytest

from artefacts import tiny_model
from sekisho import inventory
from sekisho.errors import MalformedError
from sekisho.provenance import gitobjects, ladder, origin, proof
from sekisho.provenance.evidence import Request, gather
from sekisho.provenance.gitobjects import Entry
from sekisho.provenance.records import Level
from sources import servers


@pytest.mark.parametrize("revision", ["main", "a" * 39, "A" * 40, "sha256:12", "v1.0", " "])
def test_a_record_never_names_a_revision_that_can_move(revision):
    body = json.loads(origin.dump(origin.Origin("hf:a/b", "main", "a" * 40, "", "")))
    assert origin.parse(json.dumps(body).encode()).revision == "a" * 40
    with pytest.raises(MalformedError, match="can move"):
        origin.parse(json.dumps(body | {"revision": revision}).encode())


def test_a_tree_that_lists_a_name_twice_is_refused():
    one, two = (b"100644 a\0" + bytes([n]) * 20 for n in (1, 2))
    with pytest.raises(MalformedError, match="twice"):
        gitobjects.parse_tree(one + two)


def test_a_link_is_not_proven_by_a_file_that_holds_its_text():
    text = gitobjects.object_id("blob", b"elsewhere.json")
    wanted = gitobjects.tree_objects([Entry("config.json", gitobjects.FILE, text)])[""]
    tree = gitobjects.object_id("tree", wanted)
    body = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n".encode()
    mine = proof.Blob("config.json", gitobjects.LINK, text, lfs=False, sha256="ab" * 32, size=14)
    found = proof.prove([mine], gitobjects.object_id("commit", body), body, {tree: wanted})
    assert not found.held
    assert [(d.path, d.kind) for d in found.deviations] == [("config.json", "altered")]


def test_a_manifest_without_layers_fits_no_files(tmp_path):
    folder = tiny_model(tmp_path / "m")
    manifest = '{"layers": []}'
    revision = f"sha256:{servers.sha256(manifest.encode())}"
    made = origin.Origin("oci://h/m", "v1", revision, "", "", manifest=manifest)
    origin.place(folder).write_bytes(origin.dump(made))
    seen = gather(inventory.take(folder), folder, Request(revision))
    assert seen.origin is not None
    assert not seen.manifest_fits


def test_a_single_file_is_held_against_its_digest_without_any_record(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes((tiny_model(tmp_path / "m") / "model.safetensors").read_bytes())
    seen = inventory.take(path)
    right = f"sha256:{servers.sha256(path.read_bytes())}"
    assert gather(seen, path, Request(right)).manifest_fits
    assert not gather(seen, path, Request("sha256:" + "0" * 64)).manifest_fits


def test_edited_records_stay_open_whatever_a_signature_said_before():
    held = ladder.Ground(held=True, code="own-record")
    own = ladder.Ground(held=True, code=ladder.BY_RECORD)
    before = ladder.climb(ladder.Grounds(held, own, ladder.Ground(held=True, code="intake-signature")))
    assert before.level is Level.INTAKE_SIGNED
    fresh = ladder.signed(before, ladder.NO_INTAKE)
    assert fresh.level is Level.MATCHED
    assert "edited-records" in fresh.attacks
