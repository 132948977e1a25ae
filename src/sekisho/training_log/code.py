"""Which code trained: the script, the modules of one's own that it brought in, and the state of their repository."""

import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

_GIT_S: Final = 20
"""Seconds that git may take; a repository that takes longer is said to be unknown."""
_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
"""Nothing that a repository configures is run."""


def look() -> dict[str, Any]:
    """Digest of the script and of its own modules, and of what is not committed."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if not main:
        return {"script": "", "unknown": "the training was started from no script: a console or a notebook"}
    script = Path(main).absolute()
    return {
        "script": str(script),
        "sha256": _digest(script),
        "modules": _modules(script),
        "git": _git(script.parent),
    }


def _modules(script: Path) -> dict[str, str]:
    """Modules from the script's folder and below, by their path within it."""
    home = script.resolve().parent
    apart = tuple(Path(sysconfig.get_paths()[k]).resolve() for k in ("stdlib", "purelib", "platlib"))
    inside = (f"{script.parent}{os.sep}", f"{home}{os.sep}")
    found = {}
    for module in tuple(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if not isinstance(name, str) or not name.endswith(".py") or not name.startswith(inside):
            continue  # of thousands of modules, only a few are looked up on disk
        path = Path(name).resolve()
        if (
            path.is_relative_to(home)
            and path != script.resolve()
            and not any(map(path.is_relative_to, apart))
        ):
            found[path.relative_to(home).as_posix()] = _digest(path)
    return dict(sorted(found.items()))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""  # gone since it was started


def _git(folder: Path) -> dict[str, Any]:
    if not any((p / ".git").exists() for p in (folder, *folder.parents)):
        return {"unknown": "the script lies in no git repository"}
    try:
        commit = _ask(folder, "rev-parse", "HEAD").decode().strip()
        diff = _ask(folder, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD")
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        return {"unknown": f"git did not answer: {type(error).__name__}"}
    return {"commit": commit, "diff": hashlib.sha256(diff).hexdigest() if diff else ""}


def _ask(folder: Path, *words: str) -> bytes:
    done = subprocess.run(
        ["git", *_SAFE, "-C", str(folder), *words],
        capture_output=True,
        check=True,
        timeout=_GIT_S,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"},
    )
    return done.stdout
