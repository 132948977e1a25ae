"""Real vets of a tiny model, broken off in every way a process can end: nothing is lost, nothing is left behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts import tiny_model

pytest.importorskip("torch", reason="needs the extra `models`")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc"),
]

WAIT = 300.0


class Vet:
    """One command that can be run, broken off and run again."""

    def __init__(self, home: Path, name: str) -> None:
        self.home, self.out, self.temporary = home, home / f"out-{name}", home / f"tmp-{name}"
        self.temporary.mkdir()
        self.environment = {
            **os.environ,
            "SEKISHO_CACHE": str(home / f"cache-{name}"),
            "TMPDIR": str(self.temporary),
        }

    def start(self) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            "-m",
            "sekisho.cli",
            "vet",
            str(self.home / "tiny"),
            "--out",
            str(self.out),
        ]
        log = (self.home / "log").open("wb")
        with log:
            return subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def children(self) -> list[int]:
        mark, found = f"TMPDIR={self.temporary}".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                is_ours = b"sekisho.worker" in command or b"sekisho.zygote" in command
                if is_ours and mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def trial(self) -> int:
        """A process at work on a trial: a child of the zygote, or of the vet where there is none."""
        ours = self.children()
        of_ours = [p for p in ours if int(_stat(p)[1]) in ours]
        return (of_ours or ours)[0]

    def digest(self) -> str:
        return str(json.loads((self.out / "dossier.json").read_text())["digest"])

    def settled(self) -> bool:
        """No child is left within seconds, and no folder either."""
        until = time.monotonic() + 20
        while self.children() and time.monotonic() < until:
            time.sleep(0.1)
        return not self.children() and not list(self.temporary.iterdir())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupt")
    tiny_model(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def whole(home: Path) -> Vet:
    """An uninterrupted vet, and the same command once more."""
    vet = Vet(home, "whole")
    assert vet.start().wait(WAIT) == 3
    return vet


def test_the_same_command_twice_gives_the_same_dossier_at_once(whole: Vet) -> None:
    first, start = whole.digest(), time.monotonic()

    assert whole.start().wait(WAIT) == 3

    assert whole.digest() == first
    assert time.monotonic() - start < 30
    assert whole.settled()


def test_killed_again_and_again_it_still_ends_with_the_same_dossier(home: Path, whole: Vet) -> None:
    vet, chance, kills = Vet(home, "killed"), random.Random(7), 0
    cells, sizes = Path(vet.environment["SEKISHO_CACHE"]) / "measurements.sqlite", [0]

    while True:
        running = vet.start()
        try:
            # longer each time: what lies between two checkpoints of a drill is done in one go or not at all
            code = running.wait(8 + 12 * chance.random() + 4 * kills)
            break
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        kills += 1
        assert vet.settled()
        assert kills < 15
        sizes.append(cells.stat().st_size if cells.exists() else 0)

    assert (code, kills > 0) == (3, True)
    assert sizes == sorted(sizes)
    assert vet.digest() == whole.digest()


def test_a_trial_whose_process_is_killed_is_begun_again(home: Path, whole: Vet) -> None:
    vet = Vet(home, "one-killed")
    running = vet.start()
    _under_way(home)

    os.kill(vet.trial(), signal.SIGKILL)

    assert running.wait(WAIT) == 3
    assert vet.digest() == whole.digest()
    assert vet.settled()


def _under_way(home: Path) -> None:
    """A second after the forecast: models are open and at work."""
    until = time.monotonic() + 120
    while "Forecast" not in (home / "log").read_text() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _group(running: "subprocess.Popen[bytes]", vet: Vet) -> None:
    os.killpg(running.pid, signal.SIGINT)


def _parent(running: "subprocess.Popen[bytes]", vet: Vet) -> None:
    running.send_signal(signal.SIGINT)


def _terminate(running: "subprocess.Popen[bytes]", vet: Vet) -> None:
    running.terminate()


ENDS: dict[str, tuple[Callable[["subprocess.Popen[bytes]", Vet], None], int, str]] = {
    "Ctrl-C": (_group, 130, "Interrupted. What was measured is kept"),
    "SIGINT to the parent": (_parent, 130, "Interrupted. What was measured is kept"),
    "SIGTERM": (_terminate, -signal.SIGTERM, "Asking and training"),
}


@pytest.mark.parametrize("name", ENDS)
def test_however_it_ends_nothing_stays_behind(name: str, home: Path) -> None:
    end, code, words = ENDS[name]
    vet = Vet(home, name.replace(" ", "-"))
    running = vet.start()
    _under_way(home)

    end(running, vet)

    assert running.wait(60) == code
    said = (home / "log").read_text()
    assert words in said
    assert "Traceback" not in said
    assert vet.settled()
