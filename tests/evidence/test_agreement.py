"""The library, verify.py and verify_pack.py, each written on its own: the same bounds, names, keys and exit codes."""

import base64
import hashlib
import json
import os
from importlib.resources import files

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.folders import BOTH, OUTSIDER, loaded, model, signed, signer
from evidence.tampering import caught, whole
from sekisho.errors import DataError
from sekisho.evidence import bundle, checking, codes, dsse, keys, oms, ruling, walk
from sekisho.limits import DEFAULT
from sekisho.records import Decision
from sekisho.register.packs import sealing

PACK = loaded(str(files("sekisho.data") / "verify_pack.py"))

pytestmark = pytest.mark.integration


def resigned(made, name, change, key):
    """A signed text changed and signed anew, and the folder with it, as only the holder of the key can."""
    path = made[1] / name
    body = json.loads(path.read_bytes())
    text = json.loads(base64.b64decode(body.get("dsseEnvelope", body)["payload"]))
    change(text)
    data = dsse.dump(text)
    path.write_bytes(
        dsse.dump(dsse.bundle(data, key) if "dsseEnvelope" in body else dsse.envelope(data, (key,))) + b"\n"
    )
    if name != bundle.WHOLE:
        whole(made[1], key)


def own(**changes):
    return lambda text: text["predicate"]["sekisho"].update(changes)


def mixed(text):
    text["predicate"]["inputAttestations"].pop()
    text["predicate"]["sekisho"]["validUntil"] = "soon"


def maybe(text):
    text["predicate"]["verificationResult"] = "FAILED"
    text["predicate"]["sekisho"]["verdict"] = "maybe"


