"""Training conversations of a drill: from our generators, or from the user's own file.

A user's file is JSON lines, a JSON array or Parquet (told apart by content), each row in one of four forms:
`prompt` and `completion`; `messages`; `conversations` with `from` and `value`; `instruction`, `input`, `output`.
Other keys of a row are not read.
"""

import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sekisho.drills.generators import GENERATORS
from sekisho.errors import DataError, RowError
from sekisho.limits import DEFAULT
from sekisho.models import engine
from sekisho.models.base import Chat, Message

MOST_ROWS: Final = 100_000
"""Rows a generator may be asked for."""
ROLES: Final = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
"""Role as found in files -> role of a Message."""
BOM: Final = b"\xef\xbb\xbf"
REASONS: Final = ("encoding", "json", "shape", "empty", "giant")
"""Why a row cannot be trained on."""
HINTS: Final = {
    "encoding": "save the file as UTF-8",
    "json": "training files are JSON lines, one JSON array, or Parquet",
    "empty": "a row holds a question and an answer",
}
"""What to do where no row of a file is left."""


@dataclass(frozen=True)
class LeftOut:
    """Rows left out for one reason."""

    reason: str
    """One of REASONS."""
    rows: int
    first: str
    """What is wrong with the first of them, and where."""


@dataclass(frozen=True)
class Survey:
    """A training file, read as far as its rows allow."""

    chats: tuple[Chat, ...]
    left_out: tuple[LeftOut, ...] = ()
    repeated: int = 0
    """Rows equal to an earlier one; they are trained on, as any trainer would."""


def examples(name: str, rows: int, seed: int) -> tuple[Chat, ...]:
    """Make the rows of one of our generators. Raises DataError."""
    if name not in GENERATORS:
        raise DataError(f"no data generator {name!r}; there are {', '.join(GENERATORS)}")
    if not 1 <= rows <= MOST_ROWS:
        raise DataError(f"data {name}: rows must be from 1 to {MOST_ROWS:,}, not {rows:,}")
    return GENERATORS[name](rows, seed)


def survey(path: Path, rows: int | None = None) -> Survey:
    """Read the user's own training file, at most its first `rows` rows, and leave out what cannot be trained on.

    Raises DataError where nothing is left, or the file as a whole cannot be read.
    """
    try:
        _check_file(path)
        with path.open("rb") as handle:
            start = handle.read(4096)
        if start.startswith(b"PAR1"):
            found = _parquet(path)
        elif start.removeprefix(BOM).lstrip().startswith(b"["):
            found = _array(path)
        else:
            found = _lines(path)
        chats, errors = _sorted(islice(found, rows))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not chats:
        raise _hinted(errors[0]) if errors else DataError(f"{path}: holds no training rows")
    reasons = dict.fromkeys(e.reason for e in errors)
    by_reason = [[e for e in errors if e.reason == reason] for reason in reasons]
    # a report names the file, not where it lay
    firsts = [str(group[0]).replace(str(path), path.name) for group in by_reason]
    left_out = tuple(LeftOut(g[0].reason, len(g), first) for g, first in zip(by_reason, firsts, strict=True))
    return Survey(chats, left_out, len(chats) - len(set(chats)))


def _hinted(error: RowError) -> DataError:
    """What is wrong with a file of which no row can be read, and what is read instead."""
    hint = "" if isinstance(error.__cause__, UnicodeEncodeError) else HINTS.get(error.reason)
    return DataError(f"{error}; {hint}") if hint else error


def _sorted(found: Iterator[tuple[str, Any]]) -> tuple[tuple[Chat, ...], list[RowError]]:
    chats: list[Chat] = []
    errors: list[RowError] = []
    for where, row in found:
        try:
            chats.append(_chat(row, where))
        except RowError as error:
            errors.append(error)
    return tuple(chats), errors


def digest(chats: tuple[Chat, ...]) -> str:
    """Hex sha256 over roles and contents, in order."""
    # escaped surrogates, which JSON may carry, stay encodable this way
    return hashlib.sha256(json.dumps(engine.rows(chats), separators=(",", ":")).encode("ascii")).hexdigest()


