"""Signers known by X.509 certificate: a chain from a bundle to a root that whoever verifies names."""

from collections.abc import Collection, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509 import verification

from sekisho.errors import DataError, MalformedError
from sekisho.evidence import keys
from sekisho.evidence.keys import PublicKey


def roots(data: bytes, where: str) -> tuple[x509.Certificate, ...]:
    """Certificates of a PEM file. Raises DataError."""
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError as error:
        raise DataError(f"{where}: no certificates in PEM") from error


def trusted(chain: Sequence[bytes], anchors: Collection[x509.Certificate], at: datetime) -> PublicKey | None:
    """The leaf's key if its chain leads to an anchor on that day and it may sign; else None. Raises MalformedError."""
    if not chain:
        return None
    try:
        leaf, *others = (x509.load_der_x509_certificate(c) for c in chain)
        key = keys.of(leaf.public_key(), "the certificate")
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, DataError) as error:
        raise MalformedError(f"a certificate is not read: {error}") from error
    if not usage.digital_signature or not anchors:
        return None
    everything = verification.ExtensionPolicy.permit_all()
    policy = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(at)
    policy = policy.extension_policies(ee_policy=everything, ca_policy=_authorities())
    try:
        policy.build_client_verifier().verify(leaf, others)
    except verification.VerificationError:
        return None
    return key


def _authorities() -> verification.ExtensionPolicy:
    """What a certificate that signs others must say: that it is one."""
    permit, needed = verification.ExtensionPolicy.permit_all(), verification.Criticality.AGNOSTIC
    return permit.require_present(x509.BasicConstraints, needed, _is_authority)


def _is_authority(_policy: object, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("not the certificate of an authority")
