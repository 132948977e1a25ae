"""A helper process that is waited for, with a sign of life now and then."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Say = Callable[[str], None]
"""Shows one line of progress."""
HEARTBEAT_S: Final = 10.0


def quiet(line: str) -> None:
    """Show nothing."""


def wait(
    command: Sequence[str],
    what: str,
    progress: Say,
    *,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command to its end and return its exit status and what it wrote to standard error.

    Raises OSError where it cannot be started and TimeoutError after `limit_s`; then, and on an
    interruption, the process is killed.
    """
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            said = _listen(child, what, progress, limit_s)
        except BaseException:
            child.kill()
            raise
    return child.returncode, said


def _listen(child: "subprocess.Popen[str]", what: str, progress: Say, limit_s: float) -> str:
    waited = 0.0
    while waited < limit_s:
        try:
            return child.communicate(timeout=min(HEARTBEAT_S, limit_s - waited))[1]
        except subprocess.TimeoutExpired:
            waited += HEARTBEAT_S
            progress(f"{what}: {waited:.0f} s so far")
    raise TimeoutError(f"{what}: stopped after {limit_s:.0f} s")
