"""Line-delimited JSON between the parent and the child that holds a model.

JSON, not pickle: a child taken over by a hostile file must not be able to run code in its parent.
"""

import json
from typing import IO, Any, final

from sekisho.errors import ModelError
from sekisho.limits import DEFAULT


@final
class Channel:
    """One end of the conversation; every message is an object on one line."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer

    def send(self, message: dict[str, Any]) -> None:
        """Write one message. Raises ModelError if the other side is gone."""
        try:
            self._writer.write(json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n")
            self._writer.flush()
        except (OSError, ValueError) as error:
            raise ModelError(f"the model's process is gone: {error}") from error

    def receive(self) -> dict[str, Any]:
        """Read one message. Raises ModelError at end of stream or on anything that is not one."""
        try:
            line = self._reader.readline(DEFAULT.child_reply_bytes)
        except (OSError, ValueError) as error:
            raise ModelError(f"the model's process is gone: {error}") from error
        if not line.endswith(b"\n"):
            raise ModelError("the model's process ended" if not line else "a reply is over the limit")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ModelError("a reply is not JSON") from error
        if not isinstance(message, dict):
            raise ModelError("a reply is not an object")
        return message
