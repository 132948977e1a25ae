"""Files and documents changed, added, removed or swapped, caught by the library and by verify.py with the same exit code."""

import base64
import json
import os
import shutil

import pytest

from evidence.folders import BOTH, model, signed, signer
from evidence.tampering import STATEMENT, caught, whole
from sekisho.evidence import bundle, dsse

pytestmark = pytest.mark.integration


def test_untouched(verify, made):
    caught(verify, made, 0)
    assert verify(made[1], model=made[0])[0] == 1
    assert any("model.sig" in line for line in verify(made[1], key=made[2])[1]), "not looking is told"


def test_flipped_byte_in_weights(verify, made):
    data = bytearray((made[0] / "model.safetensors").read_bytes())
    data[5] ^= 1
    (made[0] / "model.safetensors").write_bytes(data)
    caught(verify, made, 2, "model.safetensors")


@pytest.mark.parametrize("name", ["dossier.json", "report.en.html", "verify.py", "signer.pub"])
def test_flipped_byte_in_a_document(verify, made, name):
    data = bytearray((made[1] / name).read_bytes())
    data[-2] ^= 1
    (made[1] / name).write_bytes(data)
    code = verify(made[1], model=made[0], key=made[2])[0]
    assert code in ((2,) if name != "signer.pub" else (2, 4))


def test_missing_file(verify, made):
    (made[0] / "sub" / "tokenizer.json").unlink()
    caught(verify, made, 2, "sub/tokenizer.json")


def test_added_file(verify, made):
    (made[0] / "soft_prompt.pt").write_bytes(b"x")
    caught(verify, made, 2, "soft_prompt.pt")


def test_renamed_file(verify, made):
    (made[0] / "config.json").rename(made[0] / "Config.json")
    caught(verify, made, 2, "config.json", "Config.json")


@pytest.mark.parametrize("name", ["dossier.json", "signer.pub", bundle.DECISION, bundle.MODEL, STATEMENT])
def test_missing_document(verify, made, name):
    (made[1] / name).unlink()
    caught(verify, made, 2, name)


def test_added_document(verify, made):
    (made[1] / "approval.txt").write_bytes(b"all is well")
    caught(verify, made, 2, "approval.txt")


def test_added_folder_of_documents(verify, made):
    (made[1] / "more").mkdir()
    (made[1] / "more" / "a.intoto.json").write_bytes(b"{}")
    assert verify(made[1], model=made[0], key=made[2])[0] == 2


def test_git_folder_beside(verify, made):
    (made[0] / ".git").mkdir()
    (made[0] / ".git" / "hook").write_bytes(b"x")
    caught(verify, made, 2, ".git")


@pytest.mark.parametrize(
    "name",
    [".gitattributes", ".github/x", ".cache/x", ".cache/huggingface/adapter.safetensors", ".cache/huggingface/download/a.metadata",
     ".cache/huggingface/a.lock", ".cache/huggingface/.gitignore", ".cache/huggingface/trees/x.json"],
)  # fmt: skip
def test_cache_and_hidden_files_beside(verify, made, name):
    model(made[0], **{name: b"anything else"})
    caught(verify, made, 2, name)


def test_what_a_download_leaves_is_named_and_passes(verify, made):
    note = b"0123456789" * 4 + b'\n"' + b"ab" * 32 + b'"\n1700000000.5\n'
    at = ".cache/huggingface/"
    names = (
        at + "download/config.json.metadata",
        at + "download/config.json.lock",
        at + ".gitignore",
        at + "CACHEDIR.TAG",
    )
    contents = (note, b"", b"*", b"Signature: 8a477f597d28d172789f06886806bc55\n")
    model(made[0], **dict(zip(names, contents, strict=True)))
    caught(verify, made, 0, *names) if verify is BOTH[0] else caught(verify, made, 0)


def test_accepted_beside_is_named(verify, made):
    model(made[0], **{".git/config": b"x", "notes/mine.txt": b"x"})
    found, lines = verify(made[1], model=made[0], key=made[2], beside=(".git", "notes"))
    assert found == 0
    assert any("notes/mine.txt" in line for line in lines)


