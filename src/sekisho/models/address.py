"""Where a served model is reached: `openai+http://HOST:PORT/v1#MODEL`, with no secret in it."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sekisho.errors import UsageError
from sekisho.limits import DEFAULT

_SCHEMES: Final = ("openai+http://", "openai+https://")
_MODEL: Final = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True)
class Address:
    """A model of a server that speaks the OpenAI protocol."""

    url: str
    """http:// or https://, up to the part before `/chat/completions`."""
    model: str
    """What the server calls it."""

    @property
    def host(self) -> str:
        """Name or number, in lower case."""
        return urlsplit(self.url).hostname or ""

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        """As it is named on the command line."""
        return f"openai+{self.url}#{self.model}"


def is_endpoint(spec: str) -> bool:
    """Say whether a model was named by such an address."""
    return spec.startswith(_SCHEMES)


def parse(spec: str) -> Address:
    """Read an address. Raises UsageError."""
    if len(spec) > DEFAULT.path_chars or not is_endpoint(spec):
        raise UsageError("an endpoint is named as openai+http://HOST:PORT/v1#MODEL")
    try:
        parts = urlsplit(spec.removeprefix("openai+"))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"the endpoint's address cannot be read: {error}") from error
    if "@" in parts.netloc:
        raise UsageError(
            "an endpoint's address holds no user and no password: the key comes from the environment"
        )
    if not host or parts.query or not spec.isprintable() or " " in spec:
        raise UsageError("an endpoint is named as openai+http://HOST:PORT/v1#MODEL, without a query")
    if not _MODEL.fullmatch(parts.fragment):
        raise UsageError("after the endpoint's address stands # and the model's name, as the server knows it")
    path = parts.path.rstrip("/")
    return Address(f"{parts.scheme}://{parts.netloc}{path}", parts.fragment)
