"""Records and commits that lie about where a model came from."""

import json

import pytest

from sekisho.errors import MalformedError
from sekisho.provenance import gitobjects, origin, proof
from sekisho.provenance.gitobjects import Entry


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
