"""What is let through and what is not, without a process; what counts as weights, and what a lock says."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sekisho.errors import DataError, LoadRefusedError
from sekisho.load_guard import children, lockfile, weightlike
from sekisho.load_guard.guard import Guard
from sekisho.load_guard.lockfile import Lock, Model

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HELPERS = {}


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return made.getvalue()


def array() -> bytes:
    made = io.BytesIO()
    np.save(made, np.zeros(3))
    return made.getvalue()


VALUE = {"a": [1, 2.0, "x"], "b": (None, True)}
WEIGHTS = {
    "safetensors": (12).to_bytes(8, "little") + b'{"a": 1}    ' + bytes(16),
    "gguf": b"GGUF\x03\0\0\0",
    "numpy": array(),
    "torch-zip": archive("archive/data.pkl", "archive/data/0"),
    "npz": archive("x.npy"),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(8),
    "tflite": b"\x1c\0\0\0TFL3" + bytes(8),
    "broken-zip": b"PK\x03\x04 and nothing else",
    **{f"pickle-{p}": pickle.dumps(VALUE, protocol=p) for p in range(6)},
    "pickle-global-0": b"cposix\nsystem\n(S'true'\ntR.",
    "pickle-gzip": gzip.compress(pickle.dumps(VALUE)),
    "pickle-bz2": bz2.compress(pickle.dumps(VALUE)),
    "pickle-xz": lzma.compress(pickle.dumps(VALUE)),
}
OTHERS = {
    "empty": b"",
    "json": b'{"a": 1}',
    "text": b"c is a letter\nand so is d\nso be it.\n",
    "python": b'"""Doc."""\nimport os\n',
    "zip": archive("a.txt", "pkg/__init__.py"),
    "gzip": gzip.compress(b'{"rows": 1}'),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(16),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(16),
    "sqlite": b"SQLite format 3\0" + bytes(16),
    "parquet": b"PAR1" + bytes(16),
}


def kind(data: bytes, name: str = "") -> str:
    return weightlike.kind(io.BytesIO(data), len(data), name)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_known_by_their_bytes(name):
    assert kind(WEIGHTS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_not_weights(name):
    assert not kind(OTHERS[name])
    assert kind(OTHERS[name], "model.bin")


def test_compiled_python_is_not_weights():
    for path in list((Path(weightlike.__file__).parent / "__pycache__").glob("*.pyc")):
        assert not kind(path.read_bytes())


def entry(files: dict[str, str], expires: str = "2027-01-01T00:00:00Z") -> Model:
    return Model("tiny", "0" * 64, "ledger:1:0", "behaviour", expires, "2026-01-01T00:00:00Z", "mori", files)


@pytest.fixture
def one(tmp_path):
    """One GGUF file in a folder of other things, locked alone."""
    import hashlib

    path = tmp_path / "tiny.gguf"
    path.write_bytes(WEIGHTS["gguf"])
    (tmp_path / "notes.txt").write_text("x")
    return path, hashlib.sha256(WEIGHTS["gguf"]).hexdigest()


def test_a_file_locked_alone_passes_wherever_it_lies(one, tmp_path):
    path, digest = one
    guard = Guard(Lock((entry({"tiny.gguf": digest}),)))
    guard.check(str(path), NOW)
    moved = tmp_path / "elsewhere" / "renamed.dat"
    moved.parent.mkdir()
    path.rename(moved)
    guard.check(str(moved), NOW)


def test_an_expired_entry_lets_nothing_in(one):
    path, digest = one
    guard = Guard(Lock((entry({"tiny.gguf": digest}, "2026-01-01T00:00:00Z"),)))
    with pytest.raises(LoadRefusedError, match="expired on 2026-01-01"):
        guard.check(str(path), NOW)


def test_an_empty_lock_lets_nothing_in(one):
    with pytest.raises(LoadRefusedError, match="of no model in the lock"):
        Guard(Lock()).check(str(one[0]), NOW)


def test_folders_pipes_and_nothing_are_left_to_the_loader(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.safetensors")
    guard = Guard(Lock())
    for path in (tmp_path, tmp_path / "pipe.safetensors", tmp_path / "nothing", "/dev/null", "a\0b"):
        guard.check(str(path), NOW)


def test_a_digest_is_computed_once(one, monkeypatch):
    path, digest = one
    guard = Guard(Lock((entry({"tiny.gguf": digest}),)))
    guard.check(str(path), NOW)
    assert list(guard.digests.values()) == [digest]
    monkeypatch.setattr("sekisho.load_guard.guard.hashlib.sha256", lambda: 1 / 0)
    guard.check(str(path), NOW)


def test_a_lock_comes_back_as_written():
    model = entry({"a b.json": "1" * 64, 'q"uo\\te\n☃': "2" * 64})
    text = lockfile.dump(Lock((model,)))
    import tomllib

    assert lockfile.parse(tomllib.loads(text), "x").models == (model,)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("", "schema None"),
        ("schema = 2", "schema 2"),
        ("schema = 1\nother = 1", "more than models"),
        ("schema = 1\n[[model]]\nname = 'x'", "the keys are"),
        ("not toml", "no TOML"),
        ("x = " + "[" * 5000, "no TOML"),
    ],
)
def test_a_malformed_lock_is_refused(tmp_path, body, match):
    path = tmp_path / "sekisho.lock"
    path.write_text(body)
    with pytest.raises(DataError, match=match):
        lockfile.read(path)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("1" * 64, "1" * 63, "no sha256"),
        ("2027-01-01T00:00:00Z", "tomorrow", "expires"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "no time zone"),
        ('by = "mori"', "by = 3", "wrong kind"),
    ],
)
def test_a_malformed_model_is_refused(tmp_path, old, new, match):
    path = tmp_path / "sekisho.lock"
    path.write_text(lockfile.dump(Lock((entry({"a": "1" * 64}),))).replace(old, new))
    with pytest.raises(DataError, match=match):
        lockfile.read(path)


def test_a_lock_over_the_bound_is_refused(tmp_path, monkeypatch):
    from sekisho.limits import Limits

    monkeypatch.setattr(lockfile, "DEFAULT", Limits(lock_bytes=10))
    (tmp_path / "sekisho.lock").write_text("schema = 1\n")
    with pytest.raises(DataError, match="limit"):
        lockfile.read(tmp_path / "sekisho.lock")


def test_the_nearest_lock_is_found(tmp_path):
    (tmp_path / "sekisho.lock").write_text("schema = 1\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert lockfile.find(tmp_path / "a" / "b") == tmp_path / "sekisho.lock"


@pytest.mark.parametrize(
    ("options", "deaf"),
    [
        (("-I", "x.py"), True),
        (("-sE", "x.py"), True),
        (("-OO", "-S"), True),
        (("-X", "dev", "x.py", "-I"), False),
        (("-c", "0", "-I"), False),
        (("-m", "mod", "-S"), False),
        (("-mmod", "-S"), False),
        (("-W", "error", "-I", "x.py"), True),
        (("-u", "x.py", "-E"), False),
        ((), False),
    ],
)
def test_options_that_keep_the_guard_out(options, deaf):
    assert children.deaf(options) is deaf


PAST = {
    "env -i python": "env -i python x.py",
    "env - python": "env - python x.py",
    "env -iv": "/usr/bin/env -iv FOO=1 python3 x.py",
    "ignore": "env --ignore-environment python x.py",
    "unset": "env -u PYTHONPATH python x.py",
    "unset-long": "env --unset=PYTHONPATH python x.py",
    "split": "env -S-i python x.py",
    "other-path": "env PYTHONPATH=/elsewhere python x.py",
    "no-lock": "env FOO=1 SEKISHO_LOAD_GUARD= python x.py",
    "after-a-folder": "env -C /tmp -i python x.py",
    "behind-another": "nice -n 5 env -i python x.py",
    "deaf": "timeout 5 python3 -I x.py",
    "deaf-by-env": "env python -E x.py",
    "another-user": "sudo python x.py",
    "another-user-behind": "nohup sudo -E python x.py",
}
WITHIN = {
    "plain": "env FOO=1 python x.py",
    "nice": "nice -n 5 python x.py -I",
    "folder": "env -C /tmp python x.py -i",
    "other-program": "env sort -i x",
    "a-name": "grep env -i x",
    "a-text": "echo sudo python -I",
}


@pytest.mark.parametrize("name", PAST)
def test_a_launcher_that_forgets_the_guard_is_refused(name, monkeypatch):
    environment = children.environment("/l", {})
    program, *arguments = PAST[name].split()
    with pytest.raises(LoadRefusedError, match="guard"):
        children.refuse(program, arguments, environment, "/l")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(LoadRefusedError, match="guard"):
        children.refuse_shell(PAST[name], "/l")


@pytest.mark.parametrize("name", WITHIN)
def test_a_launcher_that_keeps_the_guard_is_let_through(name, monkeypatch):
    environment = children.environment("/l", {})
    program, *arguments = WITHIN[name].split()
    children.refuse(program, arguments, environment, "/l")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    children.refuse_shell(WITHIN[name].replace("-I", ""), "/l")


def test_a_launcher_without_the_guards_environment_is_refused():
    with pytest.raises(LoadRefusedError, match="without the guard's environment"):
        children.refuse("nice", ["python", "x.py"], {"PATH": "/bin"}, "/l")


@pytest.mark.parametrize(
    "line", ["PYTHONPATH= python x.py", "unset PYTHONPATH; python x.py", "cd /; sudo python x.py"]
)
def test_a_shell_that_forgets_the_guard_is_refused(line, monkeypatch):
    for key, value in children.environment("/l", {}).items():
        monkeypatch.setenv(key, value)
    with pytest.raises(LoadRefusedError, match="guard"):
        children.refuse_shell(line, "/l")


@pytest.mark.integration
def test_the_package_needs_only_the_standard_library():
    import subprocess
    import sys

    code = "import sys, sekisho.load_guard; print(sorted(m.partition('.')[0] for m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "jinja2", "rich", "cryptography", "yaml"} & set(eval(out))
