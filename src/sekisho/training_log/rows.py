"""Training rows by their content: a digest over all, a Merkle root, and hashes that tell which row differs.

A row is written as canonical JSON: sorted keys, no spaces, UTF-8; a key whose value is null is as good as absent, since
Arrow tables cannot tell the two apart. The order of rows counts. The tree is that of RFC 6962, with the larger half to the left.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

MARKS: Final = 65_536
"""Hashes kept to find a row by; of more rows each hash stands for a block of 2, 4, 8, ... rows."""
_MARK: Final = 16
"""Hex digits of such a hash; the root vouches for the whole."""


@final
@dataclass(frozen=True)
class Rows:
    """What is kept of rows."""

    count: int
    digest: str
    """sha256 over the canonical rows, each with a line feed after it."""
    root: str
    """Merkle root; sha256 of nothing where there are no rows."""
    block: int
    """Rows that one mark stands for: a power of two."""
    marks: tuple[str, ...]
    """In order: the first digits of the root of each block."""


def canonical(row: Any) -> bytes:
    """A row's bytes. Raises TypeError for what is no data: objects, functions, images."""
    text = json.dumps(_plain(row), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def take(rows: Iterable[Any]) -> Rows:
    """Hash rows in their order. Raises TypeError."""
    growing = Growing()
    for row in rows:
        growing.add(row)
    return growing.done()


@final
@dataclass
class Growing:
    """Rows that come one by one; the one thing here that changes."""

    leaves: list[bytes] = field(default_factory=list)
    _all: Any = field(default_factory=hashlib.sha256)

    def add(self, row: Any) -> None:
        """Take in the next row. Raises TypeError."""
        data = canonical(row)
        self._all.update(data)
        self._all.update(b"\n")
        self.leaves.append(hashlib.sha256(b"\0" + data).digest())

    def done(self) -> Rows:
        """What is kept of all rows so far."""
        block = 1
        while len(self.leaves) > block * MARKS:
            block *= 2
        nodes = [merkle(self.leaves[n : n + block]) for n in range(0, len(self.leaves), block)]
        marks = tuple(node.hex()[:_MARK] for node in nodes)
        # blocks are whole subtrees of the RFC's tree, so the root of their roots is the root of all rows
        return Rows(len(self.leaves), self._all.hexdigest(), merkle(nodes).hex(), block, marks)


def merkle(nodes: Sequence[bytes]) -> bytes:
    """The root over raw hashes, as RFC 6962 has it."""
    if not nodes:
        return hashlib.sha256(b"").digest()
    level = list(nodes)
    while len(level) > 1:  # pairs from the left, an odd one moves up: the same tree
        paired = [
            hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + (level[-1:] if len(level) % 2 else [])
    return level[0]


def differing(old: Rows, new: Rows) -> tuple[tuple[int, int], ...]:
    """Spans of rows (first and last, from 1, in `old`) whose content is not as it was.

    Where rows were put in or taken out, everything between the first and the last change is one span.
    """
    if old.block != new.block:
        return ((1, old.count),)
    if len(old.marks) == len(new.marks):
        wrong = [n for n, pair in enumerate(zip(old.marks, new.marks, strict=True)) if pair[0] != pair[1]]
        return tuple((n * old.block + 1, min((n + 1) * old.block, old.count)) for n in wrong)
    shorter = min(len(old.marks), len(new.marks))
    head = next((n for n in range(shorter) if old.marks[n] != new.marks[n]), shorter)
    tail = 0
    while tail < shorter - head and old.marks[-1 - tail] == new.marks[-1 - tail]:
        tail += 1
    return (
        (head * old.block + 1, max(head * old.block, min((len(old.marks) - tail) * old.block, old.count))),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float)):
        return value
    if hasattr(value, "tolist"):  # a tensor, an array, one of their numbers
        return _plain(value.tolist())
    raise TypeError(f"{type(value).__name__} is no data that can be written down")
