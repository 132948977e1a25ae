"""Ways to change an evidence folder, and what both verifiers must say of it."""

import base64
import json

from sekisho.evidence import bundle, dsse

STATEMENT = "behaviour.intoto.json"


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
