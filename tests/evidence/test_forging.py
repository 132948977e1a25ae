"""Signatures and keys forged, stripped, exchanged or confused, and what no signature covers; both verifiers agree."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.folders import signed, signer
from evidence.tampering import STATEMENT, caught, edit, payload, whole
from sekisho.evidence import bundle, dsse

pytestmark = pytest.mark.integration


def test_every_byte_of_a_signature_counts(verify, made):
    path = made[1] / bundle.DECISION
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert verify(made[1], model=made[0], key=made[2])[0] in (2, 3), at


@pytest.mark.parametrize("name", [bundle.DECISION, STATEMENT, bundle.MODEL, bundle.WHOLE])
def test_edited_payload(verify, made, name):
    payload(made[1] / name, lambda text: text["subject"][0].update(name="other"))
    caught(verify, made, 3, name)


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


def certified(*chain, **more):
    return {"x509CertificateChain": {"certificates": list(chain), **more}, "tlogEntries": []}


UNSIGNED = {
    "hint": lambda b: b["verificationMaterial"]["publicKey"].update(hint="0" * 64),
    "no-hint": lambda b: b["verificationMaterial"].update(publicKey={}),
    "log-entry": lambda b: b["verificationMaterial"].update(tlogEntries=[{"logIndex": "1"}]),
    "keyid": lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid="f" * 64),
    "more-in-a-signature": lambda b: b["dsseEnvelope"]["signatures"][0].update(alg="none"),
    "more-in-the-envelope": lambda b: b["dsseEnvelope"].update(note="approved"),
    "more-in-the-bundle": lambda b: b.update(note="approved"),
    "more-in-the-key": lambda b: b["verificationMaterial"]["publicKey"].update(note="approved"),
    "more-in-the-chain": lambda b: b.update(
        verificationMaterial=certified({"rawBytes": "AAAA"}, note="approved")
    ),
    "more-in-a-certificate": lambda b: b.update(
        verificationMaterial=certified({"rawBytes": "AAAA", "note": "x"})
    ),
    "no-certificate": lambda b: b.update(verificationMaterial=certified()),
    "certificate-of-no-bytes": lambda b: b.update(verificationMaterial=certified({})),
    "too-many-certificates": lambda b: b.update(verificationMaterial=certified(*[{"rawBytes": "AAAA"}] * 17)),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_no_signature_covers_is_not_there(verify, made, name):
    path = made[1] / bundle.WHOLE
    body = json.loads(path.read_bytes())
    UNSIGNED[name](body)
    path.write_bytes(dsse.dump(body) + b"\n")
    caught(verify, made, 4, bundle.WHOLE)


def test_an_envelope_is_no_bundle(verify, made):
    path = made[1] / bundle.WHOLE
    path.write_bytes(dsse.dump(json.loads(path.read_bytes())["dsseEnvelope"]) + b"\n")
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
