"""The one way other tools are run: a confined child, its answer bounded, its version beside it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from sekisho.limits import DEFAULT, MIB, Limits
from sekisho.opinions.base import Answer, Opinion, Tool
from sekisho.opinions.tools import TOOLS
from sekisho.records import FileFact, Inventory

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")
_SHORT_S: Final = 60
"""Processor and wall seconds in which a tool says its version."""
_HERE: Final = Path(__file__).parent
_KEPT: Final = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


def ask(name: str, files: Inventory, limits: Limits = DEFAULT) -> Opinion:
    """Ask one tool about a model. Raises nothing: what went wrong is the opinion's problem."""
    tool = TOOLS[name]
    program = _program(tool)
    if not program:
        return Opinion(name, tested=tool.tested, problem="absent", detail="it is not installed")
    calls = tool.calls(str(Path(files.root).absolute()), _readable(files.files))
    if not calls:
        return Opinion(
            name, tested=tool.tested, problem="nothing-to-read", detail="it reads nothing of this kind"
        )
    with tempfile.TemporaryDirectory(prefix="sekisho-opinion-") as home:
        release = _release(tool, program, Path(home), limits)
        answers: list[Answer] = []
        for call in calls:
            got = _run([*program, *call.arguments], call.stdin, tool, home=Path(home), limits=limits)
            if isinstance(got, str):
                return Opinion(name, release, tool.tested, problem="failed", detail=got)
            answers.append(got)
    alarms = tuple(dict.fromkeys(a for answer in answers for a in answer.alarms))
    unseen = tuple(dict.fromkeys(u for answer in answers for u in answer.unseen))
    return Opinion(name, release, tool.tested, alarms, unseen)


def _readable(files: Sequence[FileFact]) -> tuple[FileFact, ...]:
    """Leave out what we would not open ourselves: pipes, links that lead out, names that are no text."""
    return tuple(f for f in files if f.format != "unread")


def _program(tool: Tool) -> tuple[str, ...]:
    """Find the tool beside this Python, then on the path; empty where it is not there."""
    if tool.module:
        try:
            version(tool.package)
        except PackageNotFoundError:
            return ()
        return (sys.executable, "-I", str(_HERE / tool.module))
    beside = str(Path(sys.executable).parent)
    found = shutil.which(tool.script, path=beside) or shutil.which(tool.script)
    return (str(Path(found).absolute()),) if found else ()


def _release(tool: Tool, program: tuple[str, ...], home: Path, limits: Limits) -> str:
    if tool.package:
        return version(tool.package)
    done = _confined([*program, "--version"], "", tool, home=home, seconds=_SHORT_S, limits=limits)
    said = "" if isinstance(done, str) else _VERSION.search(done[0])
    return said[0] if said else "?"


def _run(arguments: list[str], stdin: str, tool: Tool, *, home: Path, limits: Limits) -> Answer | str:
    """Return the answer of one call, or in words why there is none."""
    done = _confined(arguments, stdin, tool, home=home, seconds=limits.opinion_s, limits=limits)
    if isinstance(done, str):
        return done
    output, status = done
    try:
        return tool.parse(output, status)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"its answer was not understood (exit status {status}): {type(error).__name__}"


def _confined(
    arguments: list[str], stdin: str, tool: Tool, *, home: Path, seconds: int, limits: Limits
) -> tuple[str, int] | str:
    """Run with bounds; (standard output, exit status), or why not."""
    bounds = [str(limits.opinion_memory_bytes // MIB), str(seconds)]
    command = [sys.executable, "-I", str(_HERE / "child.py"), *bounds, *arguments]
    try:
        with (home / "answer").open("w+b") as out:
            status = subprocess.run(
                command,
                input=stdin.encode("utf-8", "surrogateescape"),
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=_environment(tool, home),
                cwd=home,
                timeout=seconds,
                check=False,
            ).returncode
            out.seek(0)
            output = out.read(limits.opinion_answer_bytes + 1)
    except subprocess.TimeoutExpired:
        return f"it took more than {seconds} s"
    except OSError as error:
        return f"it could not be started: {error.strerror or error}"
    if len(output) > limits.opinion_answer_bytes:
        return f"its answer is longer than {limits.opinion_answer_bytes:,} bytes"
    return output.decode("utf-8", "replace"), status


def _environment(tool: Tool, home: Path) -> dict[str, str]:
    """Nothing of the user's but the language; a home of its own, so that no settings of a model's folder or user count."""
    own = {k: os.environ[k] for k in _KEPT if k in os.environ}
    return {
        **own,
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "NO_COLOR": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **dict(tool.environment),
    }
