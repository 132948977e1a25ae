"""Models that a form offers: those of the catalogue that were fetched, and those below the allowed folders."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from sekisho.limits import DEFAULT
from sekisho.sources import cache as caches
from sekisho.sources import catalogue
from sekisho.web.site import Site

_MARKS: Final = ("config.json", "adapter_config.json")
_ENDING: Final = ".gguf"
_DEPTH: Final = 3
"""Folders below an allowed one that are looked into."""


def fetched() -> tuple[str, ...]:
    """Names of the catalogue whose files are here."""
    cache = caches.folder()
    return tuple(n for n in catalogue.names() if caches.model(cache, n).is_dir())


def found(site: Site) -> tuple[str, ...]:
    """Paths of what looks like a model below the allowed folders; nothing is opened."""
    paths = (p for folder in site.models for p in _models(folder, _DEPTH))
    return tuple(sorted(islice(paths, DEFAULT.web_suggestions)))


def _models(folder: Path, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            seen = sorted(entries, key=lambda e: e.name)[: DEFAULT.web_suggestions]
    except OSError:
        return
    if any(e.name in _MARKS for e in seen):
        yield str(folder)
        return
    for entry in seen:
        if entry.name.endswith(_ENDING) and entry.is_file(follow_symlinks=False):
            yield entry.path
        elif depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _models(Path(entry.path), depth - 1)
