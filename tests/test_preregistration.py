"""Terms fixed before a run: kept, they bind the decision; changed, they are named."""

import pytest

from artefacts import tiny_model
from evidence.folders import signer
from sekisho import conductor, draft, preregistration, signing
from sekisho.errors import DataError
from sekisho.evidence import bundle, checking, dsse
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.ruling import Demands

pytestmark = pytest.mark.integration

TODAY = Demands(at="2026-01-01", registered=True)


@pytest.fixture
def registered(tmp_path):
    """A model, a signer, and the folder that holds the terms."""
    model = tiny_model(tmp_path / "candidate")
    request = conductor.Options(cache=tmp_path / "cache", drills=())
    at = preregistration.register(model, "none", signer(tmp_path), tmp_path / "out", options=request)
    assert at.name == bundle.REGISTRATION
    return model, signer(tmp_path), tmp_path / "out"


def judged(model, out, **changes):
    """What vet writes before it asks anything: the plan as it stands now."""
    request = conductor.Options(cache=out.parent / "cache", drills=(), **changes)
    seen, plan, chosen = conductor.planned(model, "none", options=request)
    dossiers.write(draft.of(seen, plan, chosen), out)
    return signing.sign(out, model, signer(out.parent))


def test_terms_hold_thresholds_questions_and_plan(registered):
    model, key, out = registered
    envelope = dsse.opened((out / bundle.REGISTRATION).read_bytes())
    assert dsse.signer(envelope, (key.public,)) == (key.public, 0)
    predicate = dsse.parse(envelope.payload)["predicate"]
    _, plan, chosen = conductor.planned(
        model, "none", options=conductor.Options(cache=out.parent / "cache", drills=())
    )
    assert predicate["policy"] == {"name": "default", "digest": {"sha256": chosen.digest}}
    assert predicate["plan"]["digest"] == {"sha256": plan.digest}
    assert set(predicate["suites"]["each"]) == {p.suite.id for p in plan.papers}
    assert {f"{b}.margin" for b in chosen.behaviours} <= set(predicate["thresholds"])


def test_kept_terms(registered):
    model, key, out = registered
    made = judged(model, out)
    assert made.changed == ()
    found = checking.verify(made.folder, [key.public], model=model, demands=TODAY)
    assert (found.code, found.problems) == (0, ())


def test_a_policy_changed_after_registration_is_named(registered):
    model, key, out = registered
    made = judged(model, out, policy="strict")
    assert made.changed[0] == "policy"
    found = checking.verify(made.folder, [key.public], model=model, demands=TODAY)
    assert found.code == 8
    assert "policy" in dict(found.problems[0].facts)["terms"]


def test_a_profile_changed_after_registration_is_named(registered):
    model, _, out = registered
    assert judged(model, out, profile="deep").changed == ("plan", "profile")


def test_other_weights_were_not_registered(registered):
    model, _, out = registered
    (model / "README.md").write_text("# Another\n")
    with pytest.raises(DataError, match="other files"):
        judged(model, out)
