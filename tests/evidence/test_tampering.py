"""Every way to tamper with evidence, by name, caught by the library and by verify.py with the same exit code."""

import base64
import json
import os
import shutil
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.folders import BOTH, dossier, model, signed, signer
from sekisho.evidence import bundle, dsse, statements
from sekisho.evidence.statements import Granted
from sekisho.records import Ruled, Ruling, Severity

STATEMENT = "behaviour.intoto.json"


@pytest.fixture
def made(tmp_path):
    return signed(tmp_path)


@pytest.fixture(params=BOTH, ids=["library", "verify.py"])
def verify(request):
    return request.param


def caught(verify, made, code, *names, **demands):
    where, folder, key = made
    found, lines = verify(folder, model=where, key=key, **demands)
    assert found == code, lines
    for name in names:
        assert any(line.startswith(name) for line in lines), (name, lines)
    assert all("\n" not in line for line in lines)


def edit(path, change):
    """Change an envelope, or the envelope within a bundle."""
    body = json.loads(path.read_bytes())
    change(body.get("dsseEnvelope", body))
    path.write_bytes(dsse.dump(body) + b"\n")


def payload(path, change):
    """Change the signed text and keep the signature."""

    def inner(envelope):
        text = json.loads(base64.b64decode(envelope["payload"]))
        change(text)
        envelope["payload"] = base64.b64encode(dsse.dump(text)).decode()

    edit(path, inner)


def whole(folder, key):
    """Sign the folder anew, as only the holder of the key can."""
    documents = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != bundle.WHOLE}
    (folder / bundle.WHOLE).write_bytes(bundle._whole(documents, folder.name, key)[0])


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


def test_every_byte_of_a_signature_counts(verify, made):
    path = made[1] / bundle.DECISION
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert verify(made[1], model=made[0], key=made[2])[0] in (2, 3), at


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


@pytest.mark.parametrize("name", [bundle.DECISION, STATEMENT, bundle.MODEL, bundle.WHOLE])
def test_edited_payload(verify, made, name):
    payload(made[1] / name, lambda text: text["subject"][0].update(name="other"))
    caught(verify, made, 3, name)


def test_edited_verdict(verify, made, tmp_path):
    found = dossier(made[0])
    hold = replace(found.verdict, decision=type(found.verdict.decision).HOLD)
    made = signed(tmp_path, made=replace(found, verdict=hold))
    caught(verify, made, 8, bundle.DECISION, admitted=True)
    payload(made[1] / bundle.DECISION, lambda t: t["predicate"].update(verificationResult="PASSED"))
    caught(verify, made, 3, bundle.DECISION, admitted=True)


def test_wrong_key(verify, made, tmp_path):
    signer(tmp_path, "other")
    caught(verify, (made[0], made[1], tmp_path / "other.pub"), 5, "signer.pub")


def test_all_signed_anew_by_a_stranger(verify, made, tmp_path):
    (made[0] / "model.safetensors").write_bytes(b"other weights")
    forged = signed(tmp_path, key="stranger")
    assert verify(forged[1], model=forged[0])[0] == 1, "without a pinned key nobody can tell"
    caught(verify, (forged[0], forged[1], made[2]), 5)


def test_public_key_swapped(verify, made, tmp_path):
    (made[1] / "signer.pub").write_bytes(signer(tmp_path, "other").public.pem)
    assert verify(made[1], model=made[0])[0] == 3
    caught(verify, (made[0], made[1], tmp_path / "other.pub"), 3)


def test_older_folder_of_the_same_model_is_replayed(verify, tmp_path):
    from datetime import UTC, datetime

    old = signed(tmp_path, now=datetime(2030, 5, 1, tzinfo=UTC))
    caught(verify, old, 0, at="2031-04-04")
    caught(verify, old, 6, bundle.DECISION, at="2031-04-04", not_before="2031-01-01")
    caught(verify, old, 7, bundle.DECISION, at="2031-05-03")
    caught(verify, old, 6, bundle.WHOLE, at="2031-04-04", evidence="ab" * 32)


def test_older_decision_in_a_newer_folder(verify, tmp_path):
    from datetime import UTC, datetime

    where, folder, _ = signed(tmp_path, now=datetime(2031, 1, 1, tzinfo=UTC))
    old = (folder / bundle.DECISION).read_bytes()
    made = signed(tmp_path, made=replace(dossier(where), profile="quick"))
    (folder / bundle.DECISION).write_bytes(old)
    caught(verify, made, 2, bundle.DECISION)
    whole(folder, signer(tmp_path))
    caught(verify, made, 6)


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


