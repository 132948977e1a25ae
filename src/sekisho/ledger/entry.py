"""One entry, its canonical bytes and its place in the chain."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.errors import DataError, LimitError
from sekisho.ledger import kinds
from sekisho.ledger.kinds import Kind
from sekisho.limits import DEFAULT

GENESIS: Final = "0" * 64
"""What the first entry follows."""
_DOMAIN: Final = "sekisho-ledger-1"
_DIGITS: Final = 10
"""Significant digits of a number with a fraction, which a body keeps as text."""
_ACTOR_CHARS: Final = 200
_WIDE_SPACE: Final = "\u3000"
"""Between family and given name, as a Japanese keyboard types it."""
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing; controls, formats and variation selectors are told by their kind."""


@dataclass(frozen=True)
class Entry:
    """A row as the store keeps it."""

    sequence: int
    """From 1, without gaps."""
    time: str
    """UTC, ISO 8601, by the writer's clock."""
    actor: str
    """Who wrote it: as claimed, not proven."""
    kind: str
    subject: str
    """Root digest of the model it is about; empty where it is about none."""
    body: str
    """Canonical JSON."""
    previous: str
    """Digest of the entry before; GENESIS for the first."""
    digest: str
    """sha256 over all the others."""

    @property
    def content(self) -> Mapping[str, Any]:
        """The body, parsed. Raises DataError."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise DataError(f"entry {self.sequence}: its body is no JSON") from error
        if not isinstance(found, dict):
            raise DataError(f"entry {self.sequence}: its body is no object")
        return found


@dataclass(frozen=True)
class Draft:
    """What somebody wants written."""

    actor: str
    kind: Kind
    subject: str
    body: Mapping[str, Any]


def canonical(body: Mapping[str, Any]) -> str:
    """Sorted keys, no spaces, UTF-8; fractions as text, so that no reader rounds them. Raises DataError, LimitError."""
    try:
        text = json.dumps(
            _plain(body), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
    except (TypeError, RecursionError, ValueError) as error:
        raise DataError(f"a body holds what JSON cannot: {error}") from error
    text = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair can only be escaped
    if len(text) > DEFAULT.ledger_body_chars:
        raise LimitError("characters of a ledger entry's body", len(text), DEFAULT.ledger_body_chars)
    return text


def digest(sequence: int, fields: tuple[str, str, str, str, str], previous: str) -> str:
    """Identity of an entry; `fields` are time, actor, kind, subject and body."""
    text = json.dumps([_DOMAIN, sequence, *fields, previous], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def recomputed(entry: Entry, sequence: int | None = None) -> str:
    """The digest an entry ought to have, at its own place or at another."""
    fields = (entry.time, entry.actor, entry.kind, entry.subject, entry.body)
    return digest(entry.sequence if sequence is None else sequence, fields, entry.previous)


def make(draft: Draft, sequence: int, time: str, previous: str) -> Entry:
    """Put a draft in its place. Raises DataError, LimitError."""
    if draft.subject and not kinds.is_digest(draft.subject):
        raise DataError("the subject of an entry is a model's root digest, 64 hex digits, or nothing")
    actor = name(draft.actor)
    kinds.check(draft.kind, draft.body)
    fields = (time, actor, draft.kind.value, draft.subject, canonical(draft.body))
    return Entry(sequence, *fields, previous, digest(sequence, fields, previous))


def name(actor: str) -> str:
    """A person's name, trimmed. Raises DataError for one nobody could read."""
    found = unicodedata.normalize("NFC", actor).replace(_WIDE_SPACE, " ").strip()
    if not found or len(found) > _ACTOR_CHARS or not found.isprintable():
        raise DataError(f"{actor[:40]!r} is no name of a person or a machine")
    return found


def same_person(one: str, other: str) -> bool:
    """Compare names without regard to case, width, spaces around, and what does not show."""
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    seen = (c for c in text if not _unseen(c))
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).casefold().split())


def _unseen(c: str) -> bool:
    selector = "VARIATION SELECTOR" in unicodedata.name(c, "")
    return c in _UNSEEN or selector or (unicodedata.category(c) in ("Cc", "Cf") and not c.isspace())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, Mapping):
        if not all(isinstance(k, str) for k in value):
            raise TypeError("a key that is no text")
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
