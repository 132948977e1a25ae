"""Two tiny models that differ in their weights, a lock that names the first, and a child process under the guard."""

import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import sekisho
from sekisho.load_guard import lockfile
from sekisho.load_guard.lockfile import Lock, Model

SOURCE = str(Path(sekisho.__file__).parents[1])
FAR = "2099-01-01T00:00:00+00:00"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def safetensors(value: int) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes([value] * 4)


def model(folder: Path, value: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(safetensors(value))
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def locked(*folders: Path, expires: str = FAR) -> tuple[Model, ...]:
    return tuple(
        Model(
            folder.name,
            "0" * 64,
            "ledger:1:0",
            "behaviour",
            expires,
            "2026-11-22T00:00:00Z",
            "mori",
            {
                p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in sorted(folder.rglob("*"))
                if p.is_file()
            },
        )
        for folder in folders
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return model(tmp_path / "good", 1)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return model(tmp_path / "bad", 2)


@pytest.fixture
def lock(tmp_path: Path, good: Path) -> Path:
    path = tmp_path / "sekisho.lock"
    path.write_text(lockfile.dump(Lock(locked(good))))
    return path


@pytest.fixture
def guarded(tmp_path: Path, lock: Path) -> Run:
    """Run Python code in a child that has installed the guard first."""

    def run(code: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        head = (
            f"import sys; sys.path.insert(0, {SOURCE!r})\n"
            "from sekisho import load_guard\n"
            f"load_guard.install({str(lock)!r})\n"
        )
        return subprocess.run(
            [sys.executable, "-c", head + code],
            cwd=tmp_path,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
