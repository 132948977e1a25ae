"""The supplier register: whom a company takes models from, on what grounds, reviewed when. A TOML file of the user's own.

```toml
schema = 1
unknown = "refuse"          # or "note": hosts and namespaces that are not listed
unpinned = "refuse"         # or "note": addresses without an immutable revision

[[suppliers]]
host = "huggingface.co"
namespace = "example-org"   # or "*" for the whole host
tier = "reviewed"           # trusted, reviewed, known or blocked
grounds = ["contract"]      # contract, audit, review, signature; downloads, likes, fame are not enough
reviewed = 2026-10-01
valid_days = 365
signers = ["sha256:..."]    # keys or identities whose signatures count
```
"""

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError, SourceError
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.provenance import lookalikes
from sekisho.sources import address

TIERS: Final = ("trusted", "reviewed", "known", "blocked")
SOUND: Final = frozenset({"contract", "audit", "review", "signature"})
REPUTATION: Final = frozenset(
    {"downloads", "likes", "stars", "fame", "followers", "leaderboard", "recommendation"}
)
_TOP: Final = frozenset({"schema", "unknown", "unpinned", "suppliers"})
_KEYS: Final = frozenset(
    {"host", "namespace", "tier", "grounds", "reviewed", "valid_days", "signers", "contact"}
)
_NEEDED: Final = frozenset({"host", "namespace", "tier", "grounds", "reviewed"})
_ANY: Final = "*"


@dataclass(frozen=True)
class Entry:
    """One supplier."""

    host: str
    namespace: str
    """`*` for every namespace of the host."""
    tier: str
    grounds: tuple[str, ...]
    reviewed: dt.date
    valid_days: int = 365
    signers: tuple[str, ...] = ()
    contact: str = ""

    @property
    def only_reputation(self) -> bool:
        """Nothing but fame speaks for it."""
        return not SOUND & set(self.grounds)


@dataclass(frozen=True)
class Objection:
    """One thing that speaks against taking a model from an address."""

    code: str
    """`no-source`, `unpinned`, `unknown-host`, `unknown-namespace`, `look-alike`, `other-script`, `reputation-only`, `blocked` or `review-overdue`."""
    refuses: bool
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Register:
    """A whole register."""

    entries: tuple[Entry, ...] = ()
    unknown_refuses: bool = False
    unpinned_refuses: bool = True

    def find(self, uri: str) -> Entry | None:
        """The entry of an address: its namespace's own, or else its host's."""
        where = _place(uri)
        if where is None:
            return None
        host, namespace = where
        fits = [e for e in self.entries if e.host == host and e.namespace in {namespace, _ANY}]
        return min(fits, key=lambda e: e.namespace == _ANY, default=None)


def read(path: Path) -> Register:
    """Read a register. Raises DataError that names the place."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: {getattr(error, 'strerror', None) or error}") from error
    return parse(data, path.name)


def parse(data: bytes, where: str) -> Register:
    """Read a register from bytes. Raises DataError that names the place."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    if len(data) > DEFAULT.config_bytes or not set(table) <= _TOP or table.get("schema") != 1:
        raise DataError(f"{where}: needs schema = 1 and only the keys {', '.join(sorted(_TOP))}")
    listed = table.get("suppliers", [])
    if not isinstance(listed, list) or len(listed) > DEFAULT.supplier_entries:
        raise DataError(f"{where}: suppliers is a list of up to {DEFAULT.supplier_entries:,} entries")
    entries = tuple(_entry(e, f"{where}, supplier {n}") for n, e in enumerate(listed, 1))
    names = Counter((e.host, e.namespace.casefold()) for e in entries)
    twice = next((n for n, count in names.items() if count > 1), None)
    if twice:
        raise DataError(f"{where}: {shown('/'.join(twice))} is listed twice")
    return Register(
        entries,
        unknown_refuses=_choice(table.get("unknown", "refuse"), f"{where}: unknown"),
        unpinned_refuses=_choice(table.get("unpinned", "refuse"), f"{where}: unpinned"),
    )


def judge(uri: str, register: Register, today: dt.date) -> tuple[Objection, ...]:
    """Everything against taking a model from an address. Raises SourceError where it is none."""
    return tuple(_objections(address.parse(uri), register, today))