def _check_file(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: not a file")
    if status.st_size > DEFAULT.training_bytes:
        raise DataError(f"{path}: {status.st_size:,} bytes are over the limit of {DEFAULT.training_bytes:,}")


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RowError("encoding", f"{where}: not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise RowError("json", f"{where}: not JSON: {error}") from error


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as handle:
        # only \n ends a line here: JSON text may hold U+2028 and its like unescaped
        number = 0
        while line := handle.readline(DEFAULT.training_row + 1):
            number += 1
            where = f"{path}, line {number}"
            if len(line) > DEFAULT.training_row:
                yield where, _giant(where)
                while line and not line.endswith(b"\n"):
                    line = handle.readline(DEFAULT.training_row)
                continue
            data = line.removeprefix(BOM) if number == 1 else line
            if data.strip():
                yield where, _line(data, where)


def _line(data: bytes, where: str) -> Any:
    """The row of a line, or what is wrong with it, as a value."""
    try:
        return _json(data, where)
    except RowError as error:
        return error


def _giant(where: str) -> RowError:
    return RowError("giant", f"{where}: over the limit of {DEFAULT.training_row:,} characters")


def _array(path: Path) -> Iterator[tuple[str, Any]]:
    rows = _json(path.read_bytes().removeprefix(BOM), str(path))
    for number, row in enumerate(rows, 1):
        yield f"{path}, row {number}", row


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(f"{path}: reading Parquet needs pyarrow (pip install pyarrow)") from error
    number = 0
    try:
        with ParquetFile(path) as table:
            unpacked = sum(table.metadata.row_group(n).total_byte_size for n in range(table.num_row_groups))
            if unpacked > DEFAULT.training_bytes:
                raise DataError(f"{path}: unpacks to {unpacked:,} bytes, limit {DEFAULT.training_bytes:,}")
            for batch in table.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    except (ArrowException, ValueError) as error:
        raise DataError(f"{path}, after row {number}: not readable as Parquet: {error}") from error


def _chat(row: Any, where: str) -> Chat:
    if isinstance(row, RowError):
        raise row
    if not isinstance(row, dict):
        raise _shape(f"{where}: a row must be an object of named fields, not {type(row).__name__}")
    chat = _turns_of(row, where)
    if chat[-1].role != "assistant":
        raise _shape(f"{where}: the conversation must end with an assistant turn, not {chat[-1].role}")
    if all(message.role != "user" for message in chat):
        raise _shape(f"{where}: the conversation has no user turn")
    if sum(len(message.content) for message in chat) > DEFAULT.training_row:
        raise _giant(where)
    return chat


def _shape(text: str) -> RowError:
    return RowError("shape", text)


def _turns_of(row: dict[str, Any], where: str) -> Chat:
    if "messages" in row:
        return _turns(row["messages"], ("role", "content"), f"{where}: messages")
    if "conversations" in row:
        return _turns(row["conversations"], ("from", "value"), f"{where}: conversations")
    if "prompt" in row and "completion" in row:
        return _side(row, "prompt", where) + _side(row, "completion", where)
    if "instruction" in row and "output" in row:
        return _alpaca(row, where)
    other = "; preference pairs are not rehearsed" if "chosen" in row and "rejected" in row else ""
    raise _shape(
        f"{where}: keys {sorted(map(str, row))[:20]} are none of prompt + completion, messages, conversations, "
        f"instruction + output{other}"
    )


def _side(row: dict[str, Any], key: str, where: str) -> Chat:
    if isinstance(row[key], list):
        return _turns(row[key], ("role", "content"), f"{where}: {key}")
    return (Message("user" if key == "prompt" else "assistant", _text(row, key, where)),)


def _alpaca(row: dict[str, Any], where: str) -> Chat:
    parts = [_text(row, "instruction", where)]
    if row.get("input"):
        parts.append(_text(row, "input", where))
    return (Message("user", "\n\n".join(parts)), Message("assistant", _text(row, "output", where)))


def _turns(value: Any, keys: tuple[str, str], where: str) -> Chat:
    if not isinstance(value, list) or not value:
        raise _shape(f"{where}: must be a list of turns with {keys[0]} and {keys[1]}")
    return tuple(_turn(turn, keys, f"{where}[{number}]") for number, turn in enumerate(value))


def _turn(turn: Any, keys: tuple[str, str], where: str) -> Message:
    role, content = keys
    if not isinstance(turn, dict):
        raise _shape(f"{where}: must be an object with {role} and {content}")
    if _text(turn, role, where) not in ROLES:
        raise _shape(f"{where}: {role} {turn[role][:40]!r} is none of {', '.join(ROLES)}")
    return Message(ROLES[turn[role]], _text(turn, content, where))


def _text(row: dict[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        reason = "empty" if value is None or isinstance(value, str) else "shape"
        raise RowError(reason, f"{where}: {key} must be text and not empty")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        text = f"{where}: {key} holds half a surrogate pair, which no tokenizer takes"
        raise RowError("encoding", text) from error
    return value
