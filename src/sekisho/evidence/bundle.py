"""The evidence folder: everything an outsider needs, signed document by document and as a whole.

| file | what | signed |
|---|---|---|
| `dossier.json`, `report.en.html`, `report.ja.html` | what was found, for machines and people | by `evidence.sig` |
| `model.sig` | every file of the model (OMS v1.0) | itself |
| `*.intoto.json` | intake, behaviour, decision, and where there are such pre-registration and finetune | each itself |
| `bom.cdx.json` | bill of materials | by `evidence.sig` |
| `evidence.sig` | every other file of this folder (OMS v1.0) | itself |
| `signer.pub` | the public key, for convenience: whoever verifies must get it by another way, too | by `evidence.sig` |
| `verify.py` | verifies all of it without Sekisho | by `evidence.sig` |
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ArtefactError, DataError, UsageError
from sekisho.evidence import codec, dossier, dsse, folder, oms, statements, walk
from sekisho.evidence.keys import Signer
from sekisho.evidence.statements import Granted, Ruling, Subject
from sekisho.evidence.walk import Entry
from sekisho.records import Dossier

MODEL: Final = "model.sig"
WHOLE: Final = "evidence.sig"
KEY: Final = "signer.pub"
DECISION: Final = "decision.intoto.json"
INTAKE: Final = "intake.intoto.json"
BEHAVIOUR: Final = "behaviour.intoto.json"
REGISTRATION: Final = "preregistration.intoto.json"
FINETUNE: Final = "finetune.intoto.json"
VERIFIER: Final = "verify.py"
VALID_DAYS: Final = 365


@final
@dataclass(frozen=True)
class Extras:
    """What the evidence holds beside the dossier, each where there is such."""

    reports: Mapping[str, str] = field(default_factory=dict)
    """HTML by file name."""
    bom: Mapping[str, Any] | None = None
    intake: Mapping[str, Any] | None = None
    """The intake record as plain values."""
    finetune: Mapping[str, Any] | None = None
    registration: bytes | None = None
    """The signed pre-registration, an envelope."""
    approvals: tuple[Granted, ...] = ()
    valid_days: int = VALID_DAYS
    now: datetime | None = None
    """When it is signed; None reads the clock."""


@final
@dataclass(frozen=True)
class Written:
    """What came of signing."""

    folder: Path
    digest: str
    """Root digest of the folder: identifies this evidence, e.g. in a ledger."""
    subject: Subject
    changed: tuple[str, ...]
    """Registered terms that the run did not keep."""
    beside: tuple[str, ...]
    """What lies in the model's folder and is in no signature."""


def entries(made: Dossier, model: Path, known: Mapping[str, str] | None = None) -> tuple[Entry, ...]:
    """The model's files, which must be those the dossier judged, each and no other. Raises DataError, SourceError."""
    found = walk.take(model, known=known)
    _agree(made, found, model)
    return found


def write(
    made: Dossier,
    model: Path,
    signer: Signer,
    target: Path,
    *,
    extras: Extras = Extras(),
    known: Mapping[str, str] | None = None,
) -> Written:
    """Sign a dossier and the model it judged. Raises DataError if the files are not those, UsageError, StorageError.

    `known` as for `walk.take`.
    """
    found = entries(made, model, known)
    signed, model_sig = _model(model, found, signer)
    subject = Subject(signed.name, signed.root)
    now = extras.now or datetime.now(UTC)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    documents = _documents(made, subject, signer, extras=extras, time=stamp)
    documents[MODEL] = model_sig
    registered, changed = _registration(extras.registration, signer, subject, made)
    inputs = tuple(sorted((n, hashlib.sha256(d).hexdigest()) for n, d in documents.items()))
    ruling = Ruling(
        stamp,
        _until(now.date(), extras),
        inputs,
        tuple(_dated(g) for g in extras.approvals),
        statements.exceptions(made),
        registered,
        changed,
    )
    documents[DECISION] = _signed(statements.decision(subject, made, ruling), signer)
    documents[WHOLE], digest = _whole(documents, target.name, signer)
    beside = tuple(e.path for e in found if e.kind != "file")
    return Written(folder.replace(target, documents), digest, subject, changed, beside)


def register(made: bytes, signer: Signer) -> bytes:
    """Sign a pre-registration: the file that `write` takes up later."""
    return _signed(made, signer)