@pytest.mark.parametrize("size", [0, 1, 700])
def test_truncated_signature_of_the_folder(verify, made, size):
    (made[1] / bundle.WHOLE).write_bytes((made[1] / bundle.WHOLE).read_bytes()[:size])
    caught(verify, made, 4, bundle.WHOLE)


@pytest.mark.parametrize("name", [bundle.DECISION, bundle.MODEL, bundle.WHOLE])
def test_signature_stripped(verify, made, name):
    edit(made[1] / name, lambda e: e["signatures"][0].update(sig=""))
    caught(verify, made, 3, name)


@pytest.mark.parametrize("name", [bundle.DECISION, bundle.MODEL, bundle.WHOLE])
def test_empty_list_of_signatures(verify, made, name):
    edit(made[1] / name, lambda e: e.update(signatures=[]))
    caught(verify, made, 3, name)


@pytest.mark.parametrize("order", [1, -1])
def test_two_signatures_of_which_one_is_bad(verify, made, tmp_path, order):
    path = made[1] / STATEMENT
    text = base64.b64decode(json.loads(path.read_bytes())["payload"])
    both = (signer(tmp_path), signer(tmp_path, "stranger"))[::order]
    path.write_bytes(dsse.dump(dsse.envelope(text, both)) + b"\n")
    whole(made[1], signer(tmp_path))
    caught(verify, made, 3, STATEMENT)


def test_two_signatures_in_a_bundle(verify, made):
    edit(made[1] / bundle.MODEL, lambda e: e.update(signatures=e["signatures"] * 2))
    caught(verify, made, 2, bundle.MODEL)


def test_algorithm_confusion_by_another_payload_type(verify, made):
    edit(made[1] / bundle.DECISION, lambda e: e.update(payloadType="text/plain"))
    caught(verify, made, 2, bundle.DECISION)


def test_algorithm_confusion_by_hmac_with_the_public_key(verify, made):
    import hmac

    def forge(envelope):
        signed_text = dsse.pae(base64.b64decode(envelope["payload"]))
        mac = hmac.digest(made[2].read_bytes(), signed_text, "sha256")
        envelope["signatures"] = [{"sig": base64.b64encode(mac).decode(), "keyid": "", "alg": "none"}]

    edit(made[1] / bundle.WHOLE, forge)
    caught(verify, made, 3, bundle.WHOLE)


def test_algorithm_confusion_by_a_named_digest(verify, tmp_path):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    made = signed(tmp_path)
    key = signer(tmp_path)

    class Weak:
        public, chain = key.public, ()

        def sign(self, data):
            return key.key.sign(data, ec.ECDSA(hashes.SHA224()))

    text = base64.b64decode(json.loads((made[1] / bundle.WHOLE).read_bytes())["dsseEnvelope"]["payload"])
    (made[1] / bundle.WHOLE).write_bytes(dsse.dump(dsse.bundle(text, Weak())) + b"\n")
    caught(verify, made, 3, bundle.WHOLE)


def test_algorithm_confusion_by_a_key_of_another_kind(verify, made):
    from cryptography.hazmat.primitives import serialization

    other = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (made[1] / "signer.pub").write_bytes(pem)
    caught(verify, made, 4)


def test_expired_decision(verify, tmp_path):
    made = signed(tmp_path, valid_days=10)
    caught(verify, made, 0, at="2031-04-13")
    caught(verify, made, 7, bundle.DECISION, at="2031-04-14")


def test_expired_approval(verify, tmp_path):
    made = signed(
        tmp_path, approvals=(Granted("K. Sato", "decision", "2031-06-30"), Granted("Plant 2", "decision"))
    )
    caught(verify, made, 0, at="2031-06-30")
    caught(verify, made, 7, bundle.DECISION, at="2031-07-01")
    assert any("K. Sato" in line for line in verify(made[1], at="2031-07-01")[1])


def test_expired_exception(verify, tmp_path):
    where = model(tmp_path / "model", name=b"x")
    found = dossier(where)
    ruled = Ruling(Ruled.SUPPRESSED, Severity.HOLD, "known and harmless", "K. Sato", "2031-05-31")
    finding = replace(found.findings[0], rulings=(ruled,))
    made = signed(tmp_path, name="model", made=replace(found, findings=(finding, *found.findings[1:])))
    caught(verify, made, 0, at="2031-05-31")
    caught(verify, made, 7, bundle.DECISION, at="2031-06-01")


def test_signed_anew_without_a_document(verify, made, tmp_path):
    (made[1] / STATEMENT).unlink()
    whole(made[1], signer(tmp_path))
    caught(verify, made, 6, STATEMENT)


