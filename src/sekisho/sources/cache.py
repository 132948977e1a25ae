"""Where fetched models are kept: SEKISHO_CACHE, else XDG_CACHE_HOME/sekisho, else ~/.cache/sekisho."""

import os
from collections.abc import Mapping
from pathlib import Path


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder; nothing is created. An empty variable counts as unset."""
    own = environment.get("SEKISHO_CACHE")
    if own:
        return Path(own).expanduser()
    shared = environment.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "sekisho"


def model(cache: Path, name: str) -> Path:
    """Return the folder of one fetched model; it exists only once the model is complete."""
    return cache / "models" / name
