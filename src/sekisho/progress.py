"""What a person sees on standard error while a vet runs: stages, the forecast, one bar per task.

Off a terminal, a plain line at each stage and every half minute.
"""

import sys
import threading
import time
from typing import IO, Final, TextIO, cast, final

from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVERY_S: Final = 30.0
"""Seconds between plain lines."""
STAGES: Final = {
    "inspect": "Looking at every file",
    "sweep": "Putting tokens into prompts",
    "measure": "Asking and training",
    "control": "Training the control",
    "decide": "Deciding",
}


@final
class _Stream:
    """Standard error that may vanish: a vet of hours does not end because nobody reads its progress."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding
        self._lost = False

    def write(self, text: str) -> int:
        if not self._lost:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._lost = True
        return len(text)

    def flush(self) -> None:
        if not self._lost:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._lost = True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


@final
class Console:
    """An observer of `sekisho.watch` for people; use it as a context manager."""

    def __init__(self) -> None:
        self._terminal = Terminal(file=cast("IO[str]", _Stream(sys.stderr)))
        self._lock = threading.Lock()
        self._bars: dict[str, TaskID] = {}
        self._shares: dict[str, tuple[float, float]] = {}
        self._spoken = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=self._terminal,
            disable=not self._terminal.is_terminal,
        )

    def __enter__(self) -> "Console":
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; the bars stay on the screen."""
        self._progress.stop()

    def stage(self, name: str) -> None:
        """Announce a stage."""
        self._say(f"{STAGES.get(name, name)} ...")

    def forecast(self, seconds: float) -> None:
        """Say how long the slow part will take."""
        minutes = max(1, round(seconds / 60))
        self._say(f"Forecast: about {minutes} minute{'s' if minutes > 1 else ''} on this machine.")

    def notice(self, what: str, done: float, total: float) -> None:
        """Move the bar of one task, or speak now and then where there is no terminal."""
        with self._lock:
            self._shares.pop(what, None)
            self._shares[what] = (done, total)
            if self._terminal.is_terminal:
                if what not in self._bars:
                    self._bars[what] = self._progress.add_task(what, total=total)
                self._progress.update(self._bars[what], completed=done, total=total)
            elif time.monotonic() - self._spoken > EVERY_S:
                self._spoken = time.monotonic()
                self._terminal.print(self._summary(), highlight=False)

    def _summary(self) -> str:
        going = [f"{w} {100 * d / t:.0f} %" for w, (d, t) in self._shares.items() if t and d < t]
        return "  " + "; ".join(going or [f"{next(reversed(self._shares), '')} done"])

    def _say(self, text: str) -> None:
        self._terminal.print(text, highlight=False)
