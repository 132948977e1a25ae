"""The process at the head of a run: starts the verb, waits, and writes down how it ended. It outlives the server."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_LOST: Final = 128
"""Added to the number of a signal that ended the verb, as shells do."""


def main(arguments: list[str]) -> int:
    """`FOLDER ATTEMPT LOCK COMMAND...`; the status of the command."""
    folder, attempt, lock, *command = arguments
    signal.signal(
        signal.SIGINT, lambda *_: None
    )  # the verb is told by the same signal, and ends in its own way
    _replace(Path(folder) / f"group-{attempt}", str(os.getpgrp()))
    code = subprocess.run(command, check=False, pass_fds=(int(lock),)).returncode
    code = code if code >= 0 else _LOST - code
    ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _replace(Path(folder) / f"exit-{attempt}.json", json.dumps({"code": code, "ended": ended}))
    return code


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
