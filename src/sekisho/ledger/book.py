"""The ledger itself: rules before, chain after, and a clock that is handed in."""

import getpass
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final

from sekisho.errors import RuleError, StorageError, UsageError
from sekisho.ledger import entry as entries
from sekisho.ledger import rules
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.store import FIRST, LAST, Store, Tip
from sekisho.limits import DEFAULT

PLACE: Final = "SEKISHO_LEDGER"
"""Environment variable: path of an SQLite file, or a URL postgresql://..."""
ACTOR: Final = "SEKISHO_ACTOR"
"""Environment variable: who writes; without it, the login name."""
_URLS: Final = ("postgresql://", "postgres://")


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@final
class Ledger:
    """A chain of entries. Every method raises StorageError."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        """Take over an open store."""
        self._store, self._clock = store, clock

    @property
    def place(self) -> str:
        """Where it lies, without a password."""
        return self._store.place

    def now(self) -> datetime:
        """The ledger's clock."""
        return self._clock()

    def append(self, draft: Draft) -> Entry:
        """Write one entry; it is durable when this returns. Raises RuleError, DataError, LimitError."""
        return self.extend([draft])[0]

    def extend(self, drafts: Sequence[Draft], *, seen: int | None = None) -> tuple[Entry, ...]:
        """Write several entries, all or none. Another writer is waited for; the chain cannot fork.

        `seen` is the newest entry about the drafts' subjects that the writer knows of, 0 for none; RuleError if
        another was written since.
        """
        made: list[Entry] = []
        with self._store.writing():
            now, tip = self._clock(), self._store.tip()
            self._unseen(drafts, seen)
            for draft in drafts:
                rules.allow(draft, self._history(draft, made), now)
                made.append(entries.make(draft, tip.sequence + 1, stamp(now), tip.digest))
                tip = Tip(made[-1].sequence, made[-1].digest)
            self._store.add(made)
        return tuple(made)

    def _history(self, draft: Draft, made: Sequence[Entry]) -> tuple[Entry, ...]:
        """What rules go by; most kinds have none."""
        if draft.kind not in rules.RULED:
            return ()
        return self._with_request(
            (*self.about(draft.subject), *(e for e in made if e.subject == draft.subject))
        )

    def _with_request(self, own: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Before the entries about the files, those about the request they arrived for."""
        asked = rules.request(own)
        return (*self.about(asked), *own) if asked else own

    def _unseen(self, drafts: Sequence[Draft], seen: int | None) -> None:
        """Refuse to write over what the writer has not seen. Raises RuleError."""
        for subject in dict.fromkeys(d.subject for d in drafts if d.subject) if seen is not None else ():
            newer = [e for e in self.about(subject) if e.sequence > (seen or 0)]
            if newer:
                what = f"{newer[-1].actor} wrote entry {newer[-1].sequence} ({newer[-1].kind})"
                raise RuleError(f"{what} about this model meanwhile; nothing was written: look again")

    def tip(self) -> Tip:
        """The last entry, as the store states it."""
        return self._store.tip()

    def page(self, after: int = 0, count: int = 100) -> tuple[Entry, ...]:
        """Entries in order."""
        return self._store.page(max(FIRST - 1, min(after, LAST - 1)), min(count, DEFAULT.ledger_page))

    def about(self, subject: str) -> tuple[Entry, ...]:
        """Entries about one model."""
        return self._store.about(subject)

    def history(self, subject: str) -> tuple[Entry, ...]:
        """Entries about one model, after those about the request that its files arrived for: what rules go by."""
        return self._with_request(self.about(subject))

    def heads(self) -> Mapping[str, int]:
        """For each model, the sequence of its newest entry."""
        return self._store.heads()

    def newest(self, kind: str) -> Mapping[str, tuple[int, str]]:
        """For each model that has one, sequence and body of its newest entry of a kind."""
        return self._store.newest(kind)

    def search(self, text: str, kind: str = "") -> tuple[Entry, ...]:
        """Entries, of a kind or of any, whose canonical body holds a text."""
        return self._store.search(kind, text)

    def begun(self, start: str) -> tuple[str, ...]:
        """Models whose digest begins with these hex digits."""
        return self._store.begun(start)

    def all(self) -> Iterator[Entry]:
        """Every row, page by page, also those numbered as no honest writer would."""
        after = FIRST - 1
        while found := self._store.page(after, DEFAULT.ledger_page):
            yield from found
            after = found[-1].sequence

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()


def open_ledger(place: str, *, create: bool = True, clock: Callable[[], datetime] = utc_now) -> Ledger:
    """Open a ledger by path or URL. Raises StorageError, UsageError."""
    if place.startswith(_URLS):
        from sekisho.ledger.postgres import PostgresStore

        return Ledger(PostgresStore(place, create=create), clock)
    if "://" in place:
        raise UsageError("a ledger lies in a file or at postgresql://...; no other address is known")
    from sekisho.ledger.sqlite import SqliteStore

    return Ledger(SqliteStore(Path(place).expanduser(), create=create), clock)


def default_place(environment: Mapping[str, str] = os.environ) -> str:
    """SEKISHO_LEDGER, else `sekisho/ledger.sqlite` in the user's data folder. Raises UsageError."""
    if environment.get(PLACE):
        return environment[PLACE]
    try:
        shared = environment.get("XDG_DATA_HOME")
        return str(
            (Path(shared) if shared else Path.home() / ".local" / "share") / "sekisho" / "ledger.sqlite"
        )
    except RuntimeError as error:
        raise UsageError(f"no home folder is known; say in {PLACE} where the ledger lies") from error


def default_actor(environment: Mapping[str, str] = os.environ) -> str:
    """SEKISHO_ACTOR, else the login name. Raises UsageError."""
    try:
        return environment.get(ACTOR) or getpass.getuser()
    except (OSError, KeyError) as error:
        raise UsageError(f"nobody is logged in; say in {ACTOR} who writes") from error


def stamp(moment: datetime) -> str:
    """UTC, whole seconds."""
    if moment.tzinfo is None:
        raise StorageError("the ledger's clock has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
