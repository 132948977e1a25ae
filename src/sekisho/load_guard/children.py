"""The guard in child processes: through the environment for Python, by arguments for everything else."""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sekisho.errors import LoadRefusedError

LOCK: Final = "SEKISHO_LOAD_GUARD"
"""Environment variable: full path of the lock."""
HOME: Final = "SEKISHO_LOAD_GUARD_HOME"
"""Environment variable: where the guard itself is imported from."""
SHIM: Final = str(Path(__file__).parent / "shim")
"""Folder of the `sitecustomize` that installs the guard."""
_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*w?(?:\.exe)?")
_SHELL_PYTHON: Final = re.compile(r"\b(?:python|pypy)[\d.]*\s+(?:-[A-Za-z]+\s+)*-[A-Za-z]*[IES]")
_DEAF: Final = frozenset("IES")
"""Options with which Python does not read what the guard comes by."""
_LAST: Final = frozenset("cm")
"""Options after which everything is the program's own."""
_VALUED: Final = frozenset("WX")


def environment(lock: str, before: Mapping[str, str]) -> dict[str, str]:
    """An environment that carries the guard into Python children."""
    paths = [p for p in before.get("PYTHONPATH", "").split(os.pathsep) if p and p != SHIM]
    home = str(Path(__file__).parents[2])
    return {**before, LOCK: lock, HOME: home, "PYTHONPATH": os.pathsep.join([SHIM, *paths])}


def carries(given: Mapping[str, str] | Mapping[bytes, bytes] | None, lock: str) -> bool:
    """Whether a child with this environment would be guarded by the same lock."""
    env = {os.fsdecode(k): os.fsdecode(v) for k, v in (os.environ if given is None else given).items()}
    return env.get(LOCK) == lock and env.get("PYTHONPATH", "").split(os.pathsep)[0] == SHIM


def refuse(
    program: str, arguments: Sequence[str], env: Mapping[str, str] | Mapping[bytes, bytes] | None, lock: str
) -> None:
    """Refuse a Python child that the guard would not reach. Raises LoadRefusedError."""
    if not is_python(program):
        return
    if not carries(env, lock):
        raise LoadRefusedError(f"load refused: {program} would be started without the guard's environment")
    if deaf(_options(program, arguments)):
        raise LoadRefusedError(f"load refused: {program} would be started with -I, -E or -S, past the guard")


def refuse_shell(command: str, lock: str) -> None:
    """The same for a command line of a shell, as far as it can be read."""
    if not carries(None, lock):
        raise LoadRefusedError("load refused: a shell would be started without the guard's environment")
    if _SHELL_PYTHON.search(command):
        raise LoadRefusedError("load refused: a shell would start Python with -I, -E or -S, past the guard")


def is_python(program: str) -> bool:
    """A Python interpreter, or a script for one."""
    if _PYTHON.fullmatch(os.path.basename(program)) or os.path.realpath(program) == os.path.realpath(
        sys.executable
    ):
        return True
    return bool(_PYTHON.search(_shebang(program)))


def deaf(options: Sequence[str]) -> bool:
    """Whether Python's own options keep the guard out."""
    left = iter(options)
    for option in left:
        if not option.startswith("-") or option in ("-", "--"):
            return False  # the script: what follows is its own
        letters = "" if option.startswith("--") else option[1:]
        for at, letter in enumerate(letters):
            if letter in _DEAF:
                return True
            if letter in _LAST:
                return False
            if letter in _VALUED:
                if at + 1 == len(letters):
                    next(left, "")
                break
    return False


def paths(arguments: Iterable[str]) -> tuple[str, ...]:
    """Arguments that name something on this machine, `--option=value` included."""
    texts = (text for a in arguments for text in (a, a.partition("=")[2]))
    return tuple(t for t in texts if t and os.path.exists(t))


def words(command: str) -> tuple[str, ...]:
    """The words of a shell's command line, as far as they can be told."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def _options(program: str, arguments: Sequence[str]) -> list[str]:
    first = _shebang(program)
    return [*first.split()[1:], *arguments] if first else list(arguments)


def _shebang(program: str) -> str:
    """The first line of a script, without `#!`."""
    try:
        with open(program, "rb") as file:
            head = file.read(512)
    except OSError:
        return ""
    return head[2:].split(b"\n")[0].decode("utf-8", "replace").strip() if head.startswith(b"#!") else ""