def _model(model: Path, found: Sequence[Entry], signer: Signer) -> tuple[oms.Manifest, bytes]:
    made = oms.manifest(model.resolve().name, found)
    body = oms.payload(made, linked=any(e.linked for e in found))
    return made, dsse.dump(dsse.bundle(body, signer)) + b"\n"


def _agree(made: Dossier, found: Sequence[Entry], model: Path) -> None:
    """The files must be those the dossier judged, each and no other."""
    judged = {f.path: f.sha256 for f in made.files if f.sha256}
    there = {e.path if e.path != "." else model.name: e.sha256 for e in found if e.sha256 and not e.problem}
    for path in sorted(judged.keys() | there.keys()):
        if judged.get(path) != there.get(path):
            what = (
                "was not there"
                if path not in judged
                else "is missing"
                if path not in there
                else "has changed"
            )
            raise DataError(f"{path}: {what} since the dossier was made: vet the model again, then sign")


def _documents(
    made: Dossier, subject: Subject, signer: Signer, *, extras: Extras, time: str
) -> dict[str, bytes]:
    found = {
        dossier.NAME: dossier.to_json(made),
        KEY: signer.public.pem,
        VERIFIER: (files("sekisho.data") / VERIFIER).read_bytes(),
        INTAKE: _signed(statements.intake(subject, made, extras.intake, time), signer),
        BEHAVIOUR: _signed(statements.behaviour(subject, made), signer),
    }
    found |= {name: text.encode("utf-8", "backslashreplace") for name, text in extras.reports.items()}
    if extras.bom is not None:
        found["bom.cdx.json"] = codec.dump(extras.bom)
    if extras.finetune is not None:
        found[FINETUNE] = _signed(statements.finetune(subject, extras.finetune, made.tool, time), signer)
    if extras.registration is not None:
        found[REGISTRATION] = extras.registration
    return found


def _registration(
    data: bytes | None, signer: Signer, subject: Subject, made: Dossier
) -> tuple[str, tuple[str, ...]]:
    """Payload digest of the pre-registration, and the terms not kept. Raises DataError if it is not of this model."""
    if data is None:
        return "", ()
    try:
        envelope = dsse.opened(data)
        body = dsse.parse(envelope.payload)
        _, root = oms.subject(body)
    except ArtefactError as error:
        raise DataError(f"{REGISTRATION}: {error}") from error
    if not envelope.signatures or dsse.signer(envelope, (signer.public,))[1]:
        raise DataError(f"{REGISTRATION}: not signed by this key; register and sign with the same one")
    if root != subject.root or body.get("predicateType") != statements.PREREGISTRATION:
        raise DataError(f"{REGISTRATION}: it was made for another model, or for other files of this one")
    predicate = body.get("predicate")
    terms = statements.changed(predicate if isinstance(predicate, dict) else {}, made)
    return hashlib.sha256(envelope.payload).hexdigest(), terms


def _until(today: date, extras: Extras) -> str:
    """Last day of the decision; approvals and exceptions have their own. Raises UsageError."""
    if extras.valid_days < 1:
        raise UsageError("evidence must be valid for a day at least")
    try:
        return (today + timedelta(days=extras.valid_days)).isoformat()
    except OverflowError as error:
        raise UsageError(f"evidence valid for {extras.valid_days:,} days outlasts the calendar") from error


def _dated(granted: Granted) -> Granted:
    """With its last day in the one form that verifies. Raises UsageError."""
    try:
        return replace(granted, until=granted.until and date.fromisoformat(granted.until).isoformat())
    except ValueError as error:
        raise UsageError(f"{granted.who}: {granted.until!r} is no date as in 2027-03-31") from error


def _signed(payload: bytes, signer: Signer) -> bytes:
    return dsse.dump(dsse.envelope(payload, (signer,))) + b"\n"


def _whole(documents: Mapping[str, bytes], name: str, signer: Signer) -> tuple[bytes, str]:
    """Sign the folder itself; its own signature is the one path left out."""
    listed = [Entry(n, hashlib.sha256(documents[n]).hexdigest()) for n in sorted(documents)]
    made = oms.manifest(name, listed, ignored=(WHOLE,))
    return dsse.dump(dsse.bundle(oms.payload(made), signer)) + b"\n", made.root
