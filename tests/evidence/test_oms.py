"""OMS v1.0: the documented structure, and the reference implementation in both directions (slow, in a venv of its own)."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.folders import model
from sekisho.errors import DataError, LimitError, MalformedError, SourceError
from sekisho.evidence import dsse, keys, oms, walk
from sekisho.limits import Limits


def made(tmp_path, curve="P-256"):
    where = model(tmp_path / "m", **{"sub.x": b"1", "sub-x/y": b"2", ".gitattributes": b"*", "sub/z": b"3"})
    keys.create(tmp_path / "key", curve)
    return where, *oms.sign(where, keys.read(tmp_path / "key"))


@pytest.mark.parametrize(
    ("curve", "digest"), [("P-256", hashes.SHA256), ("P-384", hashes.SHA384), ("P-521", hashes.SHA512)]
)
def test_documented_structure(tmp_path, curve, digest):
    where, manifest, data = made(tmp_path, curve)
    body = json.loads(data)
    public = (tmp_path / "key.pub").read_bytes()
    assert body["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert body["verificationMaterial"] == {
        "publicKey": {"hint": hashlib.sha256(public).hexdigest()},
        "tlogEntries": [],
    }
    envelope = body["dsseEnvelope"]
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    text = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(text)).encode() + b" " + text
    key = serialization.load_pem_public_key(public)
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed, ec.ECDSA(digest()))
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed + b" ", ec.ECDSA(digest()))
    statement = json.loads(text)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"
    resources = statement["predicate"]["resources"]
    names = [r["name"] for r in resources]
    assert names == ["config.json", "model.safetensors", "sub/tokenizer.json", "sub/z", "sub-x/y", "sub.x"], (
        "by parts of the path"
    )
    raw = b"".join(bytes.fromhex(r["digest"]) for r in resources)
    assert statement["subject"] == [{"name": "m", "digest": {"sha256": hashlib.sha256(raw).hexdigest()}}]
    assert manifest.root == statement["subject"][0]["digest"]["sha256"]
    how = statement["predicate"]["serialization"]
    assert (how["method"], how["hash_type"], how["allow_symlinks"]) == ("files", "sha256", False)
    assert set(how["ignore_paths"]) >= {".git", ".gitattributes", ".github", ".gitignore"}
    assert where.name == "m"


def test_own_signature_is_read_back(tmp_path):
    where, manifest, data = made(tmp_path)
    envelope = dsse.opened(data)
    assert dsse.signer(envelope, (keys.read_public(tmp_path / "key.pub"),))[1] == 0
    assert oms.read(envelope.payload) == manifest
    assert oms.compare(manifest, walk.take(where)).differences == ()


def test_one_file(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    keys.create(tmp_path / "key")
    manifest, _ = oms.sign(tmp_path / "a.gguf", keys.read(tmp_path / "key"))
    assert (manifest.name, list(manifest.files)) == ("a.gguf", ["."])
    assert oms.compare(manifest, walk.take(tmp_path / "a.gguf")).differences == ()
    assert oms.compare(manifest, walk.take(tmp_path)).differences


def cached(tmp_path, blob=None):
    """A snapshot as the Hugging Face cache lays it out: one large file, one small."""
    snapshot = tmp_path / "models--org--m" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    blobs = tmp_path / "models--org--m" / "blobs"
    blobs.mkdir()
    small = hashlib.sha1(b"blob 2\0{}", usedforsecurity=False).hexdigest()
    for name, data, mark in (
        ("model.safetensors", b"big", blob or hashlib.sha256(b"big").hexdigest()),
        ("config.json", b"{}", small),
    ):
        (blobs / mark).write_bytes(data)
        (snapshot / name).symlink_to(f"../../blobs/{mark}")
    return snapshot


def test_snapshot_of_a_download_cache(tmp_path):
    snapshot = cached(tmp_path)
    keys.create(tmp_path / "key")
    manifest, data = oms.sign(snapshot, keys.read(tmp_path / "key"))
    assert set(manifest.files) == {"config.json", "model.safetensors"}
    assert b'"allow_symlinks":true' in dsse.opened(data).payload
    assert oms.compare(manifest, walk.take(snapshot)).differences == ()


@pytest.mark.parametrize("blob", ["b" * 64, "c" * 40, "other"])
def test_a_blob_under_another_name_is_not_signed(tmp_path, blob):
    with pytest.raises(DataError, match=r"model\.safetensors: a cache blob"):
        oms.manifest("m", walk.take(cached(tmp_path, blob)))


@pytest.mark.parametrize(
    ("target", "told"), [("/etc/hostname", "leaves"), ("gone", "nothing"), ("sub", "to a folder")]
)
def test_links_are_not_signed(tmp_path, target, told):
    where = model(tmp_path / "m")
    (where / "x").symlink_to(target)
    with pytest.raises(DataError, match=f"^x: .*{told}"):
        oms.manifest("m", walk.take(where))


def test_names_that_are_no_text(tmp_path):
    where = model(tmp_path / "m")
    Path(os.fsdecode(os.fsencode(where) + b"/\xff")).touch()
    with pytest.raises(DataError, match="not plain text"):
        oms.manifest("m", walk.take(where))


def test_nothing_to_sign(tmp_path):
    model(tmp_path / "m" / ".git")
    with pytest.raises(DataError, match="no file"):
        oms.manifest("m", walk.take(tmp_path / "m"))
    with pytest.raises(SourceError, match="no such"):
        walk.take(tmp_path / "gone")


def test_bounds(tmp_path):
    where = model(tmp_path / "m", **{"a/b/c/d": b""})
    with pytest.raises(LimitError, match="nested"):
        walk.take(where, Limits(depth=2))
    with pytest.raises(LimitError, match="files"):
        walk.take(where, Limits(files=2))
    with pytest.raises(LimitError, match="in bytes"):
        dsse.parse(b"{}" + b" " * 99, Limits(evidence_bytes=50))
    with pytest.raises(LimitError, match="nesting"):
        dsse.parse(b'{"a":' * 70 + b"1" + b"}" * 70)
    dsse.parse(b'{"a":"' + b"[" * 999 + b'\\""}')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"predicateType": "https://example.org/x"}, "no OMS"),
        ({"_type": "x"}, "no OMS"),
        ({"subject": []}, "one subject"),
        ({"subject": [{"name": "m", "digest": {"sha256": "00" * 32}}]}, "root digest"),
        (
            {"predicate": {"serialization": {"method": "shards", "hash_type": "sha256"}, "resources": []}},
            "is not read",
        ),
        (
            {"predicate": {"serialization": {"method": "files", "hash_type": "blake3"}, "resources": []}},
            "is not read",
        ),
        (
            {"predicate": {"serialization": {"method": "files", "hash_type": "sha256"}, "resources": [{}]}},
            "without its name",
        ),
    ],
)
def test_statements_that_are_not_read(tmp_path, change, told):
    _, manifest, _ = made(tmp_path)
    body = json.loads(oms.payload(manifest)) | change
    with pytest.raises(MalformedError, match=told):
        oms.read(dsse.dump(body))


def test_the_same_file_twice(tmp_path):
    _, manifest, _ = made(tmp_path)
    body = json.loads(oms.payload(manifest))
    body["predicate"]["resources"].append(body["predicate"]["resources"][0])
    with pytest.raises(MalformedError, match="twice"):
        oms.read(dsse.dump(body))


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The reference implementation in a venv; it needs pyOpenSSL, which it does not declare."""
    where = os.environ.get("SEKISHO_OMS_VENV") or str(tmp_path_factory.mktemp("venv"))
    if not Path(where, "bin", "model_signing").exists():
        subprocess.run([sys.executable, "-m", "venv", where], check=True)
        subprocess.run([f"{where}/bin/pip", "install", "-q", "model-signing==1.1.1", "pyOpenSSL"], check=True)
    return lambda *a: subprocess.run(
        [f"{where}/bin/model_signing", *a], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_the_reference_verifies_ours(tmp_path, reference, curve):
    where, _, data = made(tmp_path, curve)
    (tmp_path / "m.sig").write_bytes(data)
    given = (
        "verify",
        "key",
        str(where),
        "--public_key",
        f"{tmp_path}/key.pub",
        "--signature",
        f"{tmp_path}/m.sig",
    )
    assert reference(*given).returncode == 0
    (where / "config.json").write_bytes(b"[]")
    assert reference(*given).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_we_verify_the_reference_s(tmp_path, reference, curve):
    where, manifest, _ = made(tmp_path, curve)
    signature = tmp_path / "m.sig"
    done = reference(
        "sign", "key", str(where), "--private_key", f"{tmp_path}/key", "--signature", str(signature)
    )
    assert done.returncode == 0, done.stderr
    envelope = dsse.opened(signature.read_bytes())
    assert dsse.signer(envelope, (keys.read_public(tmp_path / "key.pub"),))[1] == 0
    theirs = oms.read(envelope.payload)
    assert theirs.root == manifest.root
    found = oms.compare(theirs, walk.take(where)).differences
    assert [(d.path, d.cause) for d in found] == [(".gitattributes", "added")], "in their signature it is not"


@pytest.mark.slow
def test_the_reference_verifies_a_snapshot_and_one_file(tmp_path, reference):
    snapshot = cached(tmp_path)
    keys.create(tmp_path / "key")
    for where in (snapshot, snapshot / "config.json"):
        (tmp_path / "m.sig").write_bytes(oms.sign(where, keys.read(tmp_path / "key"))[1])
        done = reference(
            "verify",
            "key",
            str(where),
            "--public_key",
            f"{tmp_path}/key.pub",
            "--signature",
            f"{tmp_path}/m.sig",
            "--allow_symlinks",
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_reference_verifies_the_evidence_folder_itself(tmp_path, reference):
    from evidence.folders import signed

    _, folder, key = signed(tmp_path)
    given = (
        "verify",
        "key",
        str(folder),
        "--public_key",
        str(key),
        "--signature",
        str(folder / "evidence.sig"),
    )
    assert reference(*given).returncode == 0
    (folder / "dossier.json").write_bytes(b"{}")
    assert reference(*given).returncode == 1
