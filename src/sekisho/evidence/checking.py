"""Verify an evidence folder: signatures, files, statements, decision. `data/verify.py` does the same without Sekisho."""

import hashlib
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final

from cryptography.x509 import Certificate

from sekisho.errors import ArtefactError, DataError, MalformedError, SourceError
from sekisho.evidence import bundle, certificates, codes, dsse, keys, oms, ruling, statements, walk
from sekisho.evidence.codes import Problem, Verified
from sekisho.evidence.keys import PublicKey
from sekisho.evidence.oms import Manifest
from sekisho.evidence.ruling import Demands
from sekisho.limits import DEFAULT

KINDS: Final = {
    bundle.WHOLE: oms.PREDICATE,
    bundle.MODEL: oms.PREDICATE,
    bundle.DECISION: statements.VSA,
    bundle.REGISTRATION: statements.PREREGISTRATION,
    bundle.BEHAVIOUR: statements.TEST_RESULT,
    bundle.INTAKE: statements.PROVENANCE,
    bundle.FINETUNE: statements.PROVENANCE,
}
"""What each name must hold."""
NEEDED: Final = (bundle.WHOLE, bundle.MODEL, bundle.DECISION, "dossier.json")
SIGNED: Final = (".sig", ".intoto.json")


@final
@dataclass
class _Desk:
    """What verifying has found so far."""

    keys: tuple[PublicKey, ...]
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    """Name to sha256."""
    whole: Manifest | None = None
    model: Manifest | None = None
    decision: ruling.Read | None = None

    def say(self, code: int, file: str, cause: str, **facts: str) -> None:
        """Add a line."""
        self.problems.append(Problem(code, file, cause, tuple(facts.items())))


def verify(
    folder: Path,
    pinned: Collection[PublicKey] = (),
    *,
    anchors: Collection[Certificate] = (),
    model: Path | None = None,
    demands: Demands | None = None,
) -> Verified:
    """Verify a folder, and the model beside it where one is named; whatever is wrong is in the result.

    The signer is one of `pinned`, or has a certificate that leads to one of `anchors` on the day of `demands`.
    """
    wanted = demands or Demands(datetime.now(UTC).date().isoformat())
    desk = _Desk(())
    try:
        named = (*pinned, *_certified(folder, anchors, wanted.at))
        desk.keys = _keys(folder, named, desk, named=bool(named or anchors))
        _documents(folder, desk)
        _folder(folder, desk, wanted)
        if model is not None and desk.model is not None:
            _compare(desk.model, walk.take(model), desk, accepted=wanted.beside)
    except (OSError, DataError, SourceError, ArtefactError) as error:
        desk.say(codes.UNREADABLE, folder.name, "unread", why=getattr(error, "strerror", None) or str(error))
    if model is None:
        desk.say(codes.VERIFIED, bundle.MODEL, "unseen")
    return Verified(
        tuple(p for p in desk.problems if p.code),
        tuple(p for p in desk.problems if not p.code),
        desk.keys[0].fingerprint if desk.keys else "",
        desk.decision.verdict if desk.decision else "",
        desk.model.root if desk.model else "",
        desk.whole.root if desk.whole else "",
    )


def _certified(folder: Path, anchors: Collection[Certificate], at: str) -> tuple[PublicKey, ...]:
    """The key of the certificate that came with the folder, if an anchor vouches for it."""
    if not anchors:
        return ()
    day = datetime.fromisoformat(at).replace(hour=12)
    key = certificates.trusted(dsse.opened(read(folder / bundle.WHOLE)).chain, anchors, day)
    return (key,) if key else ()


def _keys(folder: Path, pinned: Sequence[PublicKey], desk: _Desk, *, named: bool) -> tuple[PublicKey, ...]:
    """Keys to verify with: those named, and the folder's own, told apart where it is not among them."""
    own = folder / bundle.KEY
    if not os.path.lexists(own):
        return tuple(pinned)
    claimed = keys.public(read(own), bundle.KEY)
    if not named:
        desk.say(codes.UNPINNED, bundle.KEY, "unpinned", fingerprint=claimed.fingerprint)
    elif claimed not in pinned:
        desk.say(codes.OTHER_KEY, bundle.KEY, "other-key", fingerprint=claimed.fingerprint)
    return (claimed, *pinned)


