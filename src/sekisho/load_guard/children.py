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
_LAUNCHERS: Final = frozenset(
    {
        "chrt",
        "env",
        "flock",
        "ionice",
        "nice",
        "nohup",
        "setsid",
        "stdbuf",
        "taskset",
        "time",
        "timeout",
        "xargs",
    }
)
"""Programs that start the one their arguments name."""
_ELSEWHERE: Final = frozenset({"doas", "runuser", "su", "sudo", "systemd-run"})
"""The same, in an environment of their own."""
_CARRIED: Final = ("PYTHONPATH=", "SEKISHO_LOAD_GUARD")
_WORDS: Final = frozenset({"!", "{", "command", "do", "else", "exec", "if", "then", "until", "while"})
"""Words of a shell before a program."""
_SHELL_FORGETS: Final = re.compile(
    r"(?<![\w.-])(?:PYTHONPATH|SEKISHO_LOAD_GUARD\w*)=|\bunset\s[^;|&]{0,999}(?:PYTHONPATH|SEKISHO_LOAD_GUARD)"
)
_DEAF: Final = frozenset("IES")
"""Options with which Python does not read what the guard comes by."""
_LAST: Final = frozenset("cm")
"""Options after which everything is the program's own."""
_VALUED: Final = frozenset("WX")
_SHELL_ENDS: Final = re.compile(r"[;|&(`\n]")


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
    """Refuse a Python child that the guard would not reach, also behind `env`, `nice` etc. Raises LoadRefusedError."""
    name = os.path.basename(program)
    if name in _ELSEWHERE or (name in _LAUNCHERS and forgets((name, *arguments))):
        raise LoadRefusedError(f"load refused: {program} would start a program past the guard")
    if name not in _LAUNCHERS and not is_python(program):
        return
    if not carries(env, lock):
        raise LoadRefusedError(f"load refused: {program} would be started without the guard's environment")
    if name not in _LAUNCHERS and deaf(_options(program, arguments)):
        raise LoadRefusedError(f"load refused: {program} would be started with -I, -E or -S, past the guard")


def refuse_shell(command: str, lock: str) -> None:
    """The same for a command line of a shell, as far as it can be read."""
    if not carries(None, lock):
        raise LoadRefusedError("load refused: a shell would be started without the guard's environment")
    if _SHELL_PYTHON.search(command):
        raise LoadRefusedError("load refused: a shell would start Python with -I, -E or -S, past the guard")
    if _SHELL_FORGETS.search(command) or any(_launched(words(c)) for c in _SHELL_ENDS.split(command)):
        raise LoadRefusedError("load refused: a shell would start programs without the guard's environment")


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


def forgets(words: Sequence[str]) -> bool:
    """Whether a line that begins with a launcher ends in another environment, or in Python that is deaf."""
    for at, word in enumerate(words):
        name, rest = os.path.basename(word), words[at + 1 :]
        if (
            name in _ELSEWHERE
            or (name == "env" and _cleared(rest))
            or (_PYTHON.fullmatch(name) and deaf(rest))
        ):
            return True
    return False


def _launched(words: Sequence[str]) -> bool:
    """Whether one command of a shell is a launcher that forgets the guard."""
    first = next((n for n, w in enumerate(words) if w not in _WORDS and "=" not in w), len(words))
    rest = words[first:]
    return bool(rest) and os.path.basename(rest[0]) in _LAUNCHERS | _ELSEWHERE and forgets(rest)


def _cleared(words: Sequence[str]) -> bool:
    """Whether options of `env` take away what the guard comes by."""
    valued = False
    for word in words:
        if word.startswith(_CARRIED) or word in ("-", "--ignore-environment"):
            return True
        if word.startswith(("--unset", "--split")) or (
            word[:1] == "-" != word[1:2] and set(word) & set("iuS")
        ):
            return True
        if not valued and not word.startswith("-") and "=" not in word:
            return False  # the program: what follows is its own
        valued = word in ("-C", "--chdir", "-a", "--argv0")
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
