"""Keys that sign and keys that are trusted: elliptic curves P-256, P-384 and P-521 in PEM files.

OpenSSF Model Signing v1.0 knows these three curves only, so other kinds of keys are refused with their name.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sekisho.errors import DataError, StorageError, UsageError
from sekisho.limits import DEFAULT

CURVES: Final = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_DIGESTS: Final = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
_NAMES: Final = {256: "P-256", 384: "P-384", 521: "P-521"}
VARIABLE: Final = "SEKISHO_KEY_PASSPHRASE"
"""Environment variable that may hold the passphrase of a key."""


@final
@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are checked with."""

    pem: bytes
    """SubjectPublicKeyInfo in PEM, as `cryptography` writes it."""

    @property
    def fingerprint(self) -> str:
        """sha256 hex of the PEM: the `hint` of an OMS bundle and the `keyid` of our envelopes."""
        return hashlib.sha256(self.pem).hexdigest()

    @property
    def curve(self) -> str:
        """`P-256`, `P-384` or `P-521`."""
        return _NAMES[self._key().curve.key_size]

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether an ECDSA signature (DER) over data was made with this key."""
        key = self._key()
        try:
            key.verify(signature, data, ec.ECDSA(_DIGESTS[key.curve.key_size]))
        except InvalidSignature:
            return False
        return True

    def _key(self) -> ec.EllipticCurvePublicKey:
        key = serialization.load_pem_public_key(self.pem)
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101  both ways of making one have seen to it
        return key


class Signer(Protocol):
    """All that signing needs of whatever holds a private key: a file, a token, a service."""

    @property
    def public(self) -> PublicKey:
        """The other half."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """X.509 certificates in DER, the signer's own first; empty for a bare key."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA over data with the digest of the curve, in DER. Raises UsageError."""


@final
@dataclass(frozen=True)
class KeyFile:
    """A private key read from a PEM file."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[bytes, ...] = ()

    @property
    def public(self) -> PublicKey:
        """The other half."""
        return of(self.key.public_key(), "the key")

    def sign(self, data: bytes) -> bytes:
        """ECDSA over data, in DER."""
        return self.key.sign(data, ec.ECDSA(_DIGESTS[self.key.curve.key_size]))


def of(key: object, where: str) -> PublicKey:
    """A public key of the kinds OMS knows. Raises DataError that names any other kind."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size not in _DIGESTS:
        raise DataError(f"{where}: {_kind(key)} is not used here; OMS takes keys on P-256, P-384 or P-521")
    if key.curve.name not in ("secp256r1", "secp384r1", "secp521r1"):
        raise DataError(f"{where}: the curve {key.curve.name} is not used here; P-256, P-384 and P-521 are")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(key.public_bytes(serialization.Encoding.PEM, form))


def public(data: bytes, where: str) -> PublicKey:
    """Read a public key in PEM. Raises DataError."""
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DataError(f"{where}: no public key in PEM") from error
    return of(key, where)


def read_public(path: Path) -> PublicKey:
    """Read a public key from a PEM file. Raises DataError."""
    return public(content(path), path.name)


def read(path: Path, passphrase: bytes | None = None, chain: tuple[bytes, ...] = ()) -> KeyFile:
    """Read a private key from a PEM file. Raises DataError, UsageError for a wrong or missing passphrase."""
    data = content(path)
    try:
        key = serialization.load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except TypeError as error:
        raise UsageError(f"{path.name}: the key needs a passphrase: name a file or set {VARIABLE}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        why = (
            "not opened by this passphrase"
            if b"ENCRYPTED" in data and passphrase
            else "no private key in PEM"
        )
        raise DataError(f"{path.name}: {why}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise DataError(
            f"{path.name}: {_kind(key)} is not used here; OMS takes keys on P-256, P-384 or P-521"
        )
    of(key.public_key(), path.name)
    return KeyFile(key, chain)


def create(path: Path, curve: str = "P-256", passphrase: bytes | None = None) -> PublicKey:
    """Make a key: `path` (mode 0600) and `path`.pub. Raises UsageError where one lies there, StorageError."""
    if curve not in CURVES:
        raise UsageError(f"no keys on {curve!r}; there are {', '.join(CURVES)}")
    key = ec.generate_private_key(CURVES[curve])
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    made = of(key.public_key(), path.name)
    other = path.with_name(path.name + ".pub")
    _new(path, pem, 0o600)
    try:
        _new(other, made.pem, 0o644)
    except (UsageError, StorageError):
        with suppress(OSError):
            path.unlink()
        raise
    return made


def passphrase(file: Path | None) -> bytes | None:
    """The first line of a file, else the environment variable, else None. Raises DataError."""
    if file is None:
        text = os.environ.get(VARIABLE, "")
        return text.encode("utf-8", "surrogateescape") or None
    found = content(file).splitlines()
    if not found or not found[0]:
        raise DataError(f"{file.name}: its first line, the passphrase, is empty")
    return found[0]


def _new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist, never readable by more than `mode` says."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    except FileExistsError as error:
        raise UsageError(f"{path}: exists already; a key is never overwritten") from error
    except OSError as error:
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error


def content(path: Path) -> bytes:
    """Bytes of a key or certificate file. Raises DataError."""
    try:
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        with path.open("rb") as file:
            data = file.read(DEFAULT.key_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.key_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.key_bytes:,} bytes for keys and certificates")
    return data


def _kind(key: object) -> str:
    """What a key is, in a word people know."""
    name = type(key).__name__.lower()
    for kind in ("ed25519", "ed448", "rsa", "dsa", "x25519"):
        if kind in name:
            return f"a key of the kind {kind.capitalize() if kind.startswith('ed') else kind.upper()}"
    return "a key of this kind"
