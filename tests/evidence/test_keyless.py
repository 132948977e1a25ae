"""Sigstore bundles of a sigstore of our own, verified offline by the real library; without it, one line says what to install."""

import base64
import datetime as dt
import json
import socket
import sys

import pytest

from evidence.folders import model
from evidence.sigstores import Sigstore
from sekisho.errors import DataError, MalformedError, UsageError
from sekisho.evidence import keyless, oms, supplied, walk
from sekisho.evidence.keyless import Trust

IDENTITY, ISSUER = "release@example.org", "https://accounts.example.org"
TODAY = dt.date(2031, 4, 4)


@pytest.fixture
def offline(monkeypatch):
    """The library, and no way out."""
    pytest.importorskip("sigstore", reason="needs sekisho[sigstore]")

    def refused(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture
def delivered(tmp_path):
    """A model, its supplier's bundle beside it, and whose it must be."""
    where, made = model(tmp_path / "m"), Sigstore()
    payload = oms.payload(oms.manifest("m", walk.take(where)))
    bundle = tmp_path / "m.sigstore.json"
    bundle.write_text(json.dumps(made.bundle(payload, IDENTITY, ISSUER)))
    root = tmp_path / "trusted_root.json"
    root.write_text(made.trust_root())
    return where, bundle, Trust(root, IDENTITY, ISSUER)


def look(delivered, **changes):
    where, bundle, trust = delivered
    return supplied.look(bundle, where, supplied.Pins(keyless=changes.get("trust", trust)), TODAY)


def test_a_bundle_of_the_identity_named_holds(delivered, offline):
    seen = look(delivered)
    assert (seen.code, seen.names) == (supplied.HELD, (f"sigstore:{IDENTITY} {ISSUER}",))


def test_the_files_count(delivered, offline):
    (delivered[0] / "config.json").write_bytes(b"other")
    assert look(delivered).code == "supplier-signature-differs"


@pytest.mark.parametrize(
    "changes", [{"identity": "other@example.org"}, {"issuer": "https://other.example.org"}]
)
def test_a_bundle_of_somebody_else_does_not(delivered, offline, changes):
    trust = delivered[2]
    given = {"root": trust.root, "identity": trust.identity, "issuer": trust.issuer} | changes
    assert look(delivered, trust=Trust(**given)).code == "supplier-signature-stranger"


def test_a_bundle_of_another_sigstore_does_not(delivered, offline):
    delivered[2].root.write_text(Sigstore().trust_root())
    assert look(delivered).code == "supplier-signature-stranger"


def _payload(body):
    text = base64.b64decode(body["dsseEnvelope"]["payload"]).replace(
        b"model.safetensors", b"other.safetensors"
    )
    body["dsseEnvelope"]["payload"] = base64.b64encode(text).decode()


def _entry(body):
    return body["verificationMaterial"]["tlogEntries"][0]


CHANGES = {
    "payload": _payload,
    "time": lambda b: _entry(b).update(integratedTime="1895400000"),
    "no-promise": lambda b: _entry(b).pop("inclusionPromise"),
    "other-root": lambda b: _entry(b)["inclusionProof"].update(rootHash=base64.b64encode(bytes(32)).decode()),
    "no-checkpoint": lambda b: _entry(b)["inclusionProof"].update(checkpoint={"envelope": "x"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_bundle_does_not(delivered, offline, name):
    body = json.loads(delivered[1].read_text())
    CHANGES[name](body)
    delivered[1].write_text(json.dumps(body))
    assert look(delivered).code in {"supplier-signature-stranger", "supplier-signature-unread"}


def test_a_root_that_is_none_is_said(delivered, offline):
    delivered[2].root.write_text("{}")
    with pytest.raises(DataError, match="no trust root"):
        look(delivered)


def test_bytes_that_are_no_bundle_are_said(delivered, offline):
    with pytest.raises(MalformedError, match="no sigstore bundle"):
        keyless.payload(b"{}", delivered[2])


def test_without_the_extra_one_line_says_what_to_install(delivered, monkeypatch):
    monkeypatch.setitem(sys.modules, "sigstore.errors", None)
    monkeypatch.setitem(sys.modules, "sigstore", None)
    with pytest.raises(UsageError, match=r"sekisho\[sigstore\]"):
        look(delivered)


def test_a_bundle_is_a_strangers_where_no_identity_is_named(delivered):
    assert look(delivered, trust=None).code == "supplier-signature-stranger"


@pytest.mark.parametrize(("token", "match"), [("x", "identity token"), ("", "identity token")])
def test_a_token_that_is_none_is_said_before_anything_is_asked(delivered, offline, tmp_path, token, match):
    config = tmp_path / "config.json"
    config.write_text(Sigstore().trust_config())
    with pytest.raises(DataError, match=match):
        keyless.sign(b"{}", token, config)
    config.write_text("{}")
    with pytest.raises(DataError, match="no client trust configuration"):
        keyless.sign(b"{}", token, config)
