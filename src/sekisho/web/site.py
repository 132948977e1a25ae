"""One running server: where things lie, who may sign in, and which folders a model may be named in."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, final

from sekisho.errors import SourceError
from sekisho.ledger import book
from sekisho.register.shelf import Shelf
from sekisho.sources import catalogue
from sekisho.web import people
from sekisho.web.people import Person
from sekisho.web.sessions import Sessions

CHILD: Final = (sys.executable, "-m", "sekisho.cli")


@final
@dataclass(frozen=True)
class Site:
    """What every page may use."""

    place: str
    """Of the ledger: a path or a URL."""
    hosts: frozenset[str]
    """`Host` headers that are answered: another name that leads here is somebody else's page."""
    models: tuple[Path, ...] = ()
    """Folders below which a model may be named by its path; none allows catalogue names only."""
    clock: Callable[[], datetime] = book.utc_now
    shelf: Shelf = field(default_factory=Shelf)
    sessions: Sessions = field(default_factory=lambda: Sessions(book.utc_now))
    child: tuple[str, ...] = CHILD
    """What a run starts: Sekisho itself; its verb and arguments follow."""
    cookie: str = "sekisho"
    """Name of the cookie; two servers on one machine need two."""

    @property
    def home(self) -> Path:
        """Folder of the ledger; of one on a server, where a ledger lies by default. People and runs are kept there."""
        return home(self.place)

    def everybody(self) -> tuple[Person, ...]:
        """Who may sign in with a token of their own. Raises DataError."""
        return people.read(self.home / people.NAME)

    def allowed(self, text: str) -> str:
        """What the command line may be given for a model: a catalogue name, or a path below `models`. Raises SourceError."""
        if text in catalogue.names():
            return text
        try:
            path = Path(text).expanduser().resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise SourceError(f"{text[:200]!r}: no such folder or file, and not in the catalogue") from error
        if not any(path.is_relative_to(folder) for folder in self.models):
            raise SourceError(
                f"{text[:200]!r} lies in no folder that --models names, and is not in the catalogue"
            )
        return str(path)


def home(place: str) -> Path:
    """The folder beside a ledger."""
    beside = book.default_place({}) if "://" in place else place
    return Path(beside).expanduser().absolute().parent
