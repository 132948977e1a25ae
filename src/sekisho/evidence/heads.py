"""The head of a ledger, signed and kept elsewhere: what was cut off or rewritten later shows against it."""

from collections.abc import Iterable
from typing import Any, Final

from sekisho.errors import DataError, MalformedError
from sekisho.evidence import dsse
from sekisho.evidence.keys import PublicKey, Signer
from sekisho.evidence.oms import STATEMENT
from sekisho.ledger.kinds import is_digest
from sekisho.ledger.store import Tip

HEAD: Final = "urn:sekisho:ledger-head:v1"
"""Predicate: how many entries the chain has, and when it was signed."""
NAME: Final = "ledger"


def sign(tip: Tip, time: str, signer: Signer) -> bytes:
    """A DSSE envelope of a statement about the last entry; `time` in UTC, ISO 8601. Raises DataError for no entry."""
    if not tip.sequence:
        raise DataError("the ledger is empty; there is no head to sign")
    payload = dsse.dump(
        {
            "_type": STATEMENT,
            "subject": [{"name": NAME, "digest": {"sha256": tip.digest}}],
            "predicateType": HEAD,
            "predicate": {"entries": tip.sequence, "time": time},
        }
    )
    return dsse.dump(dsse.envelope(payload, [signer])) + b"\n"


def read(data: bytes, keys: Iterable[PublicKey]) -> Tip:
    """The head in an envelope that one of the keys signed. Raises DataError, MalformedError, LimitError."""
    envelope = dsse.opened(data)
    by, _ = dsse.signer(envelope, keys)
    if by is None:
        raise DataError("the signature of the ledger's head is of none of the keys given")
    body = dsse.parse(envelope.payload)
    if body.get("_type") != STATEMENT or body.get("predicateType") != HEAD:
        raise MalformedError("the envelope holds no head of a ledger")
    return Tip(*_fields(body))


def _fields(body: dict[str, Any]) -> tuple[int, str]:
    try:
        (subject,), predicate = body["subject"], body["predicate"]
        entries, digest = predicate["entries"], subject["digest"]["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("the statement of the ledger's head is not complete") from error
    if type(entries) is not int or entries < 1 or not isinstance(digest, str) or not is_digest(digest):
        raise MalformedError("the statement of the ledger's head names no entry")
    return entries, digest