def identity(uri: str) -> str:
    """`host/namespace` of an address; empty where it has none."""
    where = _place(uri)
    return "/".join(p for p in where if p) if where else ""


def without_credentials(text: str) -> str:
    """An address as it may be written down."""
    try:
        return address.parse(text).uri()
    except SourceError:
        return shown(text.rpartition("@")[2] if "://" in text and "@" in text else text)


def _place(uri: str) -> tuple[str, str] | None:
    try:
        read = address.parse(uri)
    except SourceError:
        return None
    return (read.host, read.namespace) if read.host else None


def _objections(where: address.Address, register: Register, today: dt.date) -> Iterator[Objection]:
    if not where.pinned:
        yield Objection("unpinned", register.unpinned_refuses, (("revision", where.revision or "–"),))
    if not where.host:
        return
    entry = register.find(where.uri())
    if entry is None:
        yield from _unlisted(where, register)
        return
    named = (("supplier", f"{entry.host}/{entry.namespace}"),)
    if entry.tier == "blocked":
        yield Objection("blocked", refuses=True, facts=named)
    if entry.only_reputation and entry.tier != "blocked":
        yield Objection(
            "reputation-only", refuses=True, facts=(*named, ("grounds", ", ".join(entry.grounds) or "–"))
        )
    due = entry.reviewed + dt.timedelta(days=entry.valid_days)
    if today > due or entry.reviewed > today:
        yield Objection("review-overdue", refuses=True, facts=(*named, ("due", due.isoformat())))


def _unlisted(where: address.Address, register: Register) -> Iterator[Objection]:
    hosts = {e.host for e in register.entries}
    kind, name, known = "unknown-namespace", where.namespace, {e.namespace for e in register.entries} - {_ANY}
    if where.host not in hosts:
        kind, name, known = "unknown-host", where.host, hosts
        yield from _likeness(where.namespace, {e.namespace for e in register.entries} - {_ANY})
    yield Objection(kind, register.unknown_refuses, (("name", shown(name)),))
    yield from _likeness(name, known)


def _likeness(name: str, known: set[str]) -> Iterator[Objection]:
    alike = lookalikes.likeness(name, sorted(known))
    if alike is None:
        return
    if alike.kind == "other-script":
        yield Objection("other-script", refuses=True, facts=(("name", ascii(name)[1:-1]),))
    else:
        facts = (("name", ascii(name)[1:-1]), ("known", alike.known), ("kind", alike.kind))
        yield Objection("look-alike", refuses=True, facts=facts)


def _choice(value: Any, where: str) -> bool:
    if value not in {"refuse", "note"}:
        raise DataError(f"{where} is refuse or note")
    return bool(value == "refuse")


def _entry(table: Any, where: str) -> Entry:
    if not isinstance(table, dict) or not _NEEDED <= set(table) <= _KEYS:
        raise DataError(
            f"{where}: needs {', '.join(sorted(_NEEDED))}; may have {', '.join(sorted(_KEYS - _NEEDED))}"
        )
    texts = {k: table.get(k, "") for k in ("host", "namespace", "tier", "contact")}
    if not all(isinstance(v, str) for v in texts.values()) or texts["tier"] not in TIERS:
        raise DataError(
            f"{where}: host, namespace, tier and contact are texts; tier is one of {', '.join(TIERS)}"
        )
    grounds, signers = _texts(table["grounds"], where), _texts(table.get("signers", []), where)
    if not set(grounds) <= SOUND | REPUTATION:
        raise DataError(f"{where}: grounds are of {', '.join(sorted(SOUND | REPUTATION))}")
    days = table.get("valid_days", 365)
    if type(table["reviewed"]) is not dt.date or type(days) is not int or not 0 < days <= 3_660:  # noqa: PLR2004
        raise DataError(f"{where}: reviewed is a date, valid_days is 1 to 3,660")
    texts["host"] = texts["host"].lower()
    return Entry(**texts, grounds=grounds, signers=signers, reviewed=table["reviewed"], valid_days=days)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise DataError(f"{where}: grounds and signers are lists of texts")
    return tuple(value)
