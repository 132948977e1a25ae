"""The register in memory, for a program that stays: the chain is checked once, then only what was added to it."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import final

from sekisho.errors import DataError
from sekisho.ledger import rules
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import GENESIS, Entry, recomputed
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import State
from sekisho.ledger.store import Tip
from sekisho.limits import DEFAULT
from sekisho.register import rows
from sekisho.register.rows import Listing, Row


@final
class Shelf:
    """Rows of every model as the checked chain has them; for many threads. Nothing is written.

    Entries that are read again later are held against those that were checked. Every method raises DataError where
    the chain is broken, and StorageError.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.RLock()
        self._clear()

    def _clear(self) -> None:
        self._last = Tip(0, GENESIS)
        self._rows: dict[str, Row] = {}
        self._marks: dict[str, bytes] = {}
        self._arrived: dict[str, str] = {}
        self._trained: dict[str, dict[str, None]] = {}
        self._lessons: list[Entry] = []

    def refresh(self, ledger: Ledger) -> Tip:
        """Take in what is new; the last entry."""
        with self._lock:
            tip = ledger.tip()
            if tip == self._last:
                return tip
            if tip.sequence < self._last.sequence or not self._continues(ledger):
                self._clear()  # another ledger lies there now: it is checked from its beginning
            while self._last.sequence < tip.sequence:
                count = min(DEFAULT.ledger_page, tip.sequence - self._last.sequence)
                found = ledger.page(self._last.sequence, count)
                for entry in found:
                    self._take(ledger, entry)
                if not found:
                    raise self._broken(ledger, self._last.sequence + 1)
            if self._last != tip:
                raise self._broken(ledger, tip.sequence)
            return tip

    def row(self, subject: str) -> Row | None:
        """A model, as of the last `refresh`; of a request that files arrived for, those files."""
        return self._rows.get(self._arrived.get(subject, subject))

    def listed(self, wish: Listing, now: datetime, text: str = "") -> tuple[Row, ...]:
        """Models whose name, digest or source holds a text, those with the newest entries first; as of the last `refresh`."""
        sought = text.casefold()
        tests: list[Callable[[Row], object]] = []
        tests += [lambda r: r.state is wish.state] if wish.state else []
        tests += [lambda r: r.marks(now)] if wish.overdue else []
        tests += [lambda r: sought in f"{r.name}\n{r.subject}\n{r.source}".casefold()] if sought else []
        found = (r for r in self._known() if all(fits(r) for fits in tests))
        newest = sorted(found, key=lambda r: -r.last)
        return tuple(islice(newest, wish.skip, wish.skip + wish.count))

    def counts(self) -> Mapping[State | None, int]:
        """How many models stand at each state, None where nobody asked; as of the last `refresh`."""
        found = Counter(r.state for r in self._known())
        return {state: found[state] for state in (None, *State) if found[state]}

    def about(self, ledger: Ledger, subject: str) -> tuple[Entry, ...]:
        """Entries about a model, its request and the trainings that began from it, oldest first; each checked."""
        with self._lock:
            self.refresh(ledger)
            asked = next((a for a, s in self._arrived.items() if s == subject), "")
            own = [e for s in (asked, subject) if s for e in self._checked(ledger, s)]
            trained = (e for s in self._trained.get(subject, ()) for e in self._checked(ledger, s))
            own += (e for e in trained if _base(e) == subject)
        every = {e.sequence: e for e in own}
        return tuple(every[n] for n in sorted(every))

    def lessons(self) -> tuple[Entry, ...]:
        """Lessons that anybody passed, oldest first; as of the last `refresh`."""
        return tuple(self._lessons)

    def _known(self) -> tuple[Row, ...]:
        with self._lock:
            return tuple(r for s, r in self._rows.items() if s not in self._arrived)

    def _continues(self, ledger: Ledger) -> bool:
        if not self._last.sequence:
            return True
        found = ledger.page(self._last.sequence - 1, 1)
        return bool(found) and Tip(found[0].sequence, found[0].digest) == self._last

    def _take(self, ledger: Ledger, entry: Entry) -> None:
        follows = (entry.sequence, entry.previous) == (self._last.sequence + 1, self._last.digest)
        if not follows or recomputed(entry) != entry.digest:
            raise self._broken(ledger, entry.sequence)
        self._last = Tip(entry.sequence, entry.digest)
        subject = entry.subject
        if entry.kind == Kind.LESSONS_PASSED:
            self._lessons.append(entry)
        if not subject:
            return
        self._marks[subject] = _marked(self._marks.get(subject, b""), (entry,))
        if asked := _request(entry):
            self._arrived[asked] = subject
        if base := _base(entry):
            self._trained.setdefault(base, {})[subject] = None
        if (
            asked or subject in self._arrived
        ):  # what is about the request counts for the files, and comes before
            files = self._arrived.get(subject, subject)
            history = [e for e in ledger.history(files) if e.sequence <= entry.sequence]
            self._rows[files] = rows.fold(files, history)
        else:
            self._rows[subject] = rows.fold(subject, (entry,), self._rows.get(subject))

    def _checked(self, ledger: Ledger, subject: str) -> tuple[Entry, ...]:
        found = tuple(e for e in ledger.about(subject) if e.sequence <= self._last.sequence)
        if _marked(b"", found) != self._marks.get(subject, b""):
            raise self._broken(ledger, found[-1].sequence if found else 0)
        return found

    def _broken(self, ledger: Ledger, sequence: int) -> DataError:
        """Begin anew: once mended, the chain is walked as a whole."""
        self._clear()
        return DataError(
            f"the ledger {ledger.place} was tampered with, at entry {sequence} or near it; "
            "`sekisho ledger verify` names the entries"
        )


def _marked(before: bytes, found: Iterable[Entry]) -> bytes:
    mark = before
    for entry in found:
        mark = hashlib.sha256(mark + f"{entry.sequence}:{recomputed(entry)}".encode()).digest()
    return mark


def _request(entry: Entry) -> str:
    return rules.request((entry,)) if entry.kind == Kind.MODEL_REGISTERED else ""


def _base(entry: Entry) -> str:
    return str(entry.content.get("base_digest", "")) if entry.kind == Kind.TRAINING_RECORD else ""
