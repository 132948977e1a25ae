"""Who may sign in: names, each with the sha256 of a token that was shown once. A small file beside the ledger."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError, UsageError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger import entry as entries
from sekisho.ledger.kinds import is_digest
from sekisho.limits import DEFAULT

NAME: Final = "people.json"
_BYTES: Final = 24
"""Of a token: nobody guesses 192 random bits, so a plain sha256 keeps them."""


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in."""

    name: str
    token: str
    """sha256 of it."""
    since: str
    """UTC, ISO 8601."""


def token() -> str:
    """A new one, as it is typed or pasted."""
    return secrets.token_urlsafe(_BYTES)


def hashed(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.strip().encode("utf-8", "backslashreplace")).hexdigest()


def read(file: Path) -> tuple[Person, ...]:
    """Everybody; nobody where there is no file yet. Raises DataError."""
    try:
        with file.open("rb") as stream:
            data = stream.read(DEFAULT.web_people_bytes + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DataError(f"{file}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.web_people_bytes:
        raise DataError(f"{file}: over the limit of {DEFAULT.web_people_bytes:,} bytes")
    try:
        body: Any = json.loads(data.decode())
        return tuple(_person(row) for row in body["people"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{file}: no list of people as `sekisho people` writes it") from error


def _person(row: dict[str, str]) -> Person:
    if not is_digest(row["token_sha256"]):
        raise DataError("people.json: a token's sha256 is needed")
    return Person(entries.name(row["name"]), row["token_sha256"], str(row["since"]))


def add(file: Path, name: str, since: str) -> str:
    """Let a person in, or give one a new token in place of the old. The token, shown once. Raises DataError, StorageError."""
    made, name = token(), entries.name(name)
    others = [p for p in read(file) if not entries.same_person(p.name, name)]
    _write(file, (*others, Person(name, hashed(made), since)))
    return made


def remove(file: Path, name: str) -> str:
    """Let a person in no longer; the name as it was. Raises UsageError, DataError, StorageError."""
    everybody = read(file)
    gone = [p for p in everybody if entries.same_person(p.name, name)]
    if not gone:
        raise UsageError(f"nobody is called {name!r}; sekisho people list shows who is")
    _write(file, (p for p in everybody if p not in gone))
    return gone[0].name


def whose(everybody: Iterable[Person], text: str) -> str:
    """Name of the person with this token; empty where it is nobody's."""
    given, found = hashed(text), ""
    for person in everybody:
        if hmac.compare_digest(person.token, given):
            found = person.name
    return found


def _write(file: Path, everybody: Iterable[Person]) -> None:
    rows = [{"name": p.name, "token_sha256": p.token, "since": p.since} for p in everybody]
    text = json.dumps({"schema": 1, "people": rows}, ensure_ascii=False, indent=1)
    dossiers.save(text.encode("utf-8", "backslashreplace") + b"\n", file)
