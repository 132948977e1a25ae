"""One question to a confined child: JSON in, JSON out, bounded in time and size; it ends with the answer."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, Final, final

from sekisho.limits import MIB, Limits

RENDER: Final = "sekisho.sandbox.render"
TOKENISE: Final = "sekisho.sandbox.tokenise"
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


@final
@dataclass(frozen=True)
class Reply:
    """What came back."""

    document: dict[str, Any] | None
    problem: str = ""
    """Why nothing usable did: `time`, `crash`, `size`, `garbled`, or what the child says of it."""


def ask(module: str, question: dict[str, Any], limits: Limits, *, memory: int | None = None) -> Reply:
    """Run a module of this package in a child of its own and return its answer; never raises for what the child did.

    `memory` is its address space in bytes, for a question that needs more than most.
    """
    given = json.dumps(question).encode()
    with TemporaryFile() as answer:
        try:
            done = subprocess.run(
                [
                    sys.executable,
                    "-I",
                    "-B",
                    "-m",
                    module,
                    str((memory or limits.sandbox_memory_bytes) // MIB),
                ],
                input=given,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                timeout=limits.sandbox_s,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Reply(None, "time")
        except OSError:
            return Reply(None, "crash")
        if os.fstat(answer.fileno()).st_size > limits.sandbox_reply_bytes:
            return Reply(None, "size")
        answer.seek(0)
        return _parsed(answer.read(), done.returncode)


def _parsed(data: bytes, status: int) -> Reply:
    if status != 0:
        return Reply(None, "crash")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return Reply(None, "garbled")
    if not isinstance(document, dict):
        return Reply(None, "garbled")
    problem = document.get("problem")
    return Reply(None, problem) if isinstance(problem, str) else Reply(document)


def _environment() -> dict[str, str]:
    """The few variables the child is given; nothing that a user keeps secret is among them."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
