"""The library and verify.py, written twice: whatever the documents hold, the same exit code."""

import base64
import json

import pytest

from evidence.folders import BOTH, signed, signer
from evidence.tampering import caught, whole
from sekisho.evidence import bundle, dsse

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