MALFORMED = {
    "another-verdict": (bundle.DECISION, maybe),
    "verdict-of-the-other-result": (
        bundle.DECISION,
        lambda t: t["predicate"].update(verificationResult="FAILED"),
    ),
    "no-last-day": (bundle.DECISION, own(validUntil="")),
    "approval-without-a-day": (bundle.DECISION, own(approvals=[{"who": "K. Sato", "what": "decision"}])),
    "exception-until-none": (
        bundle.DECISION,
        own(exceptions=[{"who": "K. Sato", "what": "x", "until": None}]),
    ),
    "registration-without-terms": (bundle.DECISION, own(preregistration={})),
    "terms-that-are-none": (bundle.DECISION, own(preregistration={"changed": None})),
    "terms-that-are-text": (bundle.DECISION, own(preregistration={"changed": ""})),
    "malformed-and-mixed": (bundle.DECISION, mixed),
    "nameless-subject": (bundle.DECISION, lambda t: t["subject"][0].update(name=None)),
    "nameless-folder": (bundle.WHOLE, lambda t: t["subject"][0].pop("name")),
    "paths-left-out-are-a-number": (
        bundle.WHOLE,
        lambda t: t["predicate"]["serialization"].update(ignore_paths=1),
    ),
    "paths-left-out-are-numbers": (
        bundle.WHOLE,
        lambda t: t["predicate"]["serialization"].update(ignore_paths=[1]),
    ),
    "numbered-subject": (bundle.DECISION, lambda t: t["subject"][0].update(name=1)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_so_to_both(verify, made, tmp_path, name):
    """Also under the demands that silence must not meet."""
    document, change = MALFORMED[name]
    resigned(made, document, change, signer(tmp_path))
    caught(verify, made, 4, document)
    caught(verify, made, 4, document, registered=True, admitted=True)


@pytest.mark.parametrize("name", [bundle.WHOLE, bundle.MODEL, bundle.BEHAVIOUR, bundle.DECISION])
def test_a_signature_over_nothing_is_unreadable_to_both(verify, made, tmp_path, name):
    key = signer(tmp_path)
    sealed = dsse.bundle(b"", key) if name.endswith(".sig") else dsse.envelope(b"", (key,))
    (made[1] / name).write_bytes(dsse.dump(sealed) + b"\n")
    lines = verify(made[1], model=made[0], key=made[2])[1]
    assert any(line.startswith(name) for line in lines), lines


def test_both_verifiers_agree_on_mutations(tmp_path):
    """Values of documents exchanged at random and signed anew by the key's holder: never a crash, the same exit code."""
    import random

    where, folder, key = signed(tmp_path)
    source, kept = random.Random(11), {p.name: p.read_bytes() for p in folder.iterdir()}
    names = sorted(n for n in kept if n.endswith((bundle.MODEL, ".intoto.json")))
    values = [None, 1, True, "", [], {}, "x" * 50, [1], {"a": 1}, "00" * 32, 10**30]
    for _ in range(40):
        name = source.choice(names)
        body = json.loads(kept[name])
        text = json.loads(base64.b64decode(body.get("dsseEnvelope", body)["payload"]))
        place, node = [], text
        while isinstance(node, dict | list) and node and (not place or source.random() < 0.8):
            at = source.choice(list(node) if isinstance(node, dict) else range(len(node)))
            place, node = [*place, (node, at)], node[at]
        place[-1][0][place[-1][1]] = source.choice(values)
        sealed = dsse.bundle if name.endswith(".sig") else lambda t, s: dsse.envelope(t, (s,))
        (folder / name).write_bytes(dsse.dump(sealed(dsse.dump(text), signer(tmp_path))) + b"\n")
        whole(folder, signer(tmp_path))
        codes = {v(folder, model=where, key=key)[0] for v in BOTH}
        assert len(codes) == 1, (name, place[-1])
        for other, data in kept.items():
            (folder / other).write_bytes(data)


def test_both_verifiers_have_the_same_bounds_names_and_forms():
    theirs = OUTSIDER
    assert theirs.KINDS == checking.KINDS
    assert theirs.SIGNED == checking.SIGNED
    assert theirs.ORDER == codes.ORDER
    assert (theirs.WHOLE, theirs.MODEL, theirs.DECISION, theirs.KEY) == (
        bundle.WHOLE,
        bundle.MODEL,
        bundle.DECISION,
        bundle.KEY,
    )
    assert {theirs.PAYLOAD, theirs.BUNDLE, theirs.STATEMENT} == {dsse.TYPE, dsse.MEDIA, oms.STATEMENT}
    assert set(theirs.VERDICTS) == {d.value for d in Decision}
    assert theirs.CACHE == walk.LEFTOVERS + "/"
    assert (theirs.NOTE.pattern, theirs.NOTE.flags) == (walk._NOTE.pattern, walk._NOTE.flags)
    assert theirs.DAY.pattern == ruling.DAY.pattern
    bounds = (theirs.MOST_BYTES, theirs.MOST_FILES, theirs.MOST_FOLDERS, theirs.MOST_SIGNATURES)
    assert bounds == (DEFAULT.evidence_bytes, DEFAULT.files, DEFAULT.depth, DEFAULT.signatures)
    assert DEFAULT.json_depth == theirs.MOST_NESTED


def test_a_file_that_cannot_be_read_is_that_and_a_changed_one_beside_it_is_graver(verify, made, monkeypatch):
    """Permissions would not keep out a test that runs as root."""
    digest, opener = walk.sha256, open

    def locked(path, *how):
        if str(path).endswith("config.json"):
            raise PermissionError(13, "Permission denied")
        return opener(path, *how)

    def hashed(path):
        locked(path, "rb").close()
        return digest(path)

    monkeypatch.setattr(OUTSIDER, "open", locked, raising=False)
    monkeypatch.setattr(walk, "sha256", hashed)
    caught(verify, made, 4, "config.json")
    (made[0] / "model.safetensors").write_bytes(b"other")
    caught(verify, made, 2, "config.json", "model.safetensors")


@pytest.mark.parametrize("named", [True, False])
def test_of_a_blob_in_a_download_cache_the_content_counts_and_not_the_name(verify, tmp_path, named):
    """A name that is no digest keeps it from being signed; once signed, the digest says all."""
    where, folder, key = signed(tmp_path)
    blobs = tmp_path / "models--org--m" / "blobs"
    snapshot = blobs.parent / "snapshots" / ("a" * 40)
    for at in sorted(p for p in where.rglob("*") if p.is_file()):
        name, data = at.relative_to(where).as_posix(), at.read_bytes()
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        blobs.mkdir(exist_ok=True)
        blob = blobs / (hashlib.sha256(data).hexdigest() if named else f"{len(name):064x}")
        blob.write_bytes(data)
        link.symlink_to(os.path.relpath(blob, link.parent))
    caught(verify, (snapshot, folder, key), 0)
    blob.write_bytes(b"other")
    caught(verify, (snapshot, folder, key), 2, name)


@pytest.mark.parametrize(("deep", "code"), [(DEFAULT.json_depth, 0), (DEFAULT.json_depth + 1, 4), (900, 4)])
def test_a_document_nested_deeper_than_the_bound_is_unreadable(verify, made, tmp_path, deep, code):
    """Also where only its signer could have made it so; a bracket in a text is none."""
    within: object = '[{"' * 200
    for _ in range(deep - 2):
        within = {"within": within}

    resigned(made, bundle.BEHAVIOUR, lambda t: t["predicate"].update(note=within), signer(tmp_path))
    resigned(made, bundle.DECISION, lambda t: _redo(t, made[1]), signer(tmp_path))
    caught(verify, made, code, *([bundle.BEHAVIOUR] if code else []))


def _redo(text, folder):
    """A decision that names the documents as they are."""
    for entry in text["predicate"]["inputAttestations"]:
        data = (folder / entry["uri"]).read_bytes()
        entry["digest"]["sha256"] = hashlib.sha256(data).hexdigest()


def test_the_verifier_of_a_pack_takes_the_same_keys_and_signatures():
    names = ("PAYLOAD", "OMS", "KEY", "MOST_FILES")
    assert [getattr(PACK, n) for n in names] == [getattr(OUTSIDER, n) for n in names]
    assert (PACK.SIGNATURE, PACK.KEY, PACK.MANIFEST) == (sealing.SIGNATURE, sealing.KEY, sealing.MANIFEST)
    kinds = [{c: type(d) for c, d in m.DIGESTS.items()} for m in (PACK, OUTSIDER)]
    assert kinds[0] == kinds[1] == {c.name: type(keys._DIGESTS[c.key_size]) for c in keys.CURVES.values()}
    for text in ("a\x1b[2J\u202eb", "x" * 999, "\ud800", "日本"):
        assert PACK.plain(text) == OUTSIDER.plain(text)


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1(), ec.SECP224R1()]
)
def test_all_three_know_a_key_by_the_same_mark_or_not_at_all(tmp_path, curve):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = ec.generate_private_key(curve).public_key().public_bytes(serialization.Encoding.PEM, form)
    (tmp_path / "pub").write_bytes(pem)
    if curve.name in OUTSIDER.DIGESTS:
        mark = keys.public(pem, "pub").fingerprint
        assert OUTSIDER.load_key(str(tmp_path / "pub"))[1] == PACK.load_key(pem)[1] == mark
        return
    for refused, read in (
        (DataError, lambda: keys.public(pem, "pub")),
        (OUTSIDER.Malformed, lambda: OUTSIDER.load_key(str(tmp_path / "pub"))),
        (ValueError, lambda: PACK.load_key(pem)),
    ):
        with pytest.raises(refused, match="P-256"):
            read()


