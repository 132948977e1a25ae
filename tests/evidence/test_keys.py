"""Keys: made once and privately, refused by kind with a readable line, certificates and tokens beside them."""

import os
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from evidence.folders import DAY, NOW, dossier, model
from sekisho.errors import DataError, UsageError
from sekisho.evidence import bundle, checking, keys, signers, token
from sekisho.evidence.ruling import Demands

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def private(key, path, passphrase=None):
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return path


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_a_key_is_made_once_and_for_its_owner(tmp_path, curve):
    old = os.umask(0)
    try:
        made = keys.create(tmp_path / "a" / "key", curve)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "key").stat().st_mode) == 0o600
    assert keys.read_public(tmp_path / "a" / "key.pub") == made == keys.read(tmp_path / "a" / "key").public
    assert made.curve == curve
    with pytest.raises(UsageError, match="never overwritten"):
        keys.create(tmp_path / "a" / "key")


def test_half_a_pair_is_not_left(tmp_path):
    (tmp_path / "key.pub").write_text("mine")
    with pytest.raises(UsageError, match=r"key\.pub: exists"):
        keys.create(tmp_path / "key")
    assert not (tmp_path / "key").exists()


def test_passphrase(tmp_path, monkeypatch):
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    assert keys.passphrase(None) is None
    (tmp_path / "word").write_bytes(b"open sesame\n")
    word = keys.passphrase(tmp_path / "word")
    keys.create(tmp_path / "key", passphrase=word)
    assert b"ENCRYPTED" in (tmp_path / "key").read_bytes()
    assert keys.read(tmp_path / "key", word)
    with pytest.raises(UsageError, match="needs a passphrase"):
        keys.read(tmp_path / "key")
    with pytest.raises(DataError, match="not opened"):
        keys.read(tmp_path / "key", b"other")
    monkeypatch.setenv(keys.VARIABLE, "open sesame")
    assert keys.read(tmp_path / "key", keys.passphrase(None))
    (tmp_path / "word").write_bytes(b"\n")
    with pytest.raises(DataError, match="is empty"):
        keys.passphrase(tmp_path / "word")


