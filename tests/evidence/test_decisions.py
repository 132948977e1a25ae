"""Decisions edited, replayed, expired, malformed, or not as registered; both verifiers agree."""

import base64
import json
from dataclasses import replace

import pytest

from evidence.folders import dossier, model, signed, signer
from evidence.tampering import STATEMENT, caught, payload, whole
from sekisho.evidence import bundle, dsse, statements
from sekisho.evidence.statements import Granted
from sekisho.records import Ruled, Ruling, Severity

pytestmark = pytest.mark.integration


def test_edited_verdict(verify, made, tmp_path):
    found = dossier(made[0])
    hold = replace(found.verdict, decision=type(found.verdict.decision).HOLD)
    made = signed(tmp_path, made=replace(found, verdict=hold))
    caught(verify, made, 8, bundle.DECISION, admitted=True)
    payload(made[1] / bundle.DECISION, lambda t: t["predicate"].update(verificationResult="PASSED"))
    caught(verify, made, 3, bundle.DECISION, admitted=True)


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
