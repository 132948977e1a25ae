"""Start a program with the recorder in its environment, as the load guard is carried into children."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, final

from sekisho.errors import UsageError
from sekisho.load_guard import children
from sekisho.training_log.recorder import CLASS, DATA, OWNER, RECORD, About

HOME: Final = "SEKISHO_TRAINING_HOME"
"""Environment variable: where the recorder itself is imported from."""
SHIM: Final = str(Path(__file__).parent / "shim")
"""Folder of the `sitecustomize` that installs it."""


@final
@dataclass(frozen=True)
class Launch:
    """What is started, and what its record is to say."""

    command: tuple[str, ...]
    record: Path
    about: About = field(default_factory=About)
    data: Path | None = None
    """File of the training rows."""
    folder: Path | None = None
    """Working folder; None for this one."""
    variables: Mapping[str, str] | None = None
    """More environment variables."""


def environment(launch: Launch, before: Mapping[str, str]) -> dict[str, str]:
    """An environment that carries the recorder into Python children."""
    paths = [p for p in before.get("PYTHONPATH", "").split(os.pathsep) if p and p != SHIM]
    made = {**before, **(launch.variables or {})}
    made |= {HOME: str(Path(__file__).parents[2]), RECORD: str(launch.record.absolute())}
    made["PYTHONPATH"] = os.pathsep.join([SHIM, *paths])
    said = {OWNER: launch.about.owner, CLASS: launch.about.classification}
    said[DATA] = str(launch.data.absolute()) if launch.data else ""
    return made | {k: v for k, v in said.items() if v}


def run(launch: Launch, output: IO[bytes] | None = None) -> int:
    """Run the program to its end; its exit code. Raises UsageError where it cannot be started or recorded.

    `output` takes what it prints; by default that goes where Sekisho's own output does.
    """
    if not launch.command:
        raise UsageError("say what to run, after --")
    program = shutil.which(launch.command[0])
    if program is None:
        raise UsageError(f"{launch.command[0]}: no such program")
    if children.is_python(program) and children.deaf(launch.command[1:]):
        raise UsageError("python -I, -E and -S keep the recorder out; use SekishoCallback in the script")
    if launch.record.exists():
        raise UsageError(f"{launch.record}: a record lies there already; name another file")
    sys.stdout.flush()
    try:
        done = subprocess.run(
            [program, *launch.command[1:]],
            check=False,
            env=environment(launch, os.environ),
            cwd=launch.folder,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
        )
    except OSError as error:
        raise UsageError(f"{launch.command[0]}: not started: {error.strerror or error}") from error
    return done.returncode
