"""The signer that a key's name stands for: a PEM file, or a token by its `pkcs11:` URI."""

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sekisho.errors import DataError
from sekisho.evidence import certificates, keys
from sekisho.evidence.keys import PublicKey, Signer


def named(key: str, passphrase: Path | None = None, chained: Path | None = None) -> Signer:
    """Open a signer. Raises DataError, UsageError."""
    secret, chain = keys.passphrase(passphrase), _chain(chained)
    if key.startswith("pkcs11:"):
        from sekisho.evidence import token

        made: Signer = token.opened(key, secret, chain)
    else:
        made = keys.read(Path(key), secret, chain)
    if (
        chain
        and keys.of(x509.load_der_x509_certificate(chain[0]).public_key(), "the first certificate")
        != made.public
    ):
        raise DataError(f"{chained}: its first certificate is not that of the key")
    return made


def _chain(path: Path | None) -> tuple[bytes, ...]:
    if path is None:
        return ()
    found = certificates.roots(keys.content(path), path.name)
    return tuple(c.public_bytes(serialization.Encoding.DER) for c in found)


def pins(paths: Iterable[Path]) -> tuple[tuple[PublicKey, ...], tuple[x509.Certificate, ...]]:
    """Public keys and root certificates of PEM files, told apart by content. Raises DataError."""
    known: list[PublicKey] = []
    anchors: list[x509.Certificate] = []
    for path in paths:
        data = keys.content(path)
        if b"BEGIN CERTIFICATE" in data:
            anchors += certificates.roots(data, path.name)
        else:
            known.append(keys.public(data, path.name))
    return tuple(known), tuple(anchors)