def test_a_decision_that_says_two_things(verify, made, tmp_path):
    path = made[1] / bundle.DECISION
    text = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    text["predicate"]["verificationResult"] = "FAILED"
    path.write_bytes(dsse.dump(dsse.envelope(dsse.dump(text), (signer(tmp_path),))) + b"\n")
    whole(made[1], signer(tmp_path))
    caught(verify, made, 4, bundle.DECISION)


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


HOSTILE_PREDICATES = [
    {"sekisho": {}},
    {"inputAttestations": [1]},
    {"inputAttestations": [{"uri": [1], "digest": {}}]},
    {"inputAttestations": {"a": 1}},
    {"timeVerified": 5, "sekisho": None},
]


@pytest.mark.parametrize("change", HOSTILE_PREDICATES)
def test_hostile_decisions_of_the_key_s_holder(verify, made, tmp_path, change):
    path = made[1] / bundle.DECISION
    text = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    text["predicate"] |= change
    path.write_bytes(dsse.dump(dsse.envelope(dsse.dump(text), (signer(tmp_path),))) + b"\n")
    whole(made[1], signer(tmp_path))
    assert verify(made[1], model=made[0], key=made[2])[0] in (4, 6)


def test_changed_policy_is_named(verify, tmp_path):
    where = model(tmp_path / "model", name=b"x")
    found = dossier(where)
    subject = statements.Subject("model", bundle.oms.manifest("model", bundle.walk.take(where)).root)
    terms = statements.Terms("default", "0" * 64, "1" * 64, found.plan_digest, found.profile, (), ())
    text = statements.preregistration(subject, terms, "sekisho 0", "2031-04-01T00:00:00Z")
    made = signed(tmp_path, made=found, registration=bundle.register(text, signer(tmp_path)))
    code, lines = verify(made[1], model=made[0], key=made[2])
    assert code == 0
    assert any("policy" in line for line in lines)
    caught(verify, made, 8, bundle.DECISION, registered=True)


def test_kept_registration(verify, tmp_path):
    where = model(tmp_path / "model", name=b"x")
    found = dossier(where)
    subject = statements.Subject("model", bundle.oms.manifest("model", bundle.walk.take(where)).root)
    terms = statements.Terms(
        "default", found.policy_digest, "1" * 64, found.plan_digest, found.profile, (), ()
    )
    text = statements.preregistration(subject, terms, "sekisho 0", "2031-04-01T00:00:00Z")
    made = signed(tmp_path, made=found, registration=bundle.register(text, signer(tmp_path)))
    caught(verify, made, 0, registered=True, admitted=True)
    late = statements.preregistration(subject, terms, "sekisho 0", "2031-04-02T09:00:00Z")
    made = signed(tmp_path, made=found, registration=bundle.register(late, signer(tmp_path)))
    caught(verify, made, 8, registered=True)


def test_no_registration(verify, made):
    caught(verify, made, 8, bundle.DECISION, registered=True)


UNSIGNED = {
    "hint": lambda b: b["verificationMaterial"]["publicKey"].update(hint="0" * 64),
    "no-hint": lambda b: b["verificationMaterial"].update(publicKey={}),
    "log-entry": lambda b: b["verificationMaterial"].update(tlogEntries=[{"logIndex": "1"}]),
    "keyid": lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid="f" * 64),
    "more-in-a-signature": lambda b: b["dsseEnvelope"]["signatures"][0].update(alg="none"),
    "more-in-the-envelope": lambda b: b["dsseEnvelope"].update(note="approved"),
    "more-in-the-bundle": lambda b: b.update(note="approved"),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_no_signature_covers_is_not_there(verify, made, name):
    path = made[1] / bundle.WHOLE
    body = json.loads(path.read_bytes())
    UNSIGNED[name](body)
    path.write_bytes(dsse.dump(body) + b"\n")
    caught(verify, made, 4, bundle.WHOLE)


def test_no_flipped_bit_of_the_folder_s_signature_passes(verify, made):
    path = made[1] / bundle.WHOLE
    data = path.read_bytes()
    for at in range(0, len(data), 61):
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 7)]) + data[at + 1 :])
        assert verify(made[1], model=made[0], key=made[2])[0] in (3, 4), at
    assert data[-1:] == b"\n"
    for other in (data[:-1], data + b"\n", b" " + data, data.replace(b'":', b'": ', 1)):
        path.write_bytes(other)
        assert verify(made[1], model=made[0], key=made[2])[0] == 4


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
