"""Progress on standard error, each line with the seconds since the first."""

import sys
import time
from collections.abc import Callable


def sayer() -> Callable[[str], None]:
    """Return a function that says a line."""
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:7.1f} s  {line}", file=sys.stderr, flush=True)

    return say
