"""What a page gets and what it gives back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

from sekisho import standing
from sekisho.checklist.sources import Sources
from sekisho.ledger import book
from sekisho.ledger.book import Ledger
from sekisho.ledger.kinds import is_digest
from sekisho.register.rows import Row
from sekisho.register.texts import Texts
from sekisho.report import chain
from sekisho.web.forms import Form
from sekisho.web.site import Site

TEXTS: Final = "web"
"""The part of the locale that every page shares."""


@dataclass(frozen=True)
class Visit:
    """One request of one person, checked."""

    site: Site
    person: str
    """Who is signed in; empty on a page that is open to all."""
    language: str
    csrf: str
    """Goes into every form, by `hidden()` of the templates."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Of the path."""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    """What was sent; empty on a GET."""
    path: str = "/"
    told: str = ""
    """What the person has just done, said once."""

    @cached_property
    def say(self) -> Texts:
        """Sentences that every page shares."""
        return self.texts(TEXTS)

    def texts(self, part: str) -> Texts:
        """Sentences of a part of the locale."""
        return Texts(part, self.language)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, open until the block ends. Raises StorageError."""
        with closing(book.open_ledger(self.site.place, clock=self.site.clock)) as opened:
            yield opened

    def model(self, ledger: Ledger) -> Row | None:
        """The model that the path names by its digest; None where the register has none."""
        return self.known(ledger, self.parts.get("subject", ""))

    def known(self, ledger: Ledger, subject: str) -> Row | None:
        """A model of the register by its root digest, or that of its request. Raises DataError where the chain is broken."""
        if not is_digest(subject):
            return None
        self.site.shelf.refresh(ledger)
        return self.site.shelf.row(subject)

    def newer(self, ledger: Ledger, subject: str, seen: int) -> str:
        """The sentence that somebody wrote about this model after entry `seen`; empty where nobody did."""
        entries = [e for e in ledger.about(subject) if e.sequence > seen]
        if not entries:
            return ""
        what = chain.say("kind", entries[-1].kind, self.language)
        return self.say("problem", "newer", who=entries[-1].actor, n=str(entries[-1].sequence), what=what)

    def sources(self, ledger: Ledger, subject: str) -> Sources:
        """All on file about a model. Raises DataError where the chain or the kept dossier is not as it was written."""
        shelf = self.site.shelf
        return standing.held(shelf.about(ledger, subject), subject, self.site.clock(), shelf.lessons())


@dataclass(frozen=True)
class Problem:
    """Why nothing was written, for the head of the page."""

    text: str
    detail: str = ""
    """The library's own line, in English."""


@dataclass(frozen=True)
class Shown:
    """A template filled in."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    problem: "Problem | None" = None
    """Told at the head of the page; a page leaves it alone."""


@dataclass(frozen=True)
class Go:
    """Done: look at another page."""

    to: str
    told: str = ""
    """Said there once."""


@dataclass(frozen=True)
class Sent:
    """A document of its own, such as a view of a dossier; it opens no script and loads nothing."""

    body: str
    media: str = "text/html"


@dataclass(frozen=True)
class Refused:
    """The form is shown again under this sentence."""

    text: str
    status: int = 400


@dataclass(frozen=True)
class Absent:
    """There is no such page."""


@dataclass(frozen=True)
class SignedIn:
    """Who visits from now on."""

    person: str
    to: str
    token: str = ""
    """The personal token it was by, so that taking it back signs out."""


@dataclass(frozen=True)
class SignedOut:
    """Nobody is any more."""


Reply: TypeAlias = Shown | Go | Sent | Refused | Absent | SignedIn | SignedOut


@dataclass(frozen=True)
class Page:
    """One page: where it lies and who makes it."""

    name: str
    path: str
    """As Starlette writes it: `/models/{subject}`."""
    show: Callable[[Visit], Reply]
    act: Callable[[Visit], Reply] | None = None
    """Takes a form; None where there is none."""
    open: bool = False
    """Needs nobody signed in."""
