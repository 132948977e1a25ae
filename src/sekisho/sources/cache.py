"""Where fetched models are kept: SEKISHO_CACHE, else XDG_CACHE_HOME/sekisho, else ~/.cache/sekisho."""

import os
from collections.abc import Mapping
from pathlib import Path

from sekisho.errors import UsageError


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder; nothing is created. An empty variable counts as unset. Raises UsageError."""
    own, shared = environment.get("SEKISHO_CACHE"), environment.get("XDG_CACHE_HOME")
    try:
        if own:
            return Path(own).expanduser()
        return (Path(shared) if shared else Path.home() / ".cache") / "sekisho"
    except RuntimeError as error:
        where = f"SEKISHO_CACHE is {own!r}" if own else "SEKISHO_CACHE is not set"
        raise UsageError(f"{where}, and that home folder is not known; name a full path") from error


def model(cache: Path, name: str) -> Path:
    """Return the folder of one fetched model; it exists only once the model is complete."""
    return cache / "models" / name
