"""Models that a form offers: those of the catalogue that were fetched, and those below the allowed folders."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
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
    """Paths of what looks like a model below the allowed folders, the nearest first; nothing is opened."""
    return tuple(sorted(islice(_models(site.models), DEFAULT.web_suggestions)))


def _models(roots: Iterable[Path]) -> Iterator[str]:
    waiting = deque((str(root), 0) for root in roots)
    for _ in range(DEFAULT.web_folders):
        if not waiting:
            return
        folder, depth = waiting.popleft()
        seen = _inside(folder)
        if any(e.name in _MARKS for e in seen):
            yield folder
            continue
        for entry in seen:
            if entry.name.endswith(_ENDING) and entry.is_file(follow_symlinks=False):
                yield entry.path
            elif depth < _DEPTH and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                waiting.append((entry.path, depth + 1))


def _inside(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, DEFAULT.web_entries), key=lambda e: e.name)
    except OSError:
        return []
