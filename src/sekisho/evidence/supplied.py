"""A supplier's own signature of a model (OMS v1.0): whether it covers exactly these files, and whose it is.

The supplier's key comes another way than the files, and counts once the supplier register lists it under `signers`:
`sha256:` and its fingerprint, or for a sigstore bundle `sigstore:IDENTITY ISSUER`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Final, final

from cryptography.x509 import Certificate

from sekisho.errors import ArtefactError, SourceError
from sekisho.evidence import certificates, dsse, keyless, keys, oms, walk
from sekisho.evidence.checking import read
from sekisho.evidence.keyless import Trust
from sekisho.evidence.keys import PublicKey
from sekisho.sources.digest import LEFT_OUT

HELD: Final = ""


@final
@dataclass(frozen=True)
class Pins:
    """By whom a signature may be, as somebody brought along."""

    keys: tuple[PublicKey, ...] = ()
    anchors: tuple[Certificate, ...] = ()
    keyless: Trust | None = None


@final
@dataclass(frozen=True)
class Seen:
    """What came of looking at a signature."""

    code: str
    """HELD, `supplier-signature-unread`, `supplier-signature-stranger` or `supplier-signature-differs`."""
    detail: str
    """Who signed where it holds; else what is wrong."""
    names: tuple[str, ...] = ()
    """What a register may list this signer as."""


def look(path: Path, model: Path, pins: Pins, today: date) -> Seen:
    """Hold a signature against the files of a model; whatever is wrong is in the result. Raises DataError, UsageError."""
    try:
        data = read(path)
        payload, names = _signer(data, pins, today)
        if payload is None:
            return Seen("supplier-signature-stranger", path.name)
        signed = oms.read(payload)
        found = oms.compare(signed, walk.take(model), accepted=LEFT_OUT, expected=_within(path, model))
    except (ArtefactError, SourceError) as error:
        return Seen("supplier-signature-unread", str(error))
    if found.differences:
        return Seen("supplier-signature-differs", found.differences[0].path, names)
    return Seen(HELD, names[0], names)


def statement(model: Path) -> bytes:
    """What a supplier signs: every file of a model by its digest. Raises DataError, SourceError, LimitError."""
    entries = walk.take(model)
    made = oms.manifest(model.resolve().name, entries)
    return oms.payload(made, linked=any(e.linked for e in entries))


def _signer(data: bytes, pins: Pins, today: date) -> tuple[bytes | None, tuple[str, ...]]:
    """The payload that a key or identity named signed, and what that is called; None where nobody named did."""
    envelope = dsse.opened(data)
    if keyless.is_logged(data):
        trust = pins.keyless
        return (None, ()) if trust is None else (keyless.payload(data, trust), (trust.name,))
    known, names = list(pins.keys), list[str]()
    day = datetime.combine(today, time(12))
    leaf = certificates.trusted(envelope.chain, pins.anchors, day)
    if leaf is not None:
        known.append(leaf)
        led = [a for a in pins.anchors if certificates.trusted(envelope.chain, (a,), day) is not None]
        names = [f"sha256:{_of(a).fingerprint}" for a in led]
    by, _ = dsse.signer(envelope, known)
    if by is None or not envelope.signatures:
        return None, ()
    return envelope.payload, (f"sha256:{by.fingerprint}", *(names if by == leaf else ()))


def _of(anchor: Certificate) -> PublicKey:
    return keys.of(anchor.public_key(), "the root certificate")


def _within(path: Path, model: Path) -> Collection[str]:
    """The signature's own path in the model's folder: no signature covers itself."""
    try:
        return (path.resolve().relative_to(model.resolve()).as_posix(),)
    except ValueError:
        return ()
