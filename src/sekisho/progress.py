"""What a person sees on standard error while a vet runs: stages, the forecast, one bar per task.

Off a terminal, a plain line at each stage and every half minute. For programs, the same in a file that
SEKISHO_PROGRESS names: JSON, replaced as a whole, at most every half second.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TextIO, cast, final

from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

EVERY_S: Final = 30.0
"""Seconds between plain lines."""
NOTE: Final = "SEKISHO_PROGRESS"
"""Environment variable: a file for the progress."""
NOTE_S: Final = 0.5
"""Seconds between two writings of it."""
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
class Note:
    """The progress as a file: `stages` begun, `forecast_s`, `updated` and `work`, rows of what, done, total."""

    def __init__(self, file: Path) -> None:
        """Write to this file from now on."""
        self._file, self._written = file, 0.0
        self._stages: list[str] = []
        self._forecast = 0.0

    def stage(self, name: str, shares: Mapping[str, tuple[float, float]]) -> None:
        """A stage begins."""
        self._stages.append(name)
        self.write(shares, now=True)

    def forecast(self, seconds: float, shares: Mapping[str, tuple[float, float]]) -> None:
        """The slow part will take so long."""
        self._forecast = seconds
        self.write(shares, now=True)

    def write(self, shares: Mapping[str, tuple[float, float]], *, now: bool = False) -> None:
        """Replace the file, unless that was done a moment ago; one that cannot be written is done without."""
        if not now and time.monotonic() - self._written < NOTE_S:
            return
        self._written = time.monotonic()
        body = {
            "stages": self._stages,
            "forecast_s": round(self._forecast, 1),
            "updated": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "work": [[what, done, total] for what, (done, total) in shares.items()],
        }
        new = self._file.with_name(f"{self._file.name}.new")
        with suppress(OSError, ValueError):
            new.write_text(json.dumps(body, allow_nan=False), "utf-8")
            new.replace(self._file)


@final
class Console:
    """An observer of `sekisho.watch` for people; use it as a context manager."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._terminal = Terminal(file=cast("IO[str]", _Stream(sys.stderr)))
        self._lock = threading.Lock()
        self._bars: dict[str, TaskID] = {}
        self._shares: dict[str, tuple[float, float]] = {}
        self._spoken = time.monotonic()
        self._note = Note(Path(environment[NOTE])) if environment.get(NOTE) else None
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
        if self._note:
            with self._lock:
                self._note.stage(name, self._shares)
        self._say(f"{STAGES.get(name, name)} ...")

    def forecast(self, seconds: float) -> None:
        """Say how long the slow part will take."""
        if self._note:
            with self._lock:
                self._note.forecast(seconds, self._shares)
        minutes = max(1, round(seconds / 60))
        self._say(f"Forecast: about {minutes} minute{'s' if minutes > 1 else ''} on this machine.")

    def notice(self, what: str, done: float, total: float) -> None:
        """Move the bar of one task, or speak now and then where there is no terminal."""
        with self._lock:
            self._shares.pop(what, None)
            self._shares[what] = (done, total)
            if self._note:
                self._note.write(self._shares)
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
