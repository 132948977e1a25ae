"""What happens when things go wrong, at the command line: one clear line and exit 2, or a finding; never a traceback."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from artefacts import edit_json, tiny_model
from hostile import HOSTILE, PAYLOAD
from sekisho import cli, conductor, inventory
from sekisho.errors import StorageError
from sekisho.models.fake import FakeModel
from sekisho.progress import Console

pytestmark = pytest.mark.integration

Run = Callable[..., tuple[int, str, str]]
SPOKEN = (
    "Looking at every file ...",
    "Putting tokens into prompts ...",
    "Asking and training ...",
    "Deciding ...",
)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path) -> Run:
    """Run the command line in this process, in an empty folder with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def opener(monkeypatch) -> Callable[[object], None]:
    """Put another opener in the place of the real child process."""
    return lambda it: monkeypatch.setattr(conductor, "Options", partial(conductor.Options, opener=it))


def complaint(err: str) -> str:
    """The one line that is left when the stages are taken away."""
    lines = [line for line in err.splitlines() if line not in SPOKEN and not line.startswith("Forecast")]
    assert len(lines) == 1, err
    assert lines[0].startswith("sekisho: ")
    return lines[0]


def written(name: str, text: str) -> Path:
    Path(name).write_text(text)
    return Path(name)


