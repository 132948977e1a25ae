"""Readers of documents as functions of bytes, with seeds: evidence, records, registers, locks, git objects.

They may return or raise an error of ours; anything else that escapes is a finding.
"""

import datetime as dt
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sekisho.errors import SekishoError
from sekisho.evidence import certificates, dossier, dsse, keys, oms, ruling
from sekisho.evidence.walk import Entry
from sekisho.load_guard import lockfile
from sekisho.provenance import gitobjects, origin, suppliers
from sekisho.provenance.gitobjects import object_id
from sekisho.training_log import chain, reading

NOON = dt.datetime(2031, 4, 4, 12, tzinfo=dt.UTC)


def targets() -> dict[str, Callable[[bytes], None]]:
    """One for each kind of document."""
    found = (
        signature,
        decision,
        saved_dossier,
        certificate,
        key,
        git_object,
        fetched,
        register,
        lock,
        training,
    )
    return {f"document-{f.__name__}": f for f in found}


def signature(data: bytes) -> None:
    """An envelope or a bundle, and the OMS statement within."""
    with suppress(SekishoError):
        envelope = dsse.opened(data)
        dsse.again(envelope, bundled=True)
        certificates.trusted(envelope.chain, (), NOON)
        oms.read(envelope.payload)
    with suppress(SekishoError):
        oms.read(data)


def decision(data: bytes) -> None:
    """The payload of a decision."""
    with suppress(SekishoError):
        ruling.read(dsse.parse(data))


def saved_dossier(data: bytes) -> None:
    """A dossier as saved."""
    with suppress(SekishoError):
        dossier.from_json(data)


def certificate(data: bytes) -> None:
    """Certificates in PEM, and one in DER."""
    with suppress(SekishoError):
        certificates.roots(data, "x")
    with suppress(SekishoError):
        certificates.trusted((data,), (), NOON)


def key(data: bytes) -> None:
    """A public key in PEM."""
    with suppress(SekishoError):
        keys.public(data, "x")


def git_object(data: bytes) -> None:
    """A tree and a commit of git."""
    with suppress(SekishoError):
        gitobjects.parse_tree(data)
    with suppress(SekishoError):
        gitobjects.flatten(object_id("tree", data), {object_id("tree", data): data})
    with suppress(SekishoError):
        gitobjects.parse_commit(gitobjects.commit_body(data))


def fetched(data: bytes) -> None:
    """The record of a fetch."""
    with suppress(SekishoError):
        origin.parse(data)


def register(data: bytes) -> None:
    """A supplier register."""
    with suppress(SekishoError):
        suppliers.judge("hf:a/b@" + "a" * 40, suppliers.parse(data, "x"), NOON.date())


def lock(data: bytes) -> None:
    """`sekisho.lock`."""
    with tempfile.TemporaryDirectory() as folder, suppress(SekishoError):
        path = Path(folder) / "sekisho.lock"
        path.write_bytes(data)
        lockfile.read(path)


def training(data: bytes) -> None:
    """The record of a training."""
    with suppress(SekishoError):
        reading.parse(data)


def seeds() -> dict[str, bytes]:
    """One whole document of each kind."""
    from report.sample import admit

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        keys.create(folder / "key")
        signer = keys.read(folder / "key")
        log = chain.Log(folder / "r.jsonl")
        log.append("open", {"schema": 1})
        log.close()
        training_record = (folder / "r.jsonl").read_bytes()
    listed = oms.payload(oms.manifest("m", [Entry("a", "ab" * 32)]))
    tree = gitobjects.tree_objects([gitobjects.Entry("a/b", "100644", "ab" * 20)])
    supplier = 'schema = 1\n[[suppliers]]\nhost = "h"\nnamespace = "n"\ntier = "known"\ngrounds = ["review"]\nreviewed = 2031-01-01\n'
    return {
        "bundle": dsse.dump(dsse.bundle(listed, signer)) + b"\n",
        "envelope": dsse.dump(dsse.envelope(listed, (signer,))) + b"\n",
        "oms": listed,
        "dossier": dossier.to_json(admit()),
        "key": signer.public.pem,
        "register": supplier.encode(),
        "training": training_record,
        "commit": b"tree " + b"ab" * 20 + b"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n",
        "decision": json.dumps(
            {"predicate": {"sekisho": {"verdict": "admit"}, "inputAttestations": []}}
        ).encode(),
    } | {f"tree-{n}": data for n, data in enumerate(tree.values())}
