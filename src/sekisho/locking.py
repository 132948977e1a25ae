"""`sekisho.lock`, written: a model gets in with a decision of the ledger behind it, for a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sekisho import inventory, recording
from sekisho.errors import DataError, LoadRefusedError, RuleError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger import rules
from sekisho.ledger.book import Ledger, stamp
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind, moment
from sekisho.ledger.states import State
from sekisho.load_guard import lockfile
from sekisho.load_guard.guard import Guard
from sekisho.load_guard.lockfile import Lock, Model
from sekisho.records import FileLine
from sekisho.sources import digest

DAYS: Final = 180
"""How long an entry lasts unless said otherwise."""


@dataclass(frozen=True)
class Wish:
    """What is to be locked."""

    model: Path
    actor: str
    name: str = ""
    """Empty takes the folder's or file's own."""
    expires: str = ""
    """ISO 8601; empty means DAYS from now. An exception's own end may come before."""
    files_only: bool = False
    """A decision on the files alone suffices."""


@dataclass(frozen=True)
class Trouble:
    """Why something in or under the lock does not hold."""

    name: str
    code: str
    """`expired`, `refused`, `not-there`, `no-entry`, `not-decided`, `overruled` or `retired`."""
    detail: str = ""


def read(path: Path) -> Lock:
    """The lock there is, or an empty one. Raises DataError."""
    return lockfile.read(path) if path.exists() else Lock(path=str(path))


def add(ledger: Ledger, lock: Path, wish: Wish, now: datetime | None = None) -> Model:
    """Lock a model, in the place of one of the same name. Raises RuleError, DataError, SourceError, StorageError."""
    moment_now = now or datetime.now(UTC)
    files = _files(wish.model)
    root = recording.subject(files)
    entry, scope, end = _ground(
        ledger.about(root), recording.names_and_bytes(files), files_only=wish.files_only, now=moment_now
    )
    asked = moment(wish.expires) if wish.expires else moment_now + timedelta(days=DAYS)
    expires = min(asked, end) if end else asked
    if expires <= moment_now:
        raise RuleError(f"{stamp(expires)} is over already; an entry of the lock ends in the future")
    name = wish.name or wish.model.resolve().name
    made = Model(
        name,
        root,
        f"ledger:{entry.sequence}:{entry.digest}",
        scope,
        stamp(expires),
        stamp(moment_now),
        wish.actor,
        {f.path: f.sha256 for f in files},
    )
    old = read(lock)
    kept = tuple(m for m in old.models if m.name != name)
    dossiers.save(lockfile.dump(replace(old, models=(*kept, made))).encode(), lock)
    return made


def remove(lock: Path, name: str) -> Model:
    """Take a model out, by its name or the beginning of its root digest. Raises DataError, StorageError."""
    old = lockfile.read(lock)
    found = [m for m in old.models if name and (m.name == name or m.root.startswith(name))]
    if len(found) != 1:
        raise DataError(f"{lock}: {len(found)} models are called {name!r}; one is needed")
    kept = tuple(m for m in old.models if m is not found[0])
    dossiers.save(lockfile.dump(replace(old, models=kept)).encode(), lock)
    return found[0]


def check(
    lock: Lock, models: Sequence[Path], ledger: Ledger | None = None, now: datetime | None = None
) -> tuple[Trouble, ...]:
    """Hold the lock against the clock, folders and files against the lock, and the lock against the ledger."""
    moment_now = now or datetime.now(UTC)
    found = [Trouble(m.name, "expired", m.expires) for m in lock.models if m.expired(moment_now)]
    guard = Guard(lock)
    for model in models:
        found += _under(guard, model, moment_now)
    if ledger is not None:
        found += [t for m in lock.models for t in _behind(m, ledger, moment_now)]
    return tuple(found)


def _files(model: Path) -> tuple[FileLine, ...]:
    kept = recording.covered(inventory.lines(inventory.take(model)))
    bad = next((f for f in kept if not f.sha256), None)
    if bad is not None:
        raise DataError(f"{bad.path}: {bad.problem or 'not read'}, so the model cannot be locked")
    return kept


def _ground(
    history: Sequence[Entry], names: str, *, files_only: bool, now: datetime
) -> tuple[Entry, str, datetime | None]:
    """The entry that lets a model in, what it rests on, and its own end."""
    decided, excepted = rules.decision(history), rules.exception(history, now)
    if rules.state(history) is State.RETIRED:
        raise RuleError("the ledger says that this model is retired")
    if decided is None or not _on(decided, names):
        # the root digest covers bytes alone: a file renamed since the decision would not show in it
        raise RuleError("the ledger has no decision on exactly these files; `sekisho vet --record` makes one")
    if excepted is not None:
        return excepted, "exception", moment(str(excepted.content["expires"]))
    what, scope = decided.content["decision"], decided.content["scope"]
    if what != "admit":
        raise RuleError(f"the newest decision on this model, entry {decided.sequence}, is {what}")
    if scope != "behaviour" and not files_only:
        raise RuleError(
            f"entry {decided.sequence} admits the files alone; vet the model, or say --files-only if that suffices"
        )
    return decided, str(scope), None


def _under(guard: Guard, model: Path, now: datetime) -> list[Trouble]:
    paths = [model] if model.is_file() else [model, *sorted(p for p in model.rglob("*") if p.is_file())]
    found = []
    if not model.exists():
        return [Trouble(str(model), "not-there")]
    for path in paths:
        try:
            guard.check(str(path), now)
        except LoadRefusedError as error:
            found.append(Trouble(str(path), "refused", str(error)))
    return found[:1] if model.is_file() else found


def _behind(model: Model, ledger: Ledger, now: datetime) -> list[Trouble]:
    """What the ledger says by now."""
    whole = ledger.about(model.root)
    names = digest.names_and_bytes(model.files)
    history = tuple(e for e in whole if e.kind != Kind.DECISION or _on(e, names))
    entry = next((e for e in history if model.decision == f"ledger:{e.sequence}:{e.digest}"), None)
    if entry is None:
        code = (
            "not-decided"
            if model.decision in {f"ledger:{e.sequence}:{e.digest}" for e in whole}
            else "no-entry"
        )
        return [Trouble(model.name, code, model.decision)]
    newest = rules.decision(history)
    if digest.root(model.files) != model.root or newest is None or not _as_entered(model, entry):
        return [Trouble(model.name, "not-decided", model.decision)]
    if rules.state(whole) is State.RETIRED:
        return [Trouble(model.name, "retired")]
    if newest.content["decision"] != "admit" and rules.exception(history, now) is None:
        return [Trouble(model.name, "overruled", str(newest.sequence))]
    return []


def _on(decided: Entry, names: str) -> bool:
    """Whether a decision is on exactly these files; those on the same bytes under other names are not."""
    return decided.content.get("files_digest") == names


def _as_entered(model: Model, entry: Entry) -> bool:
    """Whether scope and end in the lock are what the entry gave, or less."""
    if entry.kind == Kind.EXCEPTION:
        return model.scope == "exception" and moment(model.expires) <= moment(str(entry.content["expires"]))
    return entry.kind == Kind.DECISION and model.scope == entry.content["scope"]
