"""What was trained on: files, lists and datasets become digests; what cannot be read without using it up is unknown."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import DataError
from sekisho.evidence import walk
from sekisho.limits import DEFAULT
from sekisho.training_log import rows, sources
from sekisho.training_log.rows import Rows
from sekisho.training_log.sources import Source

_BATCH: Final = 1_000
_BOM: Final = b"\xef\xbb\xbf"
ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".parquet")
"""Files whose rows are read; of others only the bytes are hashed."""


@final
@dataclass(frozen=True)
class Data:
    """What is known of a dataset."""

    rows: Rows | None
    unknown: str = ""
    """Why there are no rows here; empty where there are."""
    sources: tuple[Source, ...] = ()
    kind: str = ""
    """Its type, as Python calls it."""


def look(data: Any) -> Data:
    """Digests of a dataset: a path, a list of rows, a `datasets.Dataset`, or anything with a length and items."""
    kind = type(data).__name__
    if data is None:
        return Data(None, "no dataset was named")
    if isinstance(data, (str, Path)):
        return file(Path(data))
    known = sources.of(data)
    try:
        return Data(rows.take(_each(data)), "", known, kind)
    except _UnknownError as error:
        return Data(None, str(error), known, kind)
    except (TypeError, ValueError) as error:
        return Data(None, f"its rows cannot be written down: {error}", known, kind)


def file(path: Path) -> Data:
    """Digests of a file of rows: JSON lines, a JSON array or Parquet. Raises DataError where it cannot be read."""
    try:
        source = (Source(str(path), walk.sha256(path) or ""),)
        if path.suffix.lower() not in ENDINGS:
            return Data(None, f"rows of {path.suffix or 'such'} files are not read", source, "file")
        return Data(rows.take(read(path)), "", source, "file")
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error


def read(path: Path) -> Iterator[Any]:
    """The rows of a file. Raises DataError that names the line, OSError."""
    if path.stat().st_size > DEFAULT.training_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.training_bytes:,} bytes for training files")
    with path.open("rb") as handle:
        start = handle.read(64)
    if start.startswith(b"PAR1"):
        yield from _parquet(path)
    elif start.removeprefix(_BOM).lstrip().startswith(b"["):
        found = _json(path.read_bytes().removeprefix(_BOM), str(path))
        yield from found if isinstance(found, list) else [found]
    else:
        yield from _lines(path)


@final
class _UnknownError(Exception):
    """Why rows stay unknown."""


def _each(data: Any) -> Iterable[Any]:
    """Rows of what can be read twice; nothing else is touched."""
    if hasattr(data, "iter") and hasattr(data, "with_format") and hasattr(data, "column_names"):
        return _columns(data)
    if isinstance(data, Sequence):
        return data
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return (data[n] for n in range(len(data)))
    raise _UnknownError(
        "its rows come one by one and only once; name their file with data=, or hand them through `Recorder.rows`"
    )


def _columns(data: Any) -> Iterator[Mapping[str, Any]]:
    if not hasattr(data, "__len__"):
        raise _UnknownError("a streamed dataset yields its rows while training; name its file with data=")
    for batch in data.with_format(None).iter(batch_size=_BATCH):
        names = list(batch)
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(names, values, strict=True))


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as handle:
        number = 0
        while line := handle.readline(DEFAULT.training_row + 1):
            number += 1
            if len(line) > DEFAULT.training_row:
                raise DataError(f"{path}, line {number}: over the limit of {DEFAULT.training_row:,} bytes")
            bare = line.removeprefix(_BOM) if number == 1 else line
            if bare.strip():
                yield _json(bare, f"{path}, line {number}")


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: no JSON: {error}") from error


def _parquet(path: Path) -> Iterator[Any]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(f"{path}: reading Parquet needs the package pyarrow") from error
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=_BATCH):
        yield from batch.to_pylist()
