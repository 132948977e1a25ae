"""Sigstore bundles (the extra `sigstore`): who signed, by certificate and log entry, offline against a trust root given.

To verify, nothing is fetched: the trust root is a file (`trusted_root.json`) that came another way. A bundle counts for
one identity and one issuer, both named by whoever verifies. To sign, the services of a configuration are asked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from sekisho.errors import DataError, MalformedError, SourceError, UsageError
from sekisho.evidence import dsse


@final
@dataclass(frozen=True)
class Trust:
    """Whose bundles count, and against which authorities and logs."""

    root: Path
    """`trusted_root.json`."""
    identity: str
    """An address, or the URI of a workflow, as the certificate has it."""
    issuer: str
    """Who vouched for the identity, an https address."""

    @property
    def name(self) -> str:
        """How a supplier register lists this signer."""
        return f"sigstore:{self.identity} {self.issuer}"


def is_logged(data: bytes) -> bool:
    """Whether a signature is a bundle with entries of a transparency log. Raises MalformedError, LimitError."""
    material = dsse.parse(data).get("verificationMaterial")
    return isinstance(material, dict) and bool(material.get("tlogEntries"))


def payload(data: bytes, trust: Trust) -> bytes | None:
    """The payload of a bundle that holds and is by this identity; None where either is not so.

    Raises MalformedError for a bundle that cannot be read, DataError for such a trust root, UsageError without the extra.
    """
    try:
        from sigstore.errors import Error
        from sigstore.models import Bundle, TrustedRoot
        from sigstore.verify import Verifier, policy
    except ImportError as error:
        raise UsageError("a sigstore bundle needs the extra: pip install 'sekisho[sigstore]'") from error
    try:
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(trust.root)))
    except (Error, OSError, ValueError) as error:
        raise DataError(f"{trust.root}: no trust root of sigstore: {error}") from error
    try:
        bundle = Bundle.from_json(data)
    except (Error, ValueError) as error:
        raise MalformedError(f"no sigstore bundle: {error}") from error
    try:
        kind, found = verifier.verify_dsse(
            bundle, policy.Identity(identity=trust.identity, issuer=trust.issuer)
        )
    except (Error, ValueError):
        return None
    return found if kind == dsse.TYPE else None


def sign(payload: bytes, token: str, config: Path) -> bytes:
    """A bundle over an in-toto statement, by the identity of a token; asks the services that `config` names.

    `config` is a client trust configuration in JSON. Raises DataError, SourceError where a service does not give its part.
    """
    try:
        from sigstore.dsse import Statement
        from sigstore.errors import Error
        from sigstore.models import ClientTrustConfig
        from sigstore.oidc import IdentityError, IdentityToken
        from sigstore.sign import SigningContext
    except ImportError as error:
        raise UsageError("a sigstore bundle needs the extra: pip install 'sekisho[sigstore]'") from error
    try:
        trusted = ClientTrustConfig.from_json(config.read_text("utf-8"))
    except (Error, OSError, ValueError) as error:
        raise DataError(f"{config}: no client trust configuration of sigstore: {error}") from error
    try:
        identity = IdentityToken(token.strip())
    except (IdentityError, ValueError) as error:
        raise DataError("the identity token cannot be read, or is not of now") from error
    try:
        with SigningContext.from_trust_config(trusted).signer(identity) as signer:
            return str(signer.sign_dsse(Statement(payload)).to_json()).encode() + b"\n"
    except (Error, OSError, ValueError) as error:
        raise SourceError(f"sigstore did not sign: {error}") from error
