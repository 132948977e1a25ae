"""One read of a file: each block is hashed and, while it is in the processor's cache, its numbers are looked at.

Blocks end where tensors do, so that numbers lie aligned. A second thread for the hash was tried: handing blocks over costs
what it gains wherever the cores are not idle.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from sekisho.formats import carried
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.numeric.meter import Meter, meter
from sekisho.formats.numeric.patterns import INTEGERS
from sekisho.formats.numeric.records import NumericFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.limits import MIB
from sekisho.records import FormatFacts

Tick = Callable[[int], None]
"""Called with the bytes just read."""

_BLOCK: Final = MIB


@final
@dataclass(frozen=True)
class Streamed:
    """What one read of a file gave."""

    sha256: str = ""
    """Empty where it was not read."""
    numeric: NumericFacts | None = None
    """None where the file has no tensors that are listed."""


@final
@dataclass(frozen=True)
class _Stretch:
    start: int
    end: int
    meter: Meter | None = None
    gap: bool = False
    """Between two tensors or after the last, where only zeros belong."""
    name: str = ""
    dtype: str = ""
    """Of the tensor; empty where there is none."""

    @property
    def step(self) -> int:
        """Bytes of one block: whole rows, or whole elements of a long row."""
        if self.meter is None:
            return _BLOCK
        whole = self.meter.row_bytes
        whole = whole if 0 < whole <= _BLOCK else self.meter.unit
        return _BLOCK // whole * whole


def stream(path: Path, facts: FormatFacts | None = None, *, tick: Tick | None = None) -> Streamed:
    """Read a file to its end. Raises OSError, also where it is no longer what it was when its header was read."""
    with path.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        listed = _stretches(facts, before.st_size)
        digest = hashlib.sha256()
        made = _Pass(file, digest.update, tick)
        count = made.over(listed)
        count += len(file.read(1))  # files of the system itself say that they are empty, and are not
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or count != after.st_size:
        raise OSError("the file changed while it was read")
    return Streamed(digest.hexdigest(), _facts(facts, listed, made.used, made.carried))


@final
class _Pass:
    """The loop over blocks."""

    def __init__(self, file: FileIO, update: Callable[[Any], None], tick: Tick | None) -> None:
        self._file, self._update, self._tick = file, update, tick
        self._buffer = np.empty(_BLOCK, dtype=np.uint8)
        self.used = 0
        """Bytes of gaps that are not zero."""
        self.carried: list[tuple[str, str]] = []
        """(tensor, kind) of those that begin as a file of another kind."""

    def over(self, stretches: Sequence[_Stretch]) -> int:
        """Read every stretch in order; return the bytes read."""
        done = 0
        for stretch in stretches:
            at = stretch.start
            while at < stretch.end:
                got = self._block(min(stretch.step, stretch.end - at), stretch)
                if not got:
                    return done
                if at == stretch.start and stretch.name:
                    self._look(stretch, got)
                at, done = at + got, done + got
        return done

    def _look(self, stretch: _Stretch, got: int) -> None:
        """At how a tensor begins."""
        head = self._buffer[: min(got, carried.HEAD)].tobytes()
        if found := carried.kind(stretch.name, stretch.dtype, head):
            self.carried.append((stretch.name, found))

    def _block(self, wanted: int, stretch: _Stretch) -> int:
        view, filled = self._buffer.data, 0
        while filled < wanted and (got := self._file.readinto(view[filled:wanted])):
            filled += got
        self._update(view[:filled])
        if stretch.meter is not None and filled == wanted:
            stretch.meter.add(self._buffer[:filled])
        if stretch.gap:
            self.used += int(np.count_nonzero(self._buffer[:filled]))
        if self._tick:
            self._tick(filled)
        return filled


def _stretches(facts: FormatFacts | None, size: int) -> tuple[_Stretch, ...]:
    """Cut a file where its tensors begin and end; what lies between them is hashed only."""
    return tuple(_cut(facts, size))


def _cut(facts: FormatFacts | None, size: int) -> Iterator[_Stretch]:
    at = 0
    for name, dtype, shape, start, end in _tensors(facts):
        if at <= start < end <= size:
            if start > at:
                yield _Stretch(at, start, gap=at > 0)
            yield _Stretch(start, end, meter(name, dtype, shape, end - start), name=name, dtype=dtype)
            at = end
    if at < size:
        yield _Stretch(at, size, gap=at > 0)


def _tensors(facts: FormatFacts | None) -> Iterator[tuple[str, str, tuple[int, ...], int, int]]:
    """Name, type, shape with the fastest dimension last, start and end, in the order of the file."""
    if isinstance(facts, SafetensorsFacts):
        yield from ((t.name, t.dtype, t.shape, t.start, t.end) for t in facts.tensors)
    elif isinstance(facts, GgufFacts):
        yield from ((t.name, t.dtype, t.shape[::-1], t.start, t.end) for t in facts.tensors)


def _facts(
    facts: FormatFacts | None, stretches: Sequence[_Stretch], used: int, found: list[tuple[str, str]]
) -> NumericFacts | None:
    sizes: dict[str, int] = {}
    for _, dtype, _, start, end in _tensors(facts):
        sizes[dtype] = sizes.get(dtype, 0) + end - start
    if not isinstance(facts, SafetensorsFacts | GgufFacts):
        return None
    metered = [(s.end - s.start, s.meter) for s in stretches if s.meter is not None]
    read = {m.dtype for _, m in metered}
    return NumericFacts(
        tensors=tuple(m.facts() for _, m in metered),
        looked=sum(size for size, _ in metered),
        integers=sum(n for dtype, n in sizes.items() if dtype in INTEGERS),
        unknown=tuple((d, n) for d, n in sorted(sizes.items()) if d not in INTEGERS and d not in read and n),
        padding_used=used,
        carried=tuple(found),
    )
