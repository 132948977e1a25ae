"""Fetch a model from an address: into a scratch folder, verified there, then moved in one step, with its record beside it."""

import datetime as dt
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho import shipped
from sekisho.errors import SourceError, StorageError
from sekisho.provenance import origin, suppliers
from sekisho.sources import address, git_remote, hub, oci, url
from sekisho.sources import cache as caches
from sekisho.sources.address import Address
from sekisho.sources.child import Say, quiet
from sekisho.sources.listed import Arrived

_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 120


@dataclass(frozen=True)
class Wanted:
    """How to fetch."""

    register: suppliers.Register | None = None
    """None asks nobody."""
    who: str = ""
    """Written into the record; empty writes nobody."""
    cache: Path | None = None


def acquire(spec: str, wanted: Wanted | None = None, progress: Say = quiet) -> Path:
    """Return the folder of a model, fetched from its address if it is not here yet.

    Raises SourceError (refused, or not to be had), DigestError, StorageError. On any error nothing is kept.
    """
    given = wanted or Wanted()
    where = address.parse(spec)
    _permitted(where, given, progress)
    root = given.cache or caches.folder()
    if where.pinned and (there := place(root, where, where.revision)).is_dir():
        return there
    try:
        (root / "scratch").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=root / "scratch") as scratch:
            return _made(where, root, Path(scratch), (given, progress))
    except OSError as error:
        raise StorageError(f"{root}: cannot be written: {error.strerror or error}") from error


def place(root: Path, where: Address, revision: str) -> Path:
    """Where a fetched model lies in the cache."""
    host = "" if where.kind == "hf" else f"{where.host}-"
    name = _PLAIN.sub("-", f"{host}{where.place.partition('?')[0].rpartition('://')[2]}").strip("-.")[
        -_LONGEST:
    ]
    return root / "sources" / where.kind / f"{name}@{revision.replace(':', '-')}"


def _made(where: Address, root: Path, scratch: Path, how: tuple[Wanted, Say]) -> Path:
    given, progress = how
    folder = scratch / "model"
    folder.mkdir()
    arrived = _fetched(where, folder, scratch, progress)
    target = place(root, where, arrived.revision)
    target.parent.mkdir(parents=True, exist_ok=True)
    record = scratch / "record.json"
    record.write_bytes(origin.dump(_origin(arrived, given.who)))
    if target.is_dir():  # the moving name stands for what is here already
        return target
    record.replace(origin.place(target))
    folder.rename(target)
    progress(f"{arrived.uri} is in {target}")
    return target


def _fetched(where: Address, folder: Path, scratch: Path, progress: Say) -> Arrived:
    if where.kind == "hf":
        return hub.fetch(where, folder, scratch, progress)
    if where.kind == "git":
        return git_remote.fetch(where, folder, scratch, progress)
    return url.fetch(where, folder) if where.kind == "url" else oci.fetch(where, folder)


def _origin(arrived: Arrived, who: str) -> origin.Origin:
    return origin.Origin(
        uri=arrived.uri,
        requested=arrived.requested,
        revision=arrived.revision,
        time=dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool=shipped.tool(),
        who=who,
        files=arrived.files,
        manifest=arrived.manifest,
        commit=arrived.commit,
        trees=arrived.trees,
    )


def _permitted(where: Address, given: Wanted, progress: Say) -> None:
    """Ask the register before anything goes over the network."""
    if where.kind == "oci-layout" and not Path(where.place).is_dir():
        raise SourceError(f"{where.place}: no such folder")
    if given.register is None:
        if not where.pinned:
            progress(f"{where.uri()} has no immutable revision; what it stands for now is recorded")
        return
    today = dt.datetime.now(tz=dt.UTC).date()
    for objection in suppliers.judge(where.uri(), given.register, today):
        facts = ", ".join(f"{k} {v}" for k, v in objection.facts)
        if objection.refuses:
            raise SourceError(f"the supplier register refuses {where.uri()}: {objection.code} ({facts})")
        progress(f"supplier register: {objection.code} ({facts})")