def read(path: Path) -> bytes:
    """Bytes of an ordinary file that is no link. Raises DataError, MalformedError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise MalformedError("no ordinary file")
            data = file.read(DEFAULT.evidence_bytes + 1)
    except OSError as error:
        raise DataError(error.strerror or str(error)) from error
    if len(data) > DEFAULT.evidence_bytes:
        raise MalformedError(f"over the limit of {DEFAULT.evidence_bytes:,} bytes")
    return data


def _documents(folder: Path, desk: _Desk) -> None:
    """Read every document; the model's signature first and the decision last, since the others stand between."""
    last = (bundle.DECISION,)
    for name in sorted((p.name for p in folder.iterdir()), key=lambda n: (n != bundle.MODEL, n in last, n)):
        try:
            data = read(folder / name)
            desk.documents[name] = hashlib.sha256(data).hexdigest()
            if name.endswith(SIGNED):
                _signed(name, data, desk)
        except (DataError, ArtefactError) as error:
            desk.say(codes.UNREADABLE, name, "unread", why=str(error))


def _signed(name: str, data: bytes, desk: _Desk) -> None:
    """One signed document. Raises ArtefactError."""
    envelope = dsse.opened(data)
    if not envelope.signatures:
        desk.say(codes.SIGNATURE, name, "unsigned")
        return
    _, bad = dsse.signer(envelope, desk.keys)
    if bad:
        desk.say(codes.SIGNATURE, name, "bad-signature", number=str(bad), count=str(len(envelope.signatures)))
        return
    body = dsse.parse(envelope.payload)
    named = {envelope.hint, *(s.keyid for s in envelope.signatures)} - {""}
    again = dsse.again(envelope, bundled=name.endswith(SIGNED[0]))
    if again != data or dsse.dump(body) != envelope.payload or named - {k.fingerprint for k in desk.keys}:
        raise MalformedError("not in canonical form, or with more in it than was signed")
    kind = body.get("predicateType")
    if body.get("_type") != oms.STATEMENT or kind != KINDS.get(name, kind):
        raise MalformedError(f"it states {str(kind)[:80]}, which does not belong under this name")
    if name in (bundle.WHOLE, bundle.MODEL):
        made = oms.read(envelope.payload)
        desk.whole, desk.model = (made, desk.model) if name == bundle.WHOLE else (desk.whole, made)
        return
    _, root = oms.subject(body)
    if desk.model is not None and root != desk.model.root:
        desk.say(codes.MIXED, name, "other-model", root=root)
    if name == bundle.DECISION:
        desk.decision = ruling.read(body)


def _folder(folder: Path, desk: _Desk, demands: Demands) -> None:
    """The folder as a whole, and the decision against it."""
    listed = desk.whole.files if desk.whole else {}
    for name in NEEDED:
        if name not in desk.documents and name not in listed:
            desk.say(codes.CHANGED, name, "missing")
    if desk.whole is not None:
        if demands.evidence and demands.evidence != desk.whole.root:
            desk.say(codes.MIXED, bundle.WHOLE, "other-digest", digest=desk.whole.root)
        _compare(desk.whole, walk.take(folder), desk, expected=(bundle.WHOLE,))
    if desk.decision is not None:
        others: Mapping[str, str] = {
            n: d for n, d in desk.documents.items() if n not in (bundle.WHOLE, bundle.DECISION)
        }
        desk.problems += ruling.check(desk.decision, others, demands, bundle.DECISION)


def _compare(
    signed: Manifest,
    entries: Collection[walk.Entry],
    desk: _Desk,
    *,
    accepted: Collection[str] = (),
    expected: Collection[str] = (),
) -> None:
    found = oms.compare(signed, entries, accepted=accepted, expected=expected)
    unread = {"unreadable": codes.UNREADABLE}
    desk.problems += [Problem(unread.get(d.cause, codes.CHANGED), d.path, d.cause) for d in found.differences]
    desk.problems += [Problem(codes.VERIFIED, d.path, d.cause) for d in found.notes]
