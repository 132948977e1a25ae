"""JSON documents: config.json and its siblings, adapter and generation settings, sharded indexes.

tokenizer.json has its own reader; every other JSON file of a model is read here, tokenizer_config.json included.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats.base import Format
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_OPENING: Final = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[\]{"0-9tfn-])')
_OPENS: Final = bytes.maketrans(b"{}", b"[]")
_NEITHER: Final = bytes(set(range(256)) - set(b'[]{}"'))
"""Every byte but brackets and quotes."""


@final
@dataclass(frozen=True)
class JsonFacts(FormatFacts):
    """A parsed document."""

    document: Any = field(repr=False, hash=False)
    """Plain dicts, lists and scalars; treat as read-only."""
    duplicate_keys: tuple[str, ...] = ()
    """Keys given twice in one object; parsers differ on which one counts."""


def sniff(head: bytes, filename: str) -> bool:
    """Recognise JSON by its opening bracket, or by its name where even that is missing."""
    opens = _OPENING.match(head.removeprefix(b"\xef\xbb\xbf")) is not None
    return filename.lower().endswith(".json") or (opens and b"\x00" not in head and not _is_lines(filename))


def read(path: Path, limits: Limits) -> JsonFacts:
    """Parse a JSON file; vocabularies and shard indexes may be longer than settings."""
    long = path.name.lower().endswith((".index.json", "vocab.json"))
    limit = limits.json_bytes if long else limits.config_bytes
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise LimitError("JSON document in bytes", path.stat().st_size, limit)
    return parse(data, limits)


def parse(data: bytes, limits: Limits) -> JsonFacts:
    """Parse JSON text, depth-limited, noting duplicate keys; other readers use it for JSON inside their formats."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"JSON is not UTF-8 at byte {error.start}") from error
    _bound_depth(data, limits)
    duplicates: list[str] = []
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, duplicates))
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"JSON does not parse: {error}") from error
    return JsonFacts(document, tuple(dict.fromkeys(duplicates)))


def _object(pairs: list[tuple[str, Any]], duplicates: list[str]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        duplicates.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return result


def _bound_depth(data: bytes, limits: Limits) -> None:
    """Count brackets outside strings and peel them off level by level, before the recursive parser sees them."""
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_OPENS, _NEITHER)
    brackets = b"".join(bare.split(b'"')[::2])
    containers = brackets.count(b"[")
    if containers > limits.json_containers:
        raise LimitError("JSON objects and lists", containers, limits.json_containers)
    for _ in range(limits.json_depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets:
        raise LimitError("JSON nesting depth", limits.json_depth + 1, limits.json_depth)


def _is_lines(filename: str) -> bool:
    return filename.lower().endswith((".jsonl", ".ndjson"))


FORMAT: Final = Format("json", sniff, read)
