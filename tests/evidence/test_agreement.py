"""The library and verify.py, written twice: whatever the documents hold, the same exit code."""

import base64
import json

from evidence.folders import BOTH, signed, signer
from evidence.tampering import whole
from sekisho.evidence import bundle, dsse


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
