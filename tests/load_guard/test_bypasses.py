"""Ways around the guard, each tried in a real child process; all tries of one kind share it, since its start costs most."""

import re

import pytest

from sekisho import cli

pytestmark = pytest.mark.integration

TRY = """
import os, sys, io, mmap, pathlib, shutil, subprocess
from sekisho.errors import LoadRefusedError
def attempt(name, call):
    try:
        call()
    except LoadRefusedError:
        print("refused", name)
    except BaseException as error:
        print("error", name, type(error).__name__, error)
    else:
        print("LOADED", name)
"""


@pytest.fixture
def tries(guarded):
    """Run `attempt(name, call)` lines; return what came of each."""

    def run(code: str, **environment: str) -> dict[str, str]:
        done = guarded(TRY + code, environment)
        rows = [line.split(" ", 2) for line in done.stdout.splitlines()]
        assert rows, done.stderr
        assert not [r for r in rows if r[0] == "error"], done.stdout
        return {row[1]: row[0] for row in rows}

    return run


def test_ways_of_naming_and_opening(tries, good, bad, tmp_path):
    (tmp_path / "link.safetensors").symlink_to(bad / "model.safetensors")
    (tmp_path / "chain").symlink_to(tmp_path / "link.safetensors")
    (tmp_path / "linked-folder").symlink_to(bad)
    (tmp_path / "hard.dat").hardlink_to(bad / "model.safetensors")
    for name in ("notes.txt", "helper.py", "no-suffix"):
        (tmp_path / name).write_bytes((bad / "model.safetensors").read_bytes())
    found = tries("""
attempt("plain", lambda: open("bad/model.safetensors", "rb").read())
attempt("relative", lambda: open("good/../bad/./model.safetensors", "rb"))
attempt("bytes", lambda: open(b"bad/model.safetensors", "rb"))
attempt("pathlib", lambda: pathlib.Path("bad/model.safetensors").read_bytes())
attempt("os-open", lambda: os.open("bad/model.safetensors", os.O_RDONLY))
attempt("read-write", lambda: open("bad/model.safetensors", "r+b"))
attempt("append-read", lambda: open("bad/model.safetensors", "a+b"))
attempt("symlink", lambda: open("link.safetensors", "rb"))
attempt("symlink-chain", lambda: open("chain", "rb"))
attempt("linked-folder", lambda: open("linked-folder/model.safetensors", "rb"))
attempt("hard-link", lambda: open("hard.dat", "rb"))
attempt("renamed-txt", lambda: open("notes.txt", "rb"))
attempt("renamed-py", lambda: open("helper.py", "rb"))
attempt("renamed-none", lambda: open("no-suffix", "rb"))
attempt("imported", lambda: __import__("helper"))
attempt("copied", lambda: shutil.copyfile("bad/model.safetensors", "copy"))
folder = os.open("bad", os.O_RDONLY)
attempt("dir-fd", lambda: os.open("model.safetensors", os.O_RDONLY, dir_fd=folder))
attempt("opener", lambda: open("x", "rb", opener=lambda p, f: os.open("bad/model.safetensors", f)))
attempt("mmap", lambda: mmap.mmap(os.open("bad/model.safetensors", os.O_RDONLY), 0, prot=mmap.PROT_READ))
os.chdir("bad")
attempt("after-chdir", lambda: open("model.safetensors", "rb"))
attempt("config", lambda: open("config.json"))
attempt("fine", lambda: open("../good/model.safetensors", "rb").read())
attempt("fine-config", lambda: open("../good/config.json").read())
attempt("fine-other", lambda: open("../sekisho.lock").read())
attempt("fine-new", lambda: open("../new.safetensors", "wb").write(b"x"))
attempt("fine-none", lambda: os.path.exists("../nothing.safetensors"))
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {k for k in found if k.startswith("fine")}


def test_a_descriptor_from_elsewhere(tries, bad, tmp_path):
    found = tries("""
read, write = os.pipe()
attempt("fine-pipe", lambda: os.fdopen(read, "rb").close())
import ctypes
number = ctypes.CDLL(None).open(b"bad/model.safetensors", 0)
attempt("descriptor", lambda: open(number, "rb"))
attempt("dev-fd", lambda: open(f"/dev/fd/{number}", "rb"))
""")
    assert found == {"fine-pipe": "LOADED", "descriptor": "refused", "dev-fd": "refused"}


def test_a_file_replaced_or_changed_after_it_was_checked(tries, good, bad):
    found = tries("""
attempt("fine", lambda: open("good/model.safetensors", "rb").read())
known = os.stat("good/model.safetensors")
os.rename("good/model.safetensors", "aside")
os.link("bad/model.safetensors", "good/model.safetensors")
os.utime("good/model.safetensors", ns=(known.st_atime_ns, known.st_mtime_ns))
attempt("replaced", lambda: open("good/model.safetensors", "rb"))
os.unlink("good/model.safetensors")
os.rename("aside", "good/model.safetensors")
attempt("fine-again", lambda: open("good/model.safetensors", "rb").read())
with open("good/model.safetensors", "wb") as file:
    pass
number = os.open("good/model.safetensors", os.O_WRONLY)
os.write(number, b"\\x08" + bytes(7) + b"{" + b"x" * 40)
os.close(number)
os.utime("good/model.safetensors", ns=(known.st_atime_ns, known.st_mtime_ns))
attempt("changed", lambda: open("good/model.safetensors", "rb"))
""")
    assert found == {"fine": "LOADED", "replaced": "refused", "fine-again": "LOADED", "changed": "refused"}


def test_the_folder_around_locked_weights(tries, good, bad):
    found = tries("""
attempt("fine", lambda: open("good/config.json").read())
template = "good/chat_template.jinja"
old = open(template).read()
open(template, "w").write("{{ messages }} buy")
attempt("edited-template", lambda: open("good/model.safetensors", "rb"))
attempt("edited-template-itself", lambda: open(template))
os.unlink(template)
attempt("template-gone", lambda: open("good/model.safetensors", "rb"))
open(template, "w").write(old)
attempt("fine-again", lambda: open("good/config.json").read())
open("good/README.md", "w").write("notes of our own")
attempt("fine-card", lambda: open("good/README.md").read() and open("good/config.json").read())
open("good/adapter_model.safetensors", "wb").write(b"x")
attempt("added-adapter", lambda: open("good/config.json"))
os.unlink("good/adapter_model.safetensors")
open("good/tokenizer.json", "w").write("{}")
attempt("added-tokenizer", lambda: open("good/config.json"))
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {"fine", "fine-again", "fine-card"}


def test_children(tries, bad, tmp_path):
    (tmp_path / "load.py").write_text("open('bad/model.safetensors', 'rb')\n")
    (tmp_path / "script").write_text("#!/usr/bin/env python3\nopen('bad/model.safetensors', 'rb')\n")
    (tmp_path / "script").chmod(0o755)
    found = tries("""
def run(*words, **named):
    done = subprocess.run(words, capture_output=True, text=True, **named)
    if "load refused" in done.stderr:
        raise LoadRefusedError("in the child")
bare = {k: v for k, v in os.environ.items() if not k.startswith("SEKISHO") and k != "PYTHONPATH"}
attempt("child", lambda: run(sys.executable, "load.py"))
attempt("script", lambda: run("./script"))
attempt("grandchild", lambda: run("sh", "-c", f"exec {sys.executable} load.py"))
attempt("isolated", lambda: run(sys.executable, "-I", "load.py"))
attempt("no-environment", lambda: run(sys.executable, "-E", "load.py"))
attempt("clustered", lambda: run(sys.executable, "-sE", "load.py"))
attempt("no-site", lambda: run(sys.executable, "-S", "load.py"))
attempt("bare-environment", lambda: run(sys.executable, "load.py", env=bare))
attempt("system", lambda: os.system(f"{sys.executable} -I load.py"))
attempt("posix-spawn", lambda: os.posix_spawn(sys.executable, ["python", "load.py"], bare))
attempt("program", lambda: run("cat", "bad/model.safetensors"))
attempt("program-option", lambda: run("cat", "--model=bad/model.safetensors"))
attempt("program-folder", lambda: run("ls", "bad"))
attempt("fine", lambda: run("cat", "good/model.safetensors", errors="replace"))
attempt("fine-python", lambda: run(sys.executable, "-c", "print(open('good/config.json').read())"))
attempt("fine-argument", lambda: run(sys.executable, "-c", "0", "-I", "-S"))
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {k for k in found if k.startswith("fine")}


def test_multiprocessing_and_fork_stay_guarded(tries, bad, tmp_path):
    (tmp_path / "work.py").write_text(
        "def load(_):\n    try:\n        open('bad/model.safetensors', 'rb')\n"
        "    except BaseException as error:\n        return type(error).__name__\n    return 'loaded'\n"
    )
    found = tries("""
sys.path.insert(0, "")
import multiprocessing, work
def one(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        if pool.map(work.load, [0]) == ["LoadRefusedError"]:
            raise LoadRefusedError("in the child")
if __name__ == "__main__":
    attempt("spawn", lambda: one("spawn"))
    attempt("fork", lambda: one("fork"))
""")
    assert found == {"spawn": "refused", "fork": "refused"}


def test_native_safetensors(tries, bad, good):
    found = tries("""
from safetensors import safe_open
import safetensors.numpy
attempt("safe-open", lambda: safe_open("bad/model.safetensors", "numpy"))
attempt("named", lambda: safe_open(filename="bad/model.safetensors", framework="numpy"))
attempt("path", lambda: safe_open(pathlib.Path("bad/model.safetensors"), framework="numpy"))
attempt("load-file", lambda: safetensors.numpy.load_file("bad/model.safetensors"))
attempt("fine", lambda: safetensors.numpy.load_file("good/model.safetensors"))
from tokenizers import Tokenizer
open("bad/tokenizer.json", "w").write("{}")
attempt("tokenizer", lambda: Tokenizer.from_file("bad/tokenizer.json"))
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {"fine"}


def test_a_library_loaded_before_the_guard(tmp_path, lock, bad, guarded):
    done = guarded("", None)
    assert done.returncode == 0
    import subprocess
    import sys

    code = (
        "import sys\nfrom safetensors import safe_open\nimport safetensors.numpy as n\n"
        f"from sekisho import load_guard\nload_guard.install({str(lock)!r})\n"
        "from sekisho.errors import LoadRefusedError\n"
        "for call in (lambda: n.load_file('bad/model.safetensors'),):\n"
        "    try:\n        call()\n    except LoadRefusedError:\n        print('refused')\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert out.stdout == "refused\n"


def test_an_offline_hub_cache(tries, good, tmp_path):
    """Snapshots of links: the locked one loads, another revision and a swapped blob do not."""
    repository = tmp_path / "hub" / "models--someone--tiny"
    for folder, blobs in (("good", "a"), ("bad", "b")):
        made = repository / "snapshots" / (blobs * 40)
        made.mkdir(parents=True)
        (repository / "blobs").mkdir(exist_ok=True)
        for name in ("model.safetensors", "config.json", "chat_template.jinja"):
            blob = repository / "blobs" / f"{blobs}-{name}"
            data = (good / name).read_bytes()
            blob.write_bytes(data if folder == "good" or name != "model.safetensors" else data[:-1] + b"\7")
            (made / name).symlink_to(f"../../blobs/{blob.name}")
    found = tries("""
good, bad = ("hub/models--someone--tiny/snapshots/" + c * 40 for c in "ab")
attempt("fine", lambda: open(good + "/model.safetensors", "rb").read())
attempt("fine-config", lambda: open(good + "/config.json", "rb").read())
attempt("other-revision", lambda: open(bad + "/config.json", "rb").read())
attempt("other-weights", lambda: open(bad + "/model.safetensors", "rb").read())
os.unlink(good + "/model.safetensors")
os.symlink("../../blobs/b-model.safetensors", good + "/model.safetensors")
attempt("swapped-link", lambda: open(good + "/config.json", "rb").read())
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {"fine", "fine-config"}


def test_the_guard_cannot_be_exchanged_and_is_said_once(guarded, bad, tmp_path):
    (tmp_path / "other.lock").write_text("schema = 1\n")
    done = guarded("""
from sekisho.errors import RuleError
load_guard.install("sekisho.lock")
try:
    load_guard.install("other.lock")
except RuleError as error:
    print("kept")
for _ in range(3):
    try:
        open("bad/model.safetensors", "rb")
    except Exception:
        pass
""")
    assert done.stdout == "kept\n"
    assert done.stderr.count("load refused") == 1


def test_no_lock_no_program(guarded, lock, tmp_path):
    lock.write_text("schema = 1\nmodels = 3\n")
    done = guarded("print('ran')")
    assert done.stdout == ""
    assert "holds more than models" in done.stderr


def test_a_child_that_cannot_be_guarded_does_not_run(guarded, lock):
    done = guarded("""
import os, subprocess, sys
os.unlink("sekisho.lock")
print(subprocess.run([sys.executable, "-c", "print('ran')"], capture_output=True, text=True))
""")
    assert "returncode=2" in done.stdout
    assert "nothing is run" in done.stdout


@pytest.mark.model
def test_native_torch(tries, tmp_path):
    import torch

    torch.save({"a": torch.zeros(4)}, tmp_path / "w.dat")
    found = tries("""
import torch
attempt("load", lambda: torch.load("w.dat"))
attempt("load-mmap", lambda: torch.load("w.dat", mmap=True))
attempt("reader", lambda: torch._C.PyTorchFileReader("w.dat"))
attempt("from-file", lambda: torch.from_file("w.dat", size=4, dtype=torch.uint8))
attempt("storage", lambda: torch.UntypedStorage.from_file("w.dat", False, 4))
attempt("jit", lambda: torch.jit.load("w.dat"))
attempt("fine", lambda: torch.save({}, "new.pt"))
""")
    assert {k for k, v in found.items() if v == "LOADED"} == {"fine"}


def test_the_command_line_runs_a_program_under_the_guard(lock, good, bad, tmp_path):
    import subprocess
    import sys

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "sekisho.cli", "load-guard", "--lock", str(lock), "--", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    fine = run(sys.executable, "-c", "import sys; print(open('good/config.json').read()); sys.exit(7)")
    assert (fine.returncode, "llama" in fine.stdout) == (7, True)
    refused = run(sys.executable, "-c", "open('bad/config.json')")
    assert (refused.returncode, "load refused" in refused.stderr) == (1, True)
    for words in (
        (sys.executable, "-I", "-c", "0"),
        ("env", "-i", sys.executable, "-c", "0"),
        ("cat", "bad/model.safetensors"),
        ("no-such-program",),
    ):
        stopped = run(*words)
        assert (stopped.returncode, stopped.stdout, stopped.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1)])
def test_a_folder_is_checked_in_the_language_asked_for(lock, request, capsys, name, code):
    """Also where the language comes last, after the paths."""
    folder = request.getfixturevalue(name)
    with pytest.raises(SystemExit) as ended:
        cli.main(["load-guard", "check", str(folder), "--lock", str(lock), "--lang", "ja"])
    shown = capsys.readouterr().out
    assert ended.value.code == code
    assert re.search("[ぁ-ん]", shown)
    assert "lang" not in shown
