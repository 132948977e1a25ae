"""What a ledger asks of a database; `sqlite` and `postgres` are the two there are."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from sekisho.ledger.entry import Entry

FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1
"""What a database can number; an honest entry is 1 or more, and a walk looks below, too."""
VERSION: Final = 1
"""Of the schema; a younger database is refused."""
COLUMNS: Final = ("sequence", "time", "actor", "kind", "subject", "body", "previous", "digest")
WAIT_S: Final = 60
"""Seconds one writer waits for another."""


@dataclass(frozen=True)
class Tip:
    """What the store says its last entry is, kept apart from the entries themselves."""

    sequence: int
    """0 while there is none."""
    digest: str


class Store(Protocol):
    """Rows of a ledger. Every method raises StorageError; an object serves one thread."""

    place: str
    """Where it lies, without a password."""

    def writing(self) -> AbstractContextManager[None]:
        """Be the only writer until the block ends; then everything added is durable, or none of it."""

    def tip(self) -> Tip:
        """The tip; inside `writing` nobody can move it."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries, only inside `writing`; the database itself refuses one that does not follow the tip."""

    def page(self, after: int, count: int) -> tuple[Entry, ...]:
        """At most `count` entries with a sequence above `after`, in order."""

    def about(self, subject: str) -> tuple[Entry, ...]:
        """Every entry about a model, in order."""

    def heads(self) -> Mapping[str, int]:
        """For each model, the sequence of its newest entry."""

    def newest(self, kind: str) -> Mapping[str, tuple[int, str]]:
        """For each model that has one, sequence and body of its newest entry of a kind."""

    def search(self, kind: str, text: str) -> tuple[Entry, ...]:
        """Entries of a kind, or of any where it is empty, whose body holds a text as it stands; in order."""

    def begun(self, start: str) -> tuple[str, ...]:
        """Models whose digest begins with these hex digits."""

    def close(self) -> None:
        """Let go of the database."""
