"""Evidence folders for tests: a small model, a dossier of exactly its files, a key, and both verifiers."""

import hashlib
import importlib.util
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from report.sample import admit
from sekisho.evidence import bundle, checking, keys
from sekisho.evidence.ruling import Demands
from sekisho.records import FileLine

NOW = datetime(2031, 4, 3, tzinfo=UTC)
DAY = "2031-04-04"
SCRIPT = Path(str(files("sekisho.data") / "verify.py"))


def loaded(script):
    """A program of an outsider as a module."""
    spec = importlib.util.spec_from_file_location("outsider_s", script)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


OUTSIDER = loaded(SCRIPT)


def model(folder, **contents):
    """A small model; names may hold a slash."""
    parts = {
        "config.json": b"{}",
        "model.safetensors": b"weights" * 99,
        "sub/tokenizer.json": b"[1]",
    } | contents
    for name, data in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def lines(folder):
    """What a dossier says of a folder's files."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return tuple(
        FileLine(
            p.relative_to(folder).as_posix(),
            p.stat().st_size,
            hashlib.sha256(p.read_bytes()).hexdigest(),
            "json",
            "config",
            "",
        )
        for p in found
    )


def dossier(folder, **changes):
    """A dossier of exactly these files."""
    return replace(admit(), files=lines(folder), **changes)


def signer(path, name="key"):
    """A key on P-256, made once a folder."""
    if not (path / name).exists():
        keys.create(path / name)
    return keys.read(path / name)


def signed(at, *, name="model", key="key", now=NOW, made=None, **extras):
    """Model, evidence folder and public key below a folder."""
    where = at / name
    if not where.exists():
        model(where, name=name.encode())
    target = at / f"{name}-evidence"
    given = bundle.Extras(reports={"report.en.html": "<p>"}, now=now, **extras)
    bundle.write(made or dossier(where), where, signer(at, key), target, extras=given)
    return where, target, at / f"{key}.pub"


def ours(folder, *, model=None, key=None, at=DAY, **demands):
    """Exit code and lines of the library."""
    pinned = (keys.read_public(key),) if key else ()
    found = checking.verify(folder, pinned, model=model, demands=Demands(at=at, **demands))
    return found.code, [f"{p.file}: {p.cause} {dict(p.facts)}" for p in (*found.problems, *found.notes)]


def theirs(  # noqa: PLR0913  the options of the program
    folder,
    *,
    model=None,
    key=None,
    at=DAY,
    not_before="",
    evidence="",
    admitted=False,
    registered=False,
    beside=(),
):
    """Exit code and lines of verify.py, run in this process as an outsider would run it."""
    given = [str(folder), *(["--at", at] if at else [])]
    for flag, value in (
        ("--model", model),
        ("--key", key),
        ("--not-before", not_before),
        ("--evidence", evidence),
    ):
        given += [flag, str(value)] if value else []
    given += [x for b in beside for x in ("--beside", b)]
    given += ["--require", "admit"] if admitted else []
    given += ["--require", "preregistered"] if registered else []
    printed = []
    old, OUTSIDER.print, sys.argv[:] = sys.argv[:], printed.append, ["verify.py", *given]
    try:
        return OUTSIDER.main(), printed
    finally:
        sys.argv[:] = old


def outside(folder, *arguments):
    """verify.py as a program of its own, without our packages in sight."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


BOTH = (ours, theirs)
