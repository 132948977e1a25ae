"""DSSE envelopes and the bundles around them: what is signed, byte for byte, and by whom.

The signed bytes are the pre-authentication encoding (PAE) of type and payload, as DSSE v1 has it; a bundle is the
JSON of `application/vnd.dev.sigstore.bundle.v0.3+json` that OpenSSF Model Signing v1.0 uses. Only one payload type is
accepted, and the digest follows from the key, never from the document: there is no algorithm to be talked into.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.evidence import codec
from sekisho.evidence.keys import PublicKey, Signer
from sekisho.limits import DEFAULT, Limits

TYPE: Final = "application/vnd.in-toto+json"
MEDIA: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


@final
@dataclass(frozen=True)
class Signature:
    """One signature of an envelope."""

    sig: bytes
    """ECDSA in DER."""
    keyid: str
    """Unauthenticated hint; empty where none is given."""


@final
@dataclass(frozen=True)
class Envelope:
    """A payload and who signed it; nothing is verified yet."""

    payload: bytes
    signatures: tuple[Signature, ...]
    hint: str = ""
    """Of a bundle: fingerprint of the key that signed it."""
    chain: tuple[bytes, ...] = ()
    """Of a bundle: X.509 certificates in DER, the signer's first."""


def pae(payload: bytes, kind: str = TYPE) -> bytes:
    """The bytes that are signed."""
    head = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(head), head, len(payload), payload)


def envelope(payload: bytes, signers: Iterable[Signer]) -> dict[str, Any]:
    """A signed envelope as plain values; several signers may sign the same bytes."""
    made = [{"sig": _to64(s.sign(pae(payload))), "keyid": s.public.fingerprint} for s in signers]
    return {"payload": _to64(payload), "payloadType": TYPE, "signatures": made}


def bundle(payload: bytes, signer: Signer) -> dict[str, Any]:
    """A bundle of exactly one signature, by a bare key or by a certificate's."""
    signed = {"sig": _to64(signer.sign(pae(payload))), "keyid": ""}
    inner = {"payload": _to64(payload), "payloadType": TYPE, "signatures": [signed]}
    return _bundled(inner, signer.public.fingerprint, signer.chain)


def _bundled(inner: dict[str, Any], hint: str, chain: tuple[bytes, ...]) -> dict[str, Any]:
    material: dict[str, Any] = {"publicKey": {"hint": hint}}
    if chain:
        material = {"x509CertificateChain": {"certificates": [{"rawBytes": _to64(c)} for c in chain]}}
    return {
        "mediaType": MEDIA,
        "verificationMaterial": {**material, "tlogEntries": []},
        "dsseEnvelope": inner,
    }


def dump(values: Mapping[str, Any]) -> bytes:
    """Canonical JSON without white space: sorted keys, UTF-8. Raises MalformedError on text that is no Unicode."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedError("a name is not plain text, so it cannot be signed") from error


def parse(data: bytes, limits: Limits = DEFAULT) -> dict[str, Any]:
    """A JSON object; no key twice, no NaN, bounded in size and depth. Raises MalformedError, LimitError."""
    if len(data) > limits.evidence_bytes:
        raise LimitError("document in bytes", len(data), limits.evidence_bytes)
    deepest = _depth(data)
    if deepest > limits.json_depth:
        raise LimitError("nesting of a document", deepest, limits.json_depth)
    try:
        body = json.loads(
            data.decode(), parse_constant=codec.refused, parse_float=_finite, object_pairs_hook=codec.unique
        )
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"no JSON as evidence is written: {error}") from error
    if not isinstance(body, dict):
        raise MalformedError("no JSON object")
    return body


def opened(data: bytes, limits: Limits = DEFAULT) -> Envelope:
    """Read an envelope or a bundle. Raises MalformedError, LimitError."""
    body = parse(data, limits)
    if "dsseEnvelope" not in body:
        return _inner(body)
    if body.get("mediaType") != MEDIA:
        raise MalformedError(f"a bundle of the kind {str(body.get('mediaType'))[:60]!r}, not {MEDIA}")
    material = _table(body, "verificationMaterial")
    inner = _inner(_table(body, "dsseEnvelope"))
    if len(inner.signatures) > 1:
        raise MalformedError(f"a bundle has one signature, this one {len(inner.signatures)}")
    hint = ""
    chain: tuple[bytes, ...] = ()
    if "publicKey" in material:
        found = _table(material, "publicKey").get("hint")
        hint = found if isinstance(found, str) else ""
    elif "x509CertificateChain" in material:
        chain = _chain(_table(material, "x509CertificateChain").get("certificates"), limits)
    elif "certificate" in material:
        chain = _chain([material["certificate"]], limits)
    return Envelope(inner.payload, inner.signatures, hint, chain)


def again(envelope: Envelope, *, bundled: bool) -> bytes:
    """The document that `envelope` or `bundle` would have made of this: nothing unsigned hides in an equal one."""
    signed = [{"sig": _to64(s.sig), "keyid": s.keyid} for s in envelope.signatures]
    inner = {"payload": _to64(envelope.payload), "payloadType": TYPE, "signatures": signed}
    return dump(_bundled(inner, envelope.hint, envelope.chain) if bundled else inner) + b"\n"


def signer(envelope: Envelope, keys: Iterable[PublicKey]) -> tuple[PublicKey | None, int]:
    """The key that made every signature counted, and the number (from 1) of the first that no key verifies, else 0."""
    found, signed = None, pae(envelope.payload)
    known = tuple(keys)
    for number, signature in enumerate(envelope.signatures, 1):
        by = next((k for k in known if k.verifies(signature.sig, signed)), None)
        if by is None:
            return None, number
        found = found or by
    return found, 0


def _inner(body: Mapping[str, Any]) -> Envelope:
    if body.get("payloadType") != TYPE:
        raise MalformedError(f"a payload of the kind {str(body.get('payloadType'))[:60]!r}, not {TYPE}")
    raw = body.get("signatures")
    if (
        not isinstance(raw, list)
        or not all(isinstance(s, dict) for s in raw)
        or len(raw) > DEFAULT.signatures
    ):
        raise MalformedError("no list of signatures")
    ids = [s.get("keyid") or "" for s in raw]
    if not all(isinstance(i, str) for i in ids):
        raise MalformedError("a key id is no text")
    made = tuple(Signature(_from64(s.get("sig")), i) for s, i in zip(raw, ids, strict=True))
    return Envelope(_from64(body.get("payload")), made)


def _chain(raw: Any, limits: Limits) -> tuple[bytes, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= limits.signatures:
        raise MalformedError("no chain of certificates")
    if not all(isinstance(c, dict) for c in raw):
        raise MalformedError("a certificate is no object")
    return tuple(_from64(c.get("rawBytes")) for c in raw)


def _table(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key)
    if not isinstance(found, dict):
        raise MalformedError(f"{key} is missing or no object")
    return found


def _to64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from64(text: Any) -> bytes:
    if not isinstance(text, str):
        raise MalformedError("text in base64 is missing")
    try:
        made = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("text is not base64") from error
    if _to64(made) != text:
        raise MalformedError("base64 in another form than the usual")
    return made


def _depth(data: bytes) -> int:
    """Deepest nesting outside of strings, before any parser recurses into it."""
    deep = most = 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            deep += 1
            most = max(most, deep)
        elif token[0] in (b"]", b"}"):
            deep -= 1
    return most


def _finite(number: str) -> float:
    made = float(number)
    return made if math.isfinite(made) else codec.refused(number[:20])
