"""A supplier's own signed result, verified and noted in the ledger; it replaces no test of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sekisho.errors import DataError
from sekisho.evidence import checking, codes
from sekisho.evidence.codes import Verified
from sekisho.evidence.keys import PublicKey
from sekisho.evidence.ruling import Demands
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind


@dataclass(frozen=True)
class Taken:
    """What came of a supplier's evidence folder."""

    found: Verified
    entry: Entry | None
    """None where it did not verify, so that nothing was noted."""


def take(ledger: Ledger, folder: Path, keys: Sequence[PublicKey], *, by: str, day: str) -> Taken:
    """Verify with the supplier's key, got by another way, and note verdict and digest. Raises DataError, StorageError."""
    if not keys:
        raise DataError("name the supplier's public key, got by another way than the folder: --key")
    found = checking.verify(folder, keys, demands=Demands(at=day))
    if found.code != codes.VERIFIED:
        return Taken(found, None)
    marks = ", ".join(k.fingerprint[:12] for k in keys)
    text = f"supplier's result: {found.verdict}; evidence {found.digest}; key {marks}"
    return Taken(found, ledger.append(Draft(by, Kind.NOTE, found.root, {"text": text})))
