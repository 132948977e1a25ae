"""Who is told how a vet comes along, and the wall time of its stages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from sekisho.records import Timing


class Observer(Protocol):
    """Told what is going on; calls may come from worker threads."""

    def stage(self, name: str) -> None:
        """A stage begins."""
        ...

    def forecast(self, seconds: float) -> None:
        """Wall time that the slow part will take."""
        ...

    def notice(self, what: str, done: float, total: float) -> None:
        """Work on `what` has come this far."""
        ...


class Unwatched:
    """An observer that ignores everything."""

    def stage(self, name: str) -> None:
        """Ignore."""

    def forecast(self, seconds: float) -> None:
        """Ignore."""

    def notice(self, what: str, done: float, total: float) -> None:
        """Ignore."""


class Clock:
    """Wall time by stage."""

    def __init__(self) -> None:
        self._started, self._start = datetime.now(UTC), time.monotonic()
        self._stages: list[tuple[str, float]] = []
        self.forecast = 0.0

    @contextmanager
    def stage(self, name: str, watch: Observer) -> Iterator[None]:
        """Tell `watch`, and keep how long it took."""
        watch.stage(name)
        start = time.monotonic()
        try:
            yield
        finally:
            self._stages.append((name, round(time.monotonic() - start, 1)))

    @property
    def elapsed(self) -> float:
        """Seconds since the vet began."""
        return time.monotonic() - self._start

    def timing(self) -> Timing:
        """The block of a dossier that two equal runs may differ in."""
        started = self._started.isoformat(timespec="seconds")
        return Timing(started, round(self.forecast, 1), tuple(self._stages))
