"""Where a dataset's rows came from: datasets made after `watch` carry the files they were read from.

The `datasets` library has a field for it, `info.download_checksums`, hands it on through `map`, `filter` and `select`, and leaves
it empty for local files. It is filled in here, with names alone.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.evidence import walk

_MAKERS: Final = ("as_dataset", "as_streaming_dataset")
_WATCHED: Final = "_sekisho_watched"


@final
@dataclass(frozen=True)
class Source:
    """A file that rows came from."""

    path: str
    """On this machine; or an address, with its revision where it has one."""
    sha256: str
    """Hex; empty for an address."""


def watch() -> None:
    """From now on, note the files of every dataset that is loaded in this process."""
    try:
        from datasets import DatasetBuilder
    except ImportError:
        return
    for name in _MAKERS:
        made = getattr(DatasetBuilder, name, None)
        if made is not None and not hasattr(made, _WATCHED):
            setattr(DatasetBuilder, name, _noting(made))


def of(dataset: Any) -> tuple[Source, ...]:
    """The files that a dataset says it was made from, local ones hashed."""
    named = getattr(getattr(dataset, "info", None), "download_checksums", None)
    return tuple(_source(str(name)) for name in named) if isinstance(named, Mapping) else ()


def _source(name: str) -> Source:
    path = Path(name.removeprefix("file://"))
    try:
        if path.is_file():
            return Source(str(path.resolve()), walk.sha256(path) or "")
    except OSError:
        pass  # gone or not ours to read: its name is all there is
    return Source(name, "")


def _noting(make: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(make)
    def noting(builder: Any, *given: Any, **named: Any) -> Any:
        made = make(builder, *given, **named)
        files = getattr(getattr(builder, "config", None), "data_files", None)
        if isinstance(files, Mapping):
            for dataset in made.values() if isinstance(made, dict) else (made,):
                _note(dataset, files)
        return made

    setattr(noting, _WATCHED, True)
    return noting


def _note(dataset: Any, files: Mapping[Any, Any]) -> None:
    info = getattr(dataset, "info", None)
    split = str(getattr(dataset, "split", "")).partition("[")[0]
    names = next((f for s, f in files.items() if str(s) == split), None)
    if info is not None and names and not info.download_checksums:
        info.download_checksums = {str(n): {"num_bytes": None, "checksum": None} for n in names}