def test_gitattributes_is_covered(verify, tmp_path):
    model(tmp_path / "model", **{".gitattributes": b"*.bin filter=lfs\n"})
    made = signed(tmp_path)
    caught(verify, made, 0)
    (made[0] / ".gitattributes").write_bytes(b"changed")
    caught(verify, made, 2, ".gitattributes")


@pytest.mark.parametrize("target", ["/etc/hostname", "nowhere", "sub"])
def test_link_in_a_file_s_place(verify, made, target):
    (made[0] / "config.json").unlink()
    (made[0] / "config.json").symlink_to(target)
    caught(verify, made, 2, "config.json")


def test_pipe_in_a_file_s_place(verify, made):
    (made[0] / "config.json").unlink()
    os.mkfifo(made[0] / "config.json")
    caught(verify, made, 2, "config.json")


def test_linked_document(verify, made, tmp_path):
    shutil.move(made[1] / STATEMENT, tmp_path / "elsewhere.json")
    (made[1] / STATEMENT).symlink_to(tmp_path / "elsewhere.json")
    assert verify(made[1], model=made[0], key=made[2])[0] == 2


def test_signature_of_another_model(verify, made, tmp_path):
    other = signed(tmp_path, name="another")
    shutil.copy(other[1] / bundle.MODEL, made[1] / bundle.MODEL)
    caught(verify, made, 2, bundle.MODEL)
    whole(made[1], signer(tmp_path))
    assert verify(made[1], key=made[2])[0] == 6


def test_evidence_of_another_model(verify, made, tmp_path):
    other = signed(tmp_path, name="another")
    caught(verify, (other[0], made[1], made[2]), 2)


def test_swapped_statements(verify, made, tmp_path):
    first, second = made[1] / bundle.INTAKE, made[1] / STATEMENT
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    caught(verify, made, 2, bundle.INTAKE, STATEMENT)
    whole(made[1], signer(tmp_path))
    caught(verify, made, 6, bundle.INTAKE, STATEMENT)


@pytest.mark.parametrize("size", [0, 1, 700])
@pytest.mark.parametrize("name", [bundle.DECISION, bundle.MODEL])
def test_truncated_file(verify, made, name, size):
    (made[1] / name).write_bytes((made[1] / name).read_bytes()[:size])
    caught(verify, made, 2, name)


HOSTILE = {
    "deep": b'{"a":' * 200_000,
    "deep-list": b'{"payload":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "twice": b'{"payloadType":"a","payloadType":"b"}',
    "list": b"[]",
    "bytes": b"\xff\xfe\x00",
    "number": b'{"payload":' + b"9" * 10_000 + b"}",
    "no-base64": b'{"payloadType":"application/vnd.in-toto+json","payload":"***","signatures":[]}',
    "odd-signatures": b'{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[1]}',
    "many": b'{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":['
    + b'{"sig":"AA=="},' * 99
    + b'{"sig":""}]}',
    "material": b'{"dsseEnvelope":[],"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":1}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_one_line(verify, made, name):
    (made[1] / bundle.WHOLE).write_bytes(HOSTILE[name])
    caught(verify, made, 4, bundle.WHOLE)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "sub/../../x"])
def test_path_traversal_in_a_manifest(verify, made, tmp_path, name):
    body = json.loads((made[1] / bundle.MODEL).read_bytes())
    text = json.loads(base64.b64decode(body["dsseEnvelope"]["payload"]))
    text["predicate"]["resources"][0]["name"] = name
    (made[1] / bundle.MODEL).write_bytes(dsse.dump(dsse.bundle(dsse.dump(text), signer(tmp_path))) + b"\n")
    whole(made[1], signer(tmp_path))
    caught(verify, made, 6)  # nothing was looked at there, and the decision does not name this signature
    assert any("leads out" in line for line in verify(made[1], key=made[2])[1])
