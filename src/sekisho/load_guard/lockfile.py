"""`sekisho.lock`: the models a project may load, by digest of every file; TOML, written by `sekisho lock`."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT

NAME: Final = "sekisho.lock"
SCHEMA: Final = 1
_KEYS: Final = frozenset({"name", "root", "decision", "scope", "expires", "added", "by", "files"})
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Model:
    """One model that may be loaded."""

    name: str
    root: str
    """Root digest over its files."""
    decision: str
    """`ledger:<number>:<digest>` of the entry that lets it in."""
    scope: str
    """`behaviour`, `files` or `exception`: what that entry rests on."""
    expires: str
    """UTC, ISO 8601."""
    added: str
    by: str
    files: Mapping[str, str]
    """Path to sha256."""

    def expired(self, now: datetime) -> bool:
        """Its time is over."""
        return datetime.fromisoformat(self.expires) <= now


@dataclass(frozen=True)
class Lock:
    """A lock file, read."""

    models: tuple[Model, ...] = ()
    path: str = ""


def find(start: Path | None = None) -> Path:
    """The nearest `sekisho.lock` in a folder or above it. Raises DataError if there is none."""
    at = (start or Path.cwd()).absolute()
    for folder in (at, *at.parents):
        if (folder / NAME).is_file():
            return folder / NAME
    raise DataError(f"there is no {NAME} in {at} or above it; `sekisho lock add` writes one")


def read(path: str | Path) -> Lock:
    """Read a lock file. Raises DataError: without a sound lock nothing may be loaded."""
    try:
        with open(path, "rb") as file:
            data = file.read(DEFAULT.lock_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.lock_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.lock_bytes:,} bytes")
    try:
        body = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no TOML: {error}") from error
    return parse(body, os.fspath(path))


def parse(body: Mapping[str, Any], where: str) -> Lock:
    """A lock out of plain values. Raises DataError."""
    if body.get("schema") != SCHEMA:
        raise DataError(f"{where}: schema {body.get('schema')!r} is not {SCHEMA}, the one this version reads")
    models = body.get("model", [])
    if set(body) - {"schema", "model"} or not isinstance(models, list):
        raise DataError(f"{where}: it holds more than models")
    return Lock(tuple(_model(m, f"{where}: model {n}") for n, m in enumerate(models, 1)), where)


def _model(body: Any, where: str) -> Model:
    if not isinstance(body, dict) or set(body) != _KEYS:
        raise DataError(f"{where}: the keys are {', '.join(sorted(_KEYS))}")
    files, expires = body["files"], body["expires"]
    if isinstance(expires, datetime):
        expires = expires.isoformat()
    texts = {k: v for k, v in body.items() if k not in ("files", "expires")} | {"expires": expires}
    if not isinstance(files, dict) or not files or not all(isinstance(v, str) for v in texts.values()):
        raise DataError(f"{where}: a value is of the wrong kind")
    if not all(_is_digest(v) for v in (*files.values(), body["root"])):
        raise DataError(f"{where}: a digest is no sha256")
    try:
        end = datetime.fromisoformat(expires)
        if end.tzinfo is None:
            raise DataError(f"{where}: expires has no time zone")
        end.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: expires: {error}") from error
    return Model(files=dict(files), **texts)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= _HEX  # noqa: PLR2004  hex digits


def dump(lock: Lock) -> str:
    """Write a lock as TOML, models by name, files by path."""
    lines = [
        "# Models this project may load, by the sha256 of every file. Written by `sekisho lock`; keep it",
        "# under version control and review its changes as you review code.",
        f"schema = {SCHEMA}",
    ]
    for model in sorted(lock.models, key=lambda m: (m.name, m.root)):
        lines += ["", "[[model]]"]
        lines += [f"{k} = {_text(getattr(model, k))}" for k in ("name", "root", "decision", "scope")]
        lines += [f"{k} = {_text(getattr(model, k))}" for k in ("expires", "added", "by")]
        lines += ["[model.files]", *(f"{_text(p)} = {_text(d)}" for p, d in sorted(model.files.items()))]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A basic string of TOML."""
    kept = value.encode("utf-8", "backslashreplace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in kept) + '"'
