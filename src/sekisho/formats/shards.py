"""Weights spread over several files: what an index says against what the files hold."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, final

from sekisho.formats.json_config import JsonFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.text import shown
from sekisho.records import FileFact, Role

_NUMBERED: Final = re.compile(r"(?P<stem>.+)-(?P<at>\d{5})-of-(?P<all>\d{5})(?P<suffix>\.[a-z]+)")
_MOST_SHARDS: Final = 10_000


@final
@dataclass(frozen=True)
class Mismatch:
    """One disagreement between files."""

    file: str
    """Where it shows: the index, or a shard."""
    reason: str
    """Stable code."""
    name: str
    """The shard, path or tensor it is about."""


def is_index(fact: FileFact) -> bool:
    """Say whether a file is the index of shards."""
    named = fact.path.endswith(".index.json")
    document = fact.facts.document if isinstance(fact.facts, JsonFacts) else None
    return isinstance(document, dict) and (named or "weight_map" in document)


def mismatches(files: tuple[FileFact, ...]) -> Iterator[Mismatch]:
    """Yield every disagreement among indexes and shards."""
    by_path = {fact.path: fact for fact in files}
    for fact in files:
        if is_index(fact) and isinstance(fact.facts, JsonFacts):
            yield from _index(fact, fact.facts.document, by_path)
    yield from _numbering(by_path)
    yield from _twice(files)


def _index(
    index: FileFact, document: Mapping[str, Any], by_path: Mapping[str, FileFact]
) -> Iterator[Mismatch]:
    table = document.get("weight_map")
    if not isinstance(table, dict) or not table or not all(isinstance(v, str) for v in table.values()):
        yield Mismatch(index.path, "index-malformed", "weight_map")
        return
    folder = PurePosixPath(index.path).parent
    shards = dict.fromkeys(table.values())
    outside = [name for name in shards if _leads_out(name)]
    yield from (Mismatch(index.path, "index-outside", shown(name)) for name in outside)
    paths = {name: str(folder / name) for name in shards if name not in outside}
    missing = [name for name, path in paths.items() if path not in by_path]
    yield from (Mismatch(index.path, "shard-missing", shown(name)) for name in missing)
    present = {name: by_path[path].facts for name, path in paths.items() if path in by_path}
    held = {name: facts for name, facts in present.items() if isinstance(facts, SafetensorsFacts)}
    yield from _listing(index.path, table, held)
    if not outside and len(held) == len(shards):
        yield from _total(index.path, document, held)


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or ":" in name
        or "\x00" in name
        or not path.name
    )


def _listing(path: str, table: Mapping[str, str], held: Mapping[str, SafetensorsFacts]) -> Iterator[Mismatch]:
    """Compare tensors listed with tensors held, shard by shard."""
    by_shard: dict[str, set[str]] = {shard: set() for shard in held}
    for tensor, shard in table.items():
        by_shard.get(shard, set()).add(tensor)
    for shard, facts in held.items():
        there, listed = {tensor.name for tensor in facts.tensors}, by_shard[shard]
        yield from (Mismatch(path, "tensor-missing", shown(name)) for name in sorted(listed - there))
        yield from (Mismatch(path, "tensor-unlisted", shown(name)) for name in sorted(there - listed))


def _total(
    path: str, document: Mapping[str, Any], held: Mapping[str, SafetensorsFacts]
) -> Iterator[Mismatch]:
    metadata = document.get("metadata")
    claimed = metadata.get("total_size") if isinstance(metadata, dict) else None
    actual = sum(t.end - t.start for facts in held.values() for t in facts.tensors)
    if claimed is not None and claimed != actual:
        yield Mismatch(path, "total-size", f"{shown(str(claimed))} / {actual}")


def _numbering(by_path: Mapping[str, FileFact]) -> Iterator[Mismatch]:
    """Shards are numbered i-of-n; report the numbers that are not there."""
    series: dict[tuple[str, int, str], str] = {}
    for path in by_path:
        match = _NUMBERED.fullmatch(path)
        if match and 0 < int(match["all"]) <= _MOST_SHARDS:
            series.setdefault((match["stem"], int(match["all"]), match["suffix"]), path)
    for (stem, count, suffix), witness in series.items():
        names = (f"{stem}-{at:05}-of-{count:05}{suffix}" for at in range(1, count + 1))
        yield from (Mismatch(witness, "shard-missing", shown(name)) for name in names if name not in by_path)


def _twice(files: tuple[FileFact, ...]) -> Iterator[Mismatch]:
    """Report tensors that two weight files of one folder both hold: which one loads is anybody's guess."""
    folders: dict[PurePosixPath, list[FileFact]] = {}
    for fact in files:
        if fact.role is Role.WEIGHTS and isinstance(fact.facts, SafetensorsFacts):
            folders.setdefault(PurePosixPath(fact.path).parent, []).append(fact)
    for facts in folders.values():
        counted = Counter(
            t.name for f in facts if isinstance(f.facts, SafetensorsFacts) for t in f.facts.tensors
        )
        yield from (
            Mismatch(facts[-1].path, "tensor-twice", shown(n)) for n, times in counted.items() if times > 1
        )
