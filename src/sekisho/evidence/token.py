"""Keys that never leave a token, by PKCS#11 (RFC 7512 URIs). Needs `sekisho[pkcs11]`, the package python-pkcs11.

    pkcs11:token=company;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so

The PIN is the passphrase; `pin-value` in the URI is refused, since command lines are read by others.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import utils

from sekisho.errors import UsageError
from sekisho.evidence import keys
from sekisho.evidence.keys import PublicKey

MODULE: Final = "PKCS11_MODULE"
"""Environment variable with the library of the token, where the URI names none."""
_DIGESTS: Final = {"P-256": hashlib.sha256, "P-384": hashlib.sha384, "P-521": hashlib.sha512}
_KNOWN: Final = ("token", "object", "id", "module-path", "type")


@final
@dataclass(frozen=True)
class Token:
    """A private key on a token, reached through an open session."""

    key: Any
    """The private key's handle of python-pkcs11."""
    public: PublicKey
    chain: tuple[bytes, ...] = ()

    def sign(self, data: bytes) -> bytes:
        """ECDSA over data, in DER. Raises UsageError where the token refuses."""
        import pkcs11

        try:
            raw = bytes(
                self.key.sign(_DIGESTS[self.public.curve](data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
            )
        except pkcs11.PKCS11Error as error:
            raise UsageError(f"the token does not sign: {_said(error)}") from error
        half = len(raw) // 2
        r, s = (int.from_bytes(part, "big") for part in (raw[:half], raw[half:]))
        return utils.encode_dss_signature(r, s)


def opened(uri: str, pin: bytes | None, chain: tuple[bytes, ...] = ()) -> Token:
    """Log in and find the key. Raises UsageError."""
    try:
        import pkcs11
        from pkcs11.util.ec import encode_ec_public_key
    except ImportError as error:
        raise UsageError("keys on a token need python-pkcs11: pip install 'sekisho[pkcs11]'") from error
    parts = parse(uri)
    module = parts.get("module-path") or os.environ.get(MODULE, "")
    if not Path(module).is_file():
        raise UsageError(f"{module or 'module-path'}: no PKCS#11 library; name one in the URI or in {MODULE}")
    found: dict[str, Any] = {"label": parts["object"]} if "object" in parts else {}
    if "id" in parts:
        found["id"] = parts["id"].encode("latin-1")
    try:
        token = pkcs11.lib(module).get_token(token_label=parts["token"])
        session = _session(token, pin)
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **found)
        other: Any = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **found)
        public = keys.of(serialization.load_der_public_key(encode_ec_public_key(other)), "the token's key")
    except (pkcs11.PKCS11Error, RuntimeError, ValueError, KeyError) as error:
        raise UsageError(f"the token does not give the key: {_said(error)}") from error
    return Token(private, public, chain)


def parse(uri: str) -> dict[str, str]:
    """Attributes of a pkcs11: URI. Raises UsageError on unknown ones, and on a PIN."""
    body = uri.removeprefix("pkcs11:").replace("?", ";").replace("&", ";")
    parts: dict[str, str] = {}
    for piece in filter(None, body.split(";")):
        name, _, value = piece.partition("=")
        if name in ("pin-value", "pin-source"):
            raise UsageError("a PIN does not belong in the URI: name --passphrase-file, or set the variable")
        if name not in _KNOWN or name in parts:
            raise UsageError(f"pkcs11: {name!r} is unknown or given twice; there are {', '.join(_KNOWN)}")
        parts[name] = unquote(value, encoding="latin-1" if name == "id" else "utf-8")
    if "token" not in parts or not {"object", "id"} & parts.keys():
        raise UsageError("pkcs11: a URI needs token=, and object= or id=")
    return parts


def _session(token: Any, pin: bytes | None) -> Any:
    """A session; within one process a token is logged in to once."""
    import pkcs11

    try:
        return token.open(user_pin=pin.decode() if pin else None)
    except pkcs11.UserAlreadyLoggedIn:
        return token.open()


def _said(error: Exception) -> str:
    """An error of the library in a line; most have no text, only a telling name."""
    return str(error) or type(error).__name__
