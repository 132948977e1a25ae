"""Who is signed in: kept in memory, so that a new start of the server signs everybody out."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, final

from sekisho.limits import DEFAULT
from sekisho.web import people

_BYTES: Final = 32


@dataclass(frozen=True)
class Session:
    """Somebody who signed in."""

    person: str
    until: datetime
    token: str = ""
    """sha256 of the personal token it began with; empty where it was a token of `once`."""
    told: str = ""
    """A sentence for the next page."""


NOBODY: Final = Session("", datetime.min.replace(tzinfo=UTC))


@final
class Sessions:
    """Sessions by a random id that only the browser's cookie holds."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with nobody."""
        self._clock, self._secret = clock, secrets.token_bytes(_BYTES)
        self._lock = threading.Lock()
        self._known: dict[str, Session] = {}
        self._once: dict[str, tuple[str, datetime]] = {}

    def fresh(self) -> str:
        """A new id, of nobody yet."""
        return secrets.token_urlsafe(_BYTES)

    def once(self, person: str) -> str:
        """A token that signs this person in once, within a time."""
        made = people.token()
        with self._lock:
            until = self._clock() + timedelta(seconds=DEFAULT.web_login_s)
            self._once[people.hashed(made)] = (person, until)
        return made

    def meant(self, token: str) -> str:
        """Whom a token of `once` would sign in; empty where it is none, used or too old."""
        person, until = self._once.get(people.hashed(token), ("", self._clock()))
        return person if until > self._clock() else ""

    def spend(self, token: str) -> str:
        """The same, and the token is used up."""
        with self._lock:
            person = self.meant(token)
            self._once.pop(people.hashed(token), None)
        return person

    def begin(self, person: str, token: str = "") -> str:
        """Sign a person in; the id of the session. The oldest one ends where there are too many."""
        made, now = self.fresh(), self._clock()
        with self._lock:
            self._known = {k: s for k, s in self._known.items() if s.until > now}
            while len(self._known) >= DEFAULT.web_sessions:
                del self._known[next(iter(self._known))]
            until = now + timedelta(seconds=DEFAULT.web_session_s)
            self._known[made] = Session(person, until, people.hashed(token) if token else "")
        return made

    def end(self, session: str) -> None:
        """Sign out."""
        with self._lock:
            self._known.pop(session, None)

    def get(self, session: str) -> Session:
        """Who it is; NOBODY where nobody is signed in, or no longer."""
        found = self._known.get(session, NOBODY)
        return found if found.until > self._clock() else NOBODY

    def csrf(self, session: str) -> str:
        """What a form of this session holds, and no other page can know."""
        return hmac.new(self._secret, session.encode("utf-8", "backslashreplace"), hashlib.sha256).hexdigest()

    def tell(self, session: str, text: str) -> None:
        """Keep a sentence for the next page."""
        with self._lock:
            if session in self._known:
                self._known[session] = replace(self._known[session], told=text)

    def told(self, session: str) -> str:
        """That sentence, once."""
        text = self.get(session).told
        if text:
            self.tell(session, "")
        return text