WRONG: dict[str, tuple[Callable[[], tuple[object, ...]], str]] = {
    "no such path": (lambda: ("inspect", "/no/such/model"), "no such folder"),
    "no name": (lambda: ("vet", ""), "no model was named"),
    "a device": (lambda: ("inspect", os.devnull), "neither a folder nor a file"),
    "a name over the limit": (lambda: ("inspect", "a" * 5000), "cannot be looked up"),
    "nobody's home": (lambda: ("inspect", "~nobody-of-that-name/x"), "cannot be looked up"),
    "a line break in a path": (lambda: ("inspect", "a\nb\x1b[31m"), "a\\nb\\x1b[31m"),
    "bytes that are no text": (lambda: ("inspect", os.fsdecode(b"a\xff")), "a\\udcff"),
    "an empty folder": (lambda: (Path("empty").mkdir(), ("inspect", "empty"))[1], "the folder is empty"),
    "no such base": (lambda: ("inspect", tiny_model(Path("m")), "--base", "/no"), "no such folder"),
    "no such policy": (lambda: ("inspect", "m", "--policy", "nope"), "no such policy"),
    "no such policy file": (lambda: ("vet", "m", "--policy", "nope.toml"), "no such policy"),
    "a broken policy": (lambda: ("inspect", "m", "--policy", written("p.toml", "x = [")), "p: Invalid value"),
    "no such recipe": (lambda: ("drill", "m", "--recipe", "nope"), "there are arithmetic-full"),
    "an unknown key": (
        lambda: ("drill", "m", "--recipe", written("r.toml", "lerning_rate = 1")),
        "unknown lerning_rate",
    ),
    "no data": (lambda: ("drill", tiny_model(Path("m"))), "no file was given"),
    "nothing but a broken line": (
        lambda: (
            "drill", tiny_model(Path("m")), "--data", written("d.jsonl", '{"prompt\n'),
        ),
        "d.jsonl, line 1",
    ),
    "no such questions": (lambda: ("vet", tiny_model(Path("m")), "--suite", "q.csv"), "no such file"),
    "a report folder that is a file": (
        lambda: ("vet", tiny_model(Path("m")), "--out", written("f", "")), "not written",
    ),
    "a cache that is a file": (
        lambda: ("vet", tiny_model(Path("m")), written("cache", "") and "--out", "o"), "cache of measurements",
    ),
    "no such dossier": (lambda: ("report", "none.json"), "none.json: not read"),
    "an empty dossier": (lambda: ("report", written("e.json", "")), "not canonical JSON"),
    "another schema": (lambda: ("report", written("s.json", '{"schema": 7}')), "schema 7 is not 1"),
    "a cache in nobody's home": (
        lambda: (os.environ.update(SEKISHO_CACHE="~nobody-of-that-name/x"), ("inspect", "m"))[1],
        "SEKISHO_CACHE is '~nobody-of-that-name/x', and that home folder is not known",
    ),
    "an unknown model to fetch": (lambda: ("fetch", "nope"), "not in the catalogue"),
    "no such model to sweep": (lambda: ("sweep", "/no/such"), "no such folder"),
    "no yardstick": (lambda: ("sweep", tiny_model(Path("m")), "--references", "0"), "whole numbers"),
    "no such declaration": (
        lambda: ("sweep", tiny_model(Path("m")), "--declared", "d.toml"), "d.toml: not read",
    ),
    "nothing to repair": (
        lambda: ("repair", written("w", "x"), "--base", written("b", "x"), "--out", "o"), "a repair needs",
    ),
    "no secret": (
        lambda: ("ownership", "verify", "m", "--secret", "s.json", "--commitment", "c.json"), "s.json: not read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_one_line_and_exit_2(name: str, run: Run) -> None:
    arguments, expected = WRONG[name]

    code, out, err = run(*arguments())

    assert (code, out) == (2, "")
    assert expected in complaint(err)


SLOW: dict[str, tuple[Callable[[], tuple[object, ...]], str]] = {
    "base": (lambda: ("vet", "m", "--base", "/no"), "no such folder"),
    "policy": (lambda: ("vet", "m", "--policy", "nope"), "no such policy"),
    "suite": (lambda: ("vet", "m", "--suite", "q.csv"), "no such file"),
    "out": (lambda: ("vet", "m", "--out", written("f", "")), "f: not written"),
    "out below a file": (lambda: ("vet", "m", "--out", written("f", "") / "x"), "x: not written"),
    "recipe": (lambda: ("drill", "m", "--recipe", "nope"), "no recipe"),
    "no data": (lambda: ("drill", "m"), "no file was given"),
    "data": (lambda: ("drill", "m", "--data", "d.jsonl"), "d.jsonl"),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_wrong_request_is_noticed_before_a_file_is_read(name: str, run: Run, monkeypatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a model was read")

    monkeypatch.setattr(inventory, "take", never)
    tiny_model(Path("m"))
    arguments, expected = SLOW[name]

    code, out, err = run(*arguments())

    assert (code, out) == (2, "")
    assert expected in complaint(err)


def test_a_request_for_no_model_leaves_no_folder(run: Run) -> None:
    assert run("vet", "/no/such", "--out", "deep/o")[0] == 2
    assert not Path("deep").exists()


def test_an_unreadable_base_is_one_line(run: Run, monkeypatch) -> None:
    tiny_model(Path("m"))
    tiny_model(Path("base"))
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "base":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)

    code, _, err = run("inspect", "m", "--base", "base")

    assert code == 2
    assert "base: Permission denied" in complaint(err)


def _huge(folder: Path) -> None:
    with (folder / "config.json").open("r+b") as file:
        file.truncate(200_000_000)


FOUND: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "a shard of 0 bytes": (HOSTILE["zero-byte-shard"], 1, "the file is empty"),
    "a config.json of 200 MB": (_huge, 3, "over the limit"),
    "a link in circles": (HOSTILE["symlink-recursive"], 3, "again"),
    "a pickle": (lambda f: (f / "x.bin").write_bytes(PAYLOAD), 1, "posix"),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_bad_file_is_a_finding(name: str, run: Run) -> None:
    change, expected, words = FOUND[name]
    change(tiny_model(Path("m")))

    code, out, err = run("inspect", "m")

    assert code == expected
    assert [
        line for line in err.splitlines() if not line.startswith("reading:")
    ] == []  # a busy machine reads slowly
    assert words in out


def test_a_saved_dossier_that_was_altered_is_refused(run: Run) -> None:
    HOSTILE["zero-byte-shard"](tiny_model(Path("m")))
    assert run("vet", "m", "--out", "o")[0] == 1
    assert run("report", "o")[0] == 1
    file = Path("o/dossier.json")
    file.write_text(file.read_text().replace('"decision": "reject"', '"decision": "admit"'))

    code, out, err = run("report", "o")

    assert (code, out) == (2, "")
    assert "it was altered" in complaint(err)


def test_an_unknown_architecture_is_a_finding_and_kept(run: Run, opener) -> None:
    from sekisho.errors import ModelError

    def broken(path: Path) -> FakeModel:
        raise ModelError(f"{path.name}: unknown architecture")

    opener(broken)

    code, out, err = run("vet", tiny_model(Path("m")), "--out", "o")

    assert code == 3
    assert "unknown architecture" in out
    assert "Traceback" not in err
    assert {p.name for p in Path("o").iterdir()} == {"dossier.json", "plan.json", "report.html"}


def test_without_torch_the_line_says_what_to_install(run: Run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    code, out, err = run("vet", tiny_model(Path("m")), "--out", "o")

    assert (code, out) == (2, "")
    assert "torch: pip install 'sekisho[models]'" in complaint(err)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "Interrupted. What was measured is kept"),
        (StorageError("the ledger cannot be written: disk full"), 2, "sekisho: the ledger cannot"),
        (ZeroDivisionError("a\nbug"), 2, "sekisho: internal error, please report it: ZeroDivisionError: a\\nbug"),
    ],
    ids=["interrupt", "full disk", "bug"],
)  # fmt: skip
def test_what_breaks_off_a_run_never_looks_like_a_verdict(error, code, words, run: Run, opener) -> None:
    def broken(path: Path) -> FakeModel:
        raise error

    opener(broken)

    ended, out, err = run("vet", tiny_model(Path("m")), "--out", "o")

    assert (ended, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


class Deaf(io.StringIO):
    """A stream of which the other end fails in some way."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def isatty(self) -> bool:
        return False


FULL, GONE = OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize(("error", "expected"), [(FULL, 2), (GONE, 0)], ids=["full", "gone"])
def test_a_result_that_cannot_be_written(error, expected, run: Run, monkeypatch) -> None:
    folder = tiny_model(Path("m"))
    monkeypatch.setattr(sys, "stdout", Deaf(error))

    code, _, err = run("inspect", folder)

    assert code == expected
    assert err == ("sekisho: standard output: not written: No space left on device\n" if expected else "")


def test_a_complaint_that_cannot_be_written_changes_no_exit_code(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", Deaf(FULL))

    assert run("inspect", "/no/such")[0] == 2


def test_progress_that_nobody_reads_stops_nothing(monkeypatch) -> None:
    for error in (FULL, GONE):
        monkeypatch.setattr(sys, "stderr", Deaf(error))
        with Console() as watch:
            watch.stage("measure")
            watch.forecast(60.0)
            watch.notice("adverts", 1, 2)


def test_closed_streams_are_stood_in_for(run: Run, monkeypatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)

    cli._open_streams()

    assert sys.stdin.read() == ""
    assert sys.stdout.write("x") == 1
    assert sys.stderr.write("x") == 1
    for name in ("stdin", "stdout", "stderr"):
        getattr(sys, name).close()


def test_an_encoding_without_the_letters_is_no_error(run: Run, monkeypatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))

    code, _, err = run("inspect", tiny_model(Path("m")), "--lang", "ja")

    assert (code, err) == (0, "")
    assert b"\\u" in raw.getvalue()


def test_lines_fit_80_columns_off_a_terminal(run: Run) -> None:
    HOSTILE["zero-byte-shard"](tiny_model(Path("m")))

    for arguments in (("inspect", "m"), ("vet", "m", "--out", "o")):
        _, out, err = run(*arguments)
        assert max(map(len, out.splitlines()[:-1])) <= 80
        assert "\x1b" not in out + err


def test_inspect_as_json_is_json_whatever_was_found(run: Run) -> None:
    folder = tiny_model(Path("m"))
    edit_json(folder / "config.json", auto_map={"AutoModel": "x.Y"})
    (folder / os.fsdecode(b"\xff\x1b.py")).write_text("")

    code, out, _ = run("inspect", folder, "--format", "json")

    assert code == 1
    assert json.loads(out)["decision"] == "reject"


@pytest.mark.slow
@pytest.mark.parametrize(("end", "expected"), [("/dev/full", 2), ("pipe", 0)])
def test_the_end_of_the_process_is_quiet_too(end: str, expected: int, tmp_path: Path) -> None:
    """The flush at interpreter exit must neither complain nor change the exit code."""
    tiny_model(tmp_path / "m")
    reader, writer = os.pipe() if end == "pipe" else (-1, os.open(end, os.O_WRONLY))
    if reader >= 0:
        os.close(reader)

    done = subprocess.run(
        [sys.executable, "-m", "sekisho.cli", "inspect", str(tmp_path / "m")],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert done.returncode == expected
    assert done.stderr.count(b"\n") == (1 if expected else 0), done.stderr
