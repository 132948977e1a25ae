"""The dossier as canonical JSON: equal dossiers give equal bytes, and the bytes give the dossier back.

Keys are sorted, text is UTF-8, floats carry ten significant digits (infinities and NaN are written
as text), and one newline ends the file. The top-level `digest` is the sha256 of that same JSON
without the digest itself and without the timing block, the only block two equal runs may differ in.
"""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError, StorageError
from sekisho.evidence import codec
from sekisho.limits import DEFAULT
from sekisho.records import Dossier

SCHEMA: Final = 1
"""Layout of the JSON; a dossier of another layout is refused."""
NAME: Final = "dossier.json"


def to_json(dossier: Dossier) -> bytes:
    """Write canonical JSON, digest included."""
    body = codec.plain(dossier)
    return codec.dump({**body, "digest": codec.digest(body)})


def from_json(data: bytes) -> Dossier:
    """Read what `to_json` wrote. Raises DataError on any other bytes, a wrong digest included."""
    body = _parse(data)
    claimed = body.pop("digest", None)
    if body.get("schema") != SCHEMA:
        raise DataError(f"dossier: schema {body.get('schema')!r} is not {SCHEMA}, the one this version reads")
    dossier = codec.build(Dossier, body, "dossier")
    actual = digest(dossier)
    if claimed != actual:
        raise DataError(
            f"dossier: its content has digest {actual}, but it states {claimed!r}; it was altered"
        )
    if data != to_json(dossier):
        raise DataError("dossier: the bytes are not in canonical form; they were edited or converted")
    return dossier


def digest(dossier: Dossier) -> str:
    """Identity of everything but the timing block, as sha256 hex."""
    return codec.digest(codec.plain(dossier))


def write(dossier: Dossier, folder: Path) -> Path:
    """Write `dossier.json` into the folder, whole or not at all. Raises StorageError."""
    return save(to_json(dossier), folder / NAME)


def expect(folder: Path) -> None:
    """See that a folder could be written, without making it: hours of work come first. Raises StorageError."""
    try:
        at = folder.absolute()
        with tempfile.TemporaryFile(dir=next(p for p in (at, *at.parents) if p.exists())):
            pass
    except OSError as error:
        raise StorageError(f"{folder}: not written: {error.strerror or error}") from error


def save(data: bytes, path: Path) -> Path:
    """Replace a file in one step: a crash or a full disk leaves the old one. Raises StorageError."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error
    return path


def read(path: Path) -> Dossier:
    """Read a dossier file, or the one in a folder. Raises DataError."""
    file = path / NAME if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            data = stream.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{file}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.json_bytes:
        raise DataError(f"{file}: over the limit of {DEFAULT.json_bytes:,} bytes")
    try:
        return from_json(data)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def _parse(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data.decode(), parse_constant=codec.refused, object_pairs_hook=codec.unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"dossier: not canonical JSON: {error}") from error
    if not isinstance(body, dict):
        raise DataError("dossier: not a JSON object")
    return body
