"""Ways to start the process that holds a model: a new interpreter, or a fork of one that has the libraries imported.

Importing torch, transformers and peft costs 5.8 to 7.7 s of CPU and is the same for every model (docs/adr/0010).
Both ways end in `sekisho.worker` with the same confinement, the same environment and the same three open files.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Final, Protocol, final

from sekisho.errors import ModelError
from sekisho.models.confine import environment

WORKER: Final = "sekisho.worker"
ZYGOTE: Final = "sekisho.zygote"
"""Modules the processes run; named, not imported, because they stand on a higher floor."""
READY_S: Final = 600.0
"""Seconds that a fork may take; the first one waits for the imports."""
FAREWELL_S: Final = 10.0


class Child(Protocol):
    """A process with pipes; `subprocess.Popen` is one."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """What it reads."""
        ...

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it writes."""
        ...

    def poll(self) -> int | None:
        """Its exit status as `subprocess` writes it, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, waited for. Raises subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


def start(folder: str, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a new interpreter in a session of its own: Ctrl-C reaches the parent alone. Raises ModelError."""
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment() | {"TMPDIR": folder},
            start_new_session=True,
        )
    except OSError as error:
        raise ModelError(f"the model's process could not be started: {error.strerror or error}") from error


@final
class Forked:
    """A child of the zygote, seen through its pipes; its status comes down a pipe of its own."""

    def __init__(self, zygote: "Zygote", pid: int, status: int, pipes: tuple[int, int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(pipes[0], "wb")
        self.stdout: IO[bytes] = os.fdopen(pipes[1], "rb")
        self._zygote, self._status = zygote, status
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, waited for; if the zygote died, so did its children."""
        if self._code is None:
            line = _line(self._status, timeout)
            if line is None:
                raise subprocess.TimeoutExpired(WORKER, timeout or 0)
            self._code = int(line) if line else -signal.SIGKILL
            os.close(self._status)
        return self._code

    def kill(self) -> None:
        """End it at once; asked of the zygote, whose own child cannot be confused with another process."""
        self._zygote.kill(self.pid)


@final
class Zygote:
    """One process that imports the libraries once, opens no model, and forks a child for each. Linux only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def child(self, folder: str, errors: IO[bytes]) -> Child:
        """Start a child by a fork, or by a new interpreter where that cannot be. Raises ModelError."""
        return self._fork(folder, errors) or start(folder, errors)

    def kill(self, pid: int) -> None:
        """End a child that is still running."""
        if self._control is not None:
            with suppress(OSError):  # the zygote is gone, and its children with it
                self._control.send(json.dumps({"kill": pid}).encode())

    def close(self) -> None:
        """End the zygote once its children have ended."""
        if self._control is not None and self._process is not None:
            self._control.close()
            try:
                self._process.wait(FAREWELL_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _fork(self, folder: str, errors: IO[bytes]) -> Forked | None:
        control = self._ready()
        if control is None:
            return None
        given, ours = _pipes()
        try:
            request = json.dumps({"fork": folder}).encode()
            socket.send_fds(control, [request], [given[0], given[1], errors.fileno(), given[2]])
        except OSError:
            _close(*given, *ours)
            return None
        _close(*given)
        line = _line(ours[2], READY_S)
        if not line:
            _close(*ours)
            return None
        return Forked(self, int(line), ours[2], (ours[0], ours[1]))

    def _ready(self) -> socket.socket | None:
        """The line to a zygote; one that ended is not started again."""
        if sys.platform != "linux":
            return None
        with self._lock:
            if self._process is None:
                control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    try:
                        self._process, self._control = _start_zygote(theirs.fileno()), control
                    except ModelError:
                        control.close()
                        raise
            return self._control if self._process.poll() is None else None


def _start_zygote(control: int) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", ZYGOTE, str(control)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            pass_fds=(control,),
            start_new_session=True,
        )
    except OSError as error:
        raise ModelError(f"the model's process could not be started: {error.strerror or error}") from error


def _pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Ends for the child (stdin, stdout, status) and ends for us."""
    (read_in, write_in), (read_out, write_out), (read_status, write_status) = (os.pipe() for _ in range(3))
    return (read_in, write_out, write_status), (write_in, read_out, read_status)


def _close(*files: int) -> None:
    for file in files:
        os.close(file)


def _line(file: int, timeout: float | None) -> bytes | None:
    """One short line; b"" if the other end is gone, None if nothing came in time."""
    until = None if timeout is None else time.monotonic() + timeout
    line = b""
    while not line.endswith(b"\n"):
        left = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([file], [], [], left)[0]:
            return None
        if not (byte := os.read(file, 1)):
            return b""
        line += byte
    return line
