"""Walk the chain from its beginning and name every entry that does not stand as it was written."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import GENESIS, Entry, recomputed
from sekisho.ledger.store import Tip

CODES: Final = (
    *("altered", "replaced", "moved", "missing", "cut-off", "beyond-tip", "before-first"),
    *("hidden", "not-head", "behind-head"),
)
"""What can be wrong with one entry; the keys of the sentences."""
_PAIRS: Final = 64
"""So many altered entries are tried in one another's places."""


@dataclass(frozen=True)
class Problem:
    """One entry that is not as it was."""

    sequence: int
    code: str
    other: int = 0
    """Another entry that the sentence names: the last of a gap, the place an entry came from."""


@dataclass(frozen=True)
class Verified:
    """What a walk showed."""

    entries: int
    tip: Tip
    """The last entry found, by its number and digest."""
    problems: tuple[Problem, ...]

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


def verify(ledger: Ledger, heads: tuple[Tip, ...] = ()) -> Verified:
    """Check every entry, the tip, and heads that somebody kept elsewhere. Raises StorageError."""
    before = ledger.tip()
    found: list[Problem] = []
    last, count = Tip(0, GENESIS), 0
    told: dict[str, hashlib._Hash] = {}
    found += [Problem(0, "not-head") for h in heads if h.sequence == 0 and h.digest != GENESIS]
    for row in ledger.all():
        if row.sequence < 1:
            found.append(Problem(row.sequence, "before-first"))
            continue
        found += _entry(row, last)
        if any(h.sequence == row.sequence and h.digest != row.digest for h in heads):
            found.append(Problem(row.sequence, "not-head"))
        if row.subject:
            _mark(told.setdefault(row.subject, hashlib.sha256()), row)
        last, count = Tip(row.sequence, row.digest), count + 1
    found += _end(last, before, ledger.tip())
    found += _hidden(ledger, told, last.sequence)
    found += [Problem(h.sequence, "behind-head", last.sequence) for h in heads if h.sequence > last.sequence]
    first = {
        p.sequence: p for p in reversed(found)
    }  # of an entry, the first thing said: the rest follows from it
    return Verified(count, last, tuple(_moved(ledger, [p for p in found if first[p.sequence] is p])))


def _entry(row: Entry, last: Tip) -> Iterator[Problem]:
    gap = row.sequence - last.sequence
    if gap > 1:
        yield Problem(last.sequence + 1, "missing", row.sequence - 1)
    if recomputed(row) != row.digest:
        yield Problem(row.sequence, "altered")
    elif gap == 1 and row.previous != last.digest:
        # this one is as it was written, so the one before is not the one it was written after
        yield Problem(max(last.sequence, 1), "replaced" if last.sequence else "altered")


def _mark(made: "hashlib._Hash", row: Entry) -> None:
    made.update(f"{row.sequence}:{row.digest}\n".encode())


def _hidden(ledger: Ledger, told: "Mapping[str, hashlib._Hash]", last: int) -> Iterator[Problem]:
    """Entries of the chain that a search for their model does not bring up: rules would not go by them."""
    for subject, made in told.items():
        shown = [e for e in ledger.about(subject) if e.sequence <= last]
        again = hashlib.sha256()
        for row in shown:
            _mark(again, row)
        if again.digest() != made.digest():
            numbers = {e.sequence for e in shown}
            rows = (e for e in ledger.all() if e.subject == subject and e.sequence not in numbers)
            yield from (Problem(e.sequence, "hidden") for e in rows if 0 < e.sequence <= last)


def _end(last: Tip, before: Tip, after: Tip) -> Iterator[Problem]:
    """Hold the end against the tip before and after the walk: others may have added entries meanwhile."""
    if last.sequence < before.sequence:
        yield Problem(last.sequence + 1, "cut-off", before.sequence)
    elif last.sequence > after.sequence:
        yield Problem(after.sequence + 1, "beyond-tip")
    elif last.sequence == after.sequence and last.digest != after.digest:
        yield Problem(last.sequence, "replaced")


def _moved(ledger: Ledger, found: list[Problem]) -> Iterator[Problem]:
    """Of entries that look altered, tell those that are whole but stand in another's place."""
    suspects = {p.sequence for p in found if p.code == "altered"}
    rows = {e.sequence: e for e in ledger.all() if e.sequence in suspects} if suspects else {}
    for problem in found:
        place = _place(rows[problem.sequence], suspects) if problem.sequence in rows else 0
        yield Problem(problem.sequence, "moved", place) if problem.code == "altered" and place else problem


def _place(row: Entry, suspects: set[int]) -> int:
    """The place whose number makes the entry's digest right; 0 if none does."""
    beside = {row.sequence - 1, row.sequence + 1}
    tried = sorted(beside | suspects if len(suspects) <= _PAIRS else beside)
    return next((s for s in tried if recomputed(row, s) == row.digest), 0)
