"""The guard in a running process: an audit hook on opening files and starting programs, and wrapped native loaders."""

import os
import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, final

from sekisho.errors import LoadRefusedError, RuleError
from sekisho.load_guard import children, natives
from sekisho.load_guard.guard import Guard
from sekisho.load_guard.lockfile import find, read

INSTALLED: Final = "sekisho.load_guard.installed"
"""Audit event by which a guard that is there already says so."""
_WRITES: Final = os.O_WRONLY
_STARTS: Final = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system"})


def install(lock: str | os.PathLike[str] | None = None) -> None:
    """Guard this process and the Python processes it starts, for good. Raises DataError, RuleError.

    Without a `lock`, the nearest `sekisho.lock` above the working folder. Call it before loaders are imported.
    """
    path = os.path.abspath(lock if lock is not None else find())
    standing: list[str] = []
    sys.audit(INSTALLED, standing)
    if standing:
        if standing[0] != path:
            raise RuleError(f"this process is guarded by {standing[0]} already; a guard cannot be exchanged")
        return
    watch = _Watch(Guard(read(path)), path)
    os.environ.update(children.environment(path, os.environ))
    sys.addaudithook(watch.hear)
    natives.guard(watch.native)
    _watch_dir_fd(watch)


@final
class _Watch:
    """What the audit hook does; quiet about its own reading."""

    def __init__(self, guard: Guard, lock: str) -> None:
        self._guard, self._lock = guard, lock
        self._busy = threading.local()
        self._told: set[str] = set()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook. Raises LoadRefusedError."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes, int)) and _reads(flags):
                self.look(path)
        elif event in _STARTS:
            self._start(event, arguments)
        elif event == INSTALLED:
            arguments[0].append(self._lock)

    def native(self, given: Any) -> None:
        """An argument of a native loader: a path, or bytes that came through a file already. Raises LoadRefusedError."""
        with suppress(TypeError):
            path = os.fspath(given)
            if isinstance(path, str) or len(path) < 4096:  # noqa: PLR2004  longer bytes are no path but a model
                self.look(path)

    def look(self, path: str | bytes | int) -> None:
        """Check one path. Raises LoadRefusedError."""
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            self._guard.check(os.fsdecode(path) if isinstance(path, bytes) else path)
        except LoadRefusedError as error:
            self._tell(str(error))
            raise
        finally:
            self._busy.now = False

    def _tell(self, text: str) -> None:
        """Say it once on standard error: some loaders swallow errors and go on without the file."""
        if text not in self._told:
            self._told.add(text)
            with suppress(OSError, ValueError, AttributeError):
                print(f"sekisho: {text}", file=sys.stderr, flush=True)  # noqa: T201

    def _start(self, event: str, arguments: tuple[Any, ...]) -> None:
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            if event == "os.system":
                command = os.fsdecode(arguments[0])
                children.refuse_shell(command, self._lock)
                given: Sequence[str] = children.words(command)
            else:
                given = self._program(event, arguments)
            for path in children.paths(given):
                self._guard.check(path)
        except LoadRefusedError as error:
            self._tell(str(error))
            raise
        finally:
            self._busy.now = False

    def _program(self, event: str, arguments: tuple[Any, ...]) -> Sequence[str]:
        """Hold a program and its environment against the guard; return its arguments."""
        at = 1 if event == "os.spawn" else 0
        program, given = arguments[at], arguments[at + 1]
        env = arguments[3] if event in ("subprocess.Popen", "os.spawn") else arguments[2]
        words = [given] if isinstance(given, (str, bytes)) else list(given)
        texts = [os.fsdecode(w) for w in words]
        name = os.fsdecode(program) if program is not None else texts[0]
        children.refuse(shutil.which(name) or name, texts[1:], env, self._lock)
        if event == "subprocess.Popen" and len(texts) > 2 and texts[1] == "-c" and name.endswith("sh"):  # noqa: PLR2004
            children.refuse(sys.executable, (), env, self._lock)
            children.refuse_shell(texts[2], self._lock)
            return children.words(texts[2])
        return texts[1:]


def _reads(flags: Any) -> bool:
    """Whether a file is opened for reading what is in it."""
    if not isinstance(flags, int):
        return True
    return (flags & os.O_ACCMODE) != _WRITES and not flags & os.O_TRUNC


def _watch_dir_fd(watch: _Watch) -> None:
    """`os.open(name, dir_fd=...)` tells the audit hook the name alone."""
    original = os.open

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and _reads(flags) and not os.path.isabs(path):
            watch.look(os.path.join(f"/proc/self/fd/{dir_fd}", os.fsdecode(path)))
        return original(path, flags, mode, dir_fd=dir_fd)

    os.open = opened