def test_an_open_key_needs_no_passphrase(tmp_path):
    keys.create(tmp_path / "key")
    assert keys.read(tmp_path / "key", b"not used")


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (rsa.generate_private_key(65537, 2048), "RSA"),
        (dsa.generate_private_key(2048), "DSA"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (ec.generate_private_key(ec.BrainpoolP256R1()), "brainpoolP256r1"),
        (ec.generate_private_key(ec.SECP224R1()), "P-256, P-384 or P-521"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_other_kinds_are_named_and_refused(tmp_path, key, named):
    with pytest.raises(DataError, match=named):
        keys.read(private(key, tmp_path / "key"))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "pub").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    with pytest.raises(DataError, match="used here"):
        keys.read_public(tmp_path / "pub")


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 99, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_other_bytes_are_no_key(tmp_path, data):
    (tmp_path / "key").write_bytes(data)
    for reader in (keys.read, keys.read_public):
        with pytest.raises(DataError, match="key: no p"):
            reader(tmp_path / "key")


def test_bounds(tmp_path):
    (tmp_path / "key").write_bytes(b" " * 300_000)
    with pytest.raises(DataError, match="over the limit"):
        keys.read(tmp_path / "key")
    with pytest.raises(DataError, match="no such file"):
        keys.read(tmp_path)


def certificate(name, key, issuer, signing, *, ca=False, usage=True, days=400):  # noqa: PLR0913  what it says
    """A certificate of `name`, issued by another or by itself."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    other = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)])
    used = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
    }
    used |= {
        "encipher_only": False,
        "decipher_only": False,
        "crl_sign": ca,
        "key_cert_sign": ca,
        "digital_signature": usage,
    }
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(other)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**used), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    )
    return made.sign(signing, hashes.SHA256())


def chained(tmp_path, **leaf):
    """An evidence folder signed by a certificate below an intermediate below a root."""
    root, middle, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    pem = serialization.Encoding.PEM
    top = certificate("Root", root, "Root", root, ca=True)
    between = certificate("Plant", middle, "Root", root, ca=leaf.pop("middle_ca", True))
    mine = certificate("Signer", own, "Plant", middle, **leaf)
    (tmp_path / "root.pem").write_bytes(top.public_bytes(pem))
    (tmp_path / "chain.pem").write_bytes(mine.public_bytes(pem) + between.public_bytes(pem))
    private(own, tmp_path / "key")
    where = model(tmp_path / "model")
    signer = signers.named(str(tmp_path / "key"), None, tmp_path / "chain.pem")
    bundle.write(dossier(where), where, signer, tmp_path / "e", extras=bundle.Extras(now=NOW))
    return where, tmp_path / "e"


def held(folder, where, *paths, at=DAY):
    pinned, anchors = signers.pins(paths)
    found = checking.verify(folder, pinned, anchors=anchors, model=where, demands=Demands(at))
    return found.code


def test_a_certificate_leads_to_the_root_named(tmp_path):
    where, folder = chained(tmp_path)
    assert held(folder, where, tmp_path / "root.pem") == 0
    assert held(folder, where) == 1
    assert held(folder, where, tmp_path / "root.pem", at="2030-01-01") == 5, "not valid yet"


def test_a_certificate_of_another_root(tmp_path):
    where, folder = chained(tmp_path)
    other = ec.generate_private_key(ec.SECP256R1())
    pem = certificate("Root", other, "Root", other, ca=True).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "other.pem").write_bytes(pem)
    assert held(folder, where, tmp_path / "other.pem") == 5


@pytest.mark.parametrize("leaf", [{"usage": False}, {"days": 0}, {"middle_ca": False}], ids=str)
def test_a_certificate_that_may_not_sign(tmp_path, leaf):
    where, folder = chained(tmp_path, **leaf)
    assert held(folder, where, tmp_path / "root.pem") == 5


def test_a_key_without_a_certificate_is_not_of_the_root(tmp_path):
    where, _ = chained(tmp_path)
    bundle.write(
        dossier(where), where, keys.read(tmp_path / "key"), tmp_path / "f", extras=bundle.Extras(now=NOW)
    )
    assert held(tmp_path / "f", where, tmp_path / "root.pem") == 5


def test_a_certificate_of_another_key_is_refused(tmp_path):
    chained(tmp_path)
    keys.create(tmp_path / "second")
    with pytest.raises(DataError, match="not that of the key"):
        signers.named(str(tmp_path / "second"), None, tmp_path / "chain.pem")


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("pkcs11:token=a", "needs token="),
        ("pkcs11:object=a", "needs token="),
        ("pkcs11:token=a;object=b?pin-value=1", "PIN does not belong"),
        ("pkcs11:token=a;token=b;object=c", "given twice"),
        ("pkcs11:token=a;slot-id=1;object=c", "unknown"),
    ],
)
def test_token_uris(uri, told):
    with pytest.raises(UsageError, match=told):
        token.parse(uri)


def test_token_uri_is_unquoted():
    assert token.parse("pkcs11:token=my%20token;id=%01%ff") == {"token": "my token", "id": "\x01\xff"}


@pytest.mark.integration
@pytest.mark.skipif(
    not SOFTHSM.is_file() or not shutil.which("softhsm2-util"), reason="needs Debian's softhsm2"
)
def test_a_key_on_a_token(tmp_path, monkeypatch):
    pkcs11 = pytest.importorskip("pkcs11", reason="needs sekisho[pkcs11]")
    from pkcs11.util.ec import encode_named_curve_parameters

    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "conf"))
    given = ("--init-token", "--free", "--label", "company", "--pin", "1234", "--so-pin", "5678")
    subprocess.run(["softhsm2-util", *given], check=True, capture_output=True)
    with pkcs11.lib(str(SOFTHSM)).get_token(token_label="company").open(user_pin="1234", rw=True) as session:
        named = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp384r1")}
        session.create_domain_parameters(pkcs11.KeyType.EC, named, local=True).generate_keypair(
            store=True, label="release"
        )
    monkeypatch.setenv(keys.VARIABLE, "9999")
    uri = f"pkcs11:token=company;object=release?module-path={SOFTHSM}"
    with pytest.raises(UsageError, match="does not give the key"):
        signers.named(uri)
    monkeypatch.setenv(keys.VARIABLE, "1234")
    signer = signers.named(uri)
    where = model(tmp_path / "model")
    bundle.write(dossier(where), where, signer, tmp_path / "e", extras=bundle.Extras(now=NOW))
    (tmp_path / "pub").write_bytes(signer.public.pem)
    assert held(tmp_path / "e", where, tmp_path / "pub") == 0
    with pytest.raises(UsageError, match="does not give the key"):
        signers.named(uri.replace("release", "other"))


def test_days_are_utc():
    assert NOW.tzinfo is UTC
    assert datetime.fromisoformat(DAY).date() == (NOW + timedelta(days=1)).date()
