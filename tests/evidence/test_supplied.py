"""A supplier's own signature of a model: which rung it makes, and what speaks against it."""

import datetime as dt
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.folders import model, signer
from evidence.test_keys import certificate, chained
from sekisho import cli, origins
from sekisho.errors import UsageError
from sekisho.evidence import keys, oms, signers
from sekisho.provenance.records import Level

ADDRESS = "hf:example-org/tiny@" + "a" * 40
TODAY = dt.date(2031, 4, 4)
REGISTER = """
schema = 1
[[suppliers]]
host = "huggingface.co"
namespace = "example-org"
tier = "reviewed"
grounds = ["contract"]
reviewed = 2031-01-01
signers = {signers}
"""


@pytest.fixture
def delivered(tmp_path):
    """A model with the supplier's signature in its folder, the key, and a register that lists it."""
    where, key = model(tmp_path / "tiny"), signer(tmp_path, "supplier")
    (where / "model.sig").write_bytes(oms.sign(where, key)[1])
    register = tmp_path / "suppliers.toml"
    register.write_text(REGISTER.format(signers=json.dumps([f"sha256:{key.public.fingerprint}"])))
    return where, register


def asked(delivered, **changes):
    given = {
        "source": ADDRESS,
        "suppliers": delivered[1],
        "supplier_signature": delivered[0] / "model.sig",
        "supplier_keys": (delivered[0].parent / "supplier.pub",),
        "today": TODAY,
    }
    return origins.Asked(**given | changes)


def rung(delivered, **changes):
    looked = origins.look(str(delivered[0]), asked=asked(delivered, **changes))
    found = next(r for r in looked.intake.ladder.rungs if r.level is Level.SUPPLIER_SIGNED)
    return found, looked


def test_a_signature_of_a_listed_key_over_these_files_holds(delivered):
    found, looked = rung(delivered)
    assert (found.held, found.ground) == (True, "supplier-signature")
    assert looked.intake.supplier.verified == "signature"
    assert not looked.contradicted


def test_it_counts_only_above_the_rungs_below(delivered):
    assert rung(delivered)[1].intake.ladder.level < Level.SUPPLIER_SIGNED


@pytest.mark.parametrize("what", ["changed", "added", "missing"])
def test_other_files_than_the_supplier_signed_contradict(delivered, what):
    where = delivered[0]
    if what == "missing":
        (where / "config.json").unlink()
    else:
        (where / ("config.json" if what == "changed" else "soft.bin")).write_bytes(b"other")
    found, looked = rung(delivered)
    assert (found.held, found.ground) == (False, "supplier-signature-differs")
    assert looked.contradicted


def test_notes_of_a_download_and_git_files_are_not_the_suppliers(delivered):
    for name in (".gitattributes", ".cache/huggingface/.gitignore"):
        (delivered[0] / name).parent.mkdir(parents=True, exist_ok=True)
        (delivered[0] / name).write_text("*")
    assert rung(delivered)[0].held


def test_a_key_that_is_not_the_signers_verifies_nothing(delivered, tmp_path):
    signer(tmp_path, "stranger")
    found, _ = rung(delivered, supplier_keys=(tmp_path / "stranger.pub",))
    assert (found.held, found.ground) == (False, "supplier-signature-stranger")


def test_a_key_that_the_register_does_not_list_for_this_address_is_no_suppliers(delivered, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(REGISTER.format(signers=json.dumps(["sha256:" + "0" * 64])))
    found = [
        rung(delivered, suppliers=other)[0],
        rung(delivered, suppliers=None)[0],
        rung(delivered, source="hf:somebody-else/tiny@" + "a" * 40)[0],
    ]
    assert {(f.held, f.ground) for f in found} == {(False, "supplier-signature-unlisted")}


def test_of_two_roots_only_the_one_that_the_chain_leads_to_is_the_signers(tmp_path):
    where, _ = chained(tmp_path)
    chain, roots = tmp_path / "chain.pem", (tmp_path / "root.pem", tmp_path / "other.pem")
    other = ec.generate_private_key(ec.SECP256R1())
    made = certificate("Other", other, "Other", other, ca=True)
    roots[1].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (where / "model.sig").write_bytes(oms.sign(where, signers.named(str(tmp_path / "key"), None, chain))[1])
    register, found = tmp_path / "suppliers.toml", []
    for anchor in signers.pins(roots)[1]:
        mark = keys.of(anchor.public_key(), "root").fingerprint
        register.write_text(REGISTER.format(signers=json.dumps([f"sha256:{mark}"])))
        found.append(rung((where, register), supplier_keys=roots)[0].ground)
    assert found == ["supplier-signature", "supplier-signature-unlisted"]


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100, b'{"dsseEnvelope": 1}'])
def test_a_malformed_signature_is_said_and_makes_no_rung(delivered, data):
    (delivered[0] / "model.sig").write_bytes(data)
    found, _ = rung(delivered)
    assert (found.held, found.ground) == (False, "supplier-signature-unread")


def test_a_signature_of_something_else_is_unread(delivered, tmp_path):
    from sekisho.evidence import dsse

    sealed = dsse.envelope(b'{"_type":"x"}', (signer(tmp_path, "supplier"),))
    (delivered[0] / "model.sig").write_bytes(dsse.dump(sealed))
    assert rung(delivered)[0].ground == "supplier-signature-unread"


def test_without_a_key_it_is_not_looked_at(delivered):
    with pytest.raises(UsageError, match="--supplier-key"):
        rung(delivered, supplier_keys=())


def test_the_command_says_it_in_both_languages(delivered, capsys):
    where, register = delivered
    words = ["provenance", str(where), "--source", ADDRESS, "--suppliers", str(register)]
    words += [
        "--supplier-signature",
        str(where / "model.sig"),
        "--supplier-key",
        str(where.parent / "supplier.pub"),
    ]
    for language, said in (
        ("en", "the supplier signed these files"),
        ("ja", "供給者がこれらのファイルに署名"),
    ):
        with pytest.raises(SystemExit):
            cli.main([*words, "--lang", language])
        assert said in capsys.readouterr().out


def test_options_of_sigstore_go_together(delivered, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["provenance", str(delivered[0]), "--sigstore-identity", "a@example.org"])
    assert ended.value.code == 2
    assert "go together" in capsys.readouterr().err


def test_what_a_supplier_signs_is_what_provenance_accepts(delivered, capsys):
    where = delivered[0]
    made = where.parent / "new.sig"
    words = ["sign-files", str(where), "--key", str(where.parent / "supplier"), "--out", str(made)]
    (where / "model.sig").unlink()
    for code in (0, 2):  # the second time the file is there already
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == code
    assert rung(delivered, supplier_signature=made)[0].held


def test_a_token_needs_the_services_that_are_asked(delivered, tmp_path, capsys):
    (tmp_path / "token").write_text("x")
    words = ["sign-files", str(delivered[0]), "--identity-token", str(tmp_path / "token")]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--out", str(tmp_path / "s")])
    assert ended.value.code == 2
    assert "--sigstore-config" in capsys.readouterr().err
