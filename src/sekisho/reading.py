"""How far a long read has come, on standard error: nothing for two seconds, then a bar, or a line off a terminal."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET_S: Final = 2.0
"""Seconds before anything is shown."""
EVERY_S: Final = 10.0
"""Seconds between lines where there is no terminal."""


@final
class Reading:
    """Called with (bytes read, bytes in all); use it as a context manager."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next = time.monotonic() + QUIET_S
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> "Reading":
        """Start the clock."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar[0].stop()

    def __call__(self, done: int, total: int) -> None:
        """Show it, where it is time to."""
        if self._bar:
            self._bar[0].update(self._bar[1], completed=done, total=total)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            if sys.stderr.isatty():
                self._bar = _bar(done, total)
            else:
                self._say(f"reading: {done / 2**30:.1f} of {total / 2**30:.1f} GiB")


def _bar(done: int, total: int) -> "tuple[Progress, TaskID]":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(30), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("reading", completed=done, total=total)
    bar.start()
    return bar, task
