"""A form as a browser sends it, within bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from sekisho.errors import LimitError, UsageError
from sekisho.limits import DEFAULT

MEDIA: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Form:
    """Fields by name, each with its values in order."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """The first value without the spaces around it, or `default` where the field was not sent."""
        return self.fields[name][0].strip() if name in self.fields else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value that is not empty."""
        return tuple(v.strip() for v in self.fields.get(name, ()) if v.strip())

    def number(self, name: str) -> int:
        """A whole number as digits. Raises UsageError."""
        text = self.get(name)
        if not (text.isascii() and text.isdigit() and len(text) <= DEFAULT.web_digits):
            raise UsageError(f"{name}: a whole number is needed")
        return int(text)


async def read(request: Request) -> Form:
    """Read the body of a POST. Raises LimitError, UsageError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA:
        raise UsageError(f"a form is sent as {MEDIA}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > DEFAULT.web_form_bytes:
            raise LimitError("bytes of a form", len(data), DEFAULT.web_form_bytes)
    return parse(bytes(data))


def parse(data: bytes) -> Form:
    """Read urlencoded fields. Raises UsageError."""
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=DEFAULT.web_form_fields,
        )
    except ValueError as error:
        raise UsageError("the form is not readable, or has too many fields") from error
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value.replace("\r\n", "\n"))
    return Form(found)
