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
        self._asked: dict[str, str] = {}
        self._trained: dict[str, dict[str, None]] = {}
        self._lessons: list[Entry] = []
        self._shown: tuple[Row, ...] | None = None

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
                if not found:
                    raise self._broken(ledger, self._last.sequence + 1)
                for entry in found:
                    self._check(ledger, entry)
                self._fold(ledger, found)
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
        found = (r for r in reversed(self._known()) if all(fits(r) for fits in tests))
        return tuple(islice(found, wish.skip, wish.skip + wish.count))

    def counts(self) -> Mapping[State | None, int]:
        """How many models stand at each state, None where nobody asked; as of the last `refresh`."""
        found = Counter(r.state for r in self._known())
        return {state: found[state] for state in (None, *State) if found[state]}

    def about(self, ledger: Ledger, subject: str) -> tuple[Entry, ...]:
        """Entries about a model, its request and the trainings that began from it, oldest first; each checked."""
        with self._lock:
            self.refresh(ledger)
            both = (self._asked.get(subject, ""), subject)
            own = [e for s in both if s for e in self._checked(ledger, s)]
            trained = (e for s in self._trained.get(subject, ()) for e in self._checked(ledger, s))
            own += (e for e in trained if _base(e) == subject)
        every = {e.sequence: e for e in own}
        return tuple(every[n] for n in sorted(every))

    def lessons(self) -> tuple[Entry, ...]:
        """Lessons that anybody passed, oldest first; as of the last `refresh`."""
        return tuple(self._lessons)

    def _known(self) -> tuple[Row, ...]:
        """Rows in the order of their newest entries."""
        with self._lock:
            if self._shown is None:
                self._shown = tuple(r for s, r in self._rows.items() if s not in self._arrived)
            return self._shown

    def _continues(self, ledger: Ledger) -> bool:
        if not self._last.sequence:
            return True
        found = ledger.page(self._last.sequence - 1, 1)
        return bool(found) and Tip(found[0].sequence, found[0].digest) == self._last

    def _check(self, ledger: Ledger, entry: Entry) -> None:
        """Hold an entry against the chain, and note what it links."""
        follows = (entry.sequence, entry.previous) == (self._last.sequence + 1, self._last.digest)
        if not follows or recomputed(entry) != entry.digest:
            raise self._broken(ledger, entry.sequence)
        self._last = Tip(entry.sequence, entry.digest)
        if entry.kind == Kind.LESSONS_PASSED:
            self._lessons.append(entry)
        if not entry.subject:
            return
        self._marks[entry.subject] = _marked(
            self._marks.get(entry.subject, b""), entry.sequence, entry.digest
        )
        if asked := _request(entry):
            self._arrived[asked] = entry.subject
            self._asked.setdefault(entry.subject, asked)
        if base := _base(entry):
            self._trained.setdefault(base, {})[entry.subject] = None

    def _fold(self, ledger: Ledger, found: Iterable[Entry]) -> None:
        """Make rows anew, the newest last."""
        self._shown = None
        groups: dict[str, list[Entry]] = {}
        for entry in found:
            group = groups.pop(entry.subject, [])
            group.append(entry)
            groups[entry.subject] = group
        bound: dict[str, list[str]] = {}
        for files, asked in self._asked.items():
            bound.setdefault(asked, []).append(files)
        for subject, new in groups.items():
            before = self._rows.pop(subject, None)
            if subject in self._asked:
                self._rows[subject] = self._whole(ledger, subject)
            elif subject:
                self._rows[subject] = rows.fold(subject, new, before)
            # what is about a request counts for the files that arrived for it, and comes before
            for files in bound.get(subject, ()):
                self._rows[files] = self._whole(ledger, files)

    def _whole(self, ledger: Ledger, subject: str) -> Row:
        return rows.fold(subject, (e for e in ledger.history(subject) if e.sequence <= self._last.sequence))

    def _checked(self, ledger: Ledger, subject: str) -> tuple[Entry, ...]:
        found = tuple(e for e in ledger.about(subject) if e.sequence <= self._last.sequence)
        mark = b""
        for entry in found:
            mark = _marked(mark, entry.sequence, recomputed(entry))
        if mark != self._marks.get(subject, b""):
            raise self._broken(ledger, found[-1].sequence if found else 0)
        return found

    def _broken(self, ledger: Ledger, sequence: int) -> DataError:
        """Begin anew: once mended, the chain is walked as a whole."""
        self._clear()
        return DataError(
            f"the ledger {ledger.place} was tampered with, at entry {sequence} or near it; "
            "`sekisho ledger verify` names the entries"
        )


def _marked(before: bytes, sequence: int, digest: str) -> bytes:
    return hashlib.sha256(before + f"{sequence}:{digest}".encode()).digest()


def _request(entry: Entry) -> str:
    return rules.request((entry,)) if entry.kind == Kind.MODEL_REGISTERED else ""


def _base(entry: Entry) -> str:
    return str(entry.content.get("base_digest", "")) if entry.kind == Kind.TRAINING_RECORD else ""