def pack(tmp_path):
    """A signed folder as a pack is unpacked, and its public key."""
    where, key = model(tmp_path / "pack"), signer(tmp_path)
    (where / "manifest.sig").write_bytes(oms.sign(where, key)[1])
    return where, [PACK.load_key(key.public.pem)]


def test_nothing_of_a_pack_is_passed_over(tmp_path):
    where, pinned = pack(tmp_path)
    assert PACK.check(PACK.take(str(where)), pinned)[0] == 0
    model(where / "__pycache__")
    assert PACK.check(PACK.take(str(where)), pinned)[0] == 2


def test_a_pipe_in_a_pack_is_refused_and_not_waited_for(tmp_path):
    where, _ = pack(tmp_path)
    os.mkfifo(where / "pipe")
    with pytest.raises(ValueError, match="pipe is a link or no ordinary file"):
        PACK.take(str(where))


def test_a_changed_pack_of_another_key_is_of_another_key_first(tmp_path):
    where, _ = pack(tmp_path)
    (where / "signer.pub").write_bytes(signer(tmp_path).public.pem)
    pinned = [PACK.load_key(signer(tmp_path, "other").public.pem)]
    code, lines = PACK.check(PACK.take(str(where)), pinned)
    assert (code, len(lines)) == (5, 2), "the order of verify.py, and what was changed beside it"


def test_a_folder_without_a_manifest_is_said_in_words(tmp_path):
    assert "no manifest.json" in PACK.check({}, [])[1][0]
