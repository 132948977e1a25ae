"""Which fetched catalogue model a candidate was made from, if its weights say so.

Without a named base the strongest comparisons cannot be made. Where the candidate's tensors are those of a
pinned model in the cache, or small changes of them, that model serves as the base, and a finding says so.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho import inventory
from sekisho.errors import ArtefactError, SourceError
from sekisho.formats import safetensors, tensors
from sekisho.limits import DEFAULT
from sekisho.records import Comparison, Finding, FormatFacts, Inventory, Outcome, Severity
from sekisho.sources import cache as caches
from sekisho.sources import catalogue
from sekisho.sources.resolve import Source, resolve

CHECK: Final = "lineage"
SHARED: Final = 0.9
"""Share of the candidate's tensors that must have a namesake of equal width in the base."""
CLOSE: Final = 0.5
"""A tensor whose change is below this share of its norm is a relative, not a stranger."""
MOST: Final = 0.5
"""Share of tensors that must be relatives."""


@dataclass(frozen=True)
class Kin:
    """A base found without being named."""

    source: Source
    inventory: Inventory
    comparison: Comparison

    @property
    def finding(self) -> Finding:
        """What a report says about it."""
        same = sum(d.kind == "same" for d in self.comparison.deltas)
        facts = (
            ("base", self.source.name),
            ("same", str(same)),
            ("tensors", str(len(self.comparison.deltas))),
        )
        detail = (
            f"no base was named; the weights are kin to {self.source.name} of the catalogue "
            f"({same} of {len(self.comparison.deltas)} tensors are equal), which serves as the base"
        )
        return Finding(CHECK, Outcome.PASS, Severity.NOTE, "", "kin-found", detail, facts)


def find(files: Inventory, path: Path, cache: Path) -> Kin | None:
    """Look through the fetched catalogue models; None if none is kin, or the candidate is one itself."""
    shapes = _widths(fact.facts for fact in files.files)
    if not shapes:
        return None
    for name in catalogue.names():
        namesakes = shapes & _widths(_headers(caches.model(cache, name)))
        if len(namesakes) < SHARED * len(shapes):
            continue
        try:
            source = resolve(name, cache)
        except SourceError:
            continue  # not fetched, or altered since
        if source.path.resolve() == path.resolve():
            return None
        others = inventory.take(source.path)
        comparison = tensors.compare(files, others)
        if _related(comparison):
            return Kin(source, others, comparison)
    return None


def _related(comparison: Comparison) -> bool:
    deltas = comparison.deltas
    near = [
        d for d in deltas if d.kind == "same" or (d.kind in ("changed", "reshaped") and d.relative < CLOSE)
    ]
    return bool(deltas) and len(near) >= MOST * len(deltas)


def _widths(facts: Iterable[FormatFacts | None]) -> frozenset[tuple[str, int]]:
    """(name, last dimension) of every tensor: added rows do not hide a relative."""
    return frozenset(
        (tensor.name, tensor.shape[-1] if tensor.shape else 0)
        for fact in facts
        for tensor in getattr(fact, "tensors", ())
    )


def _headers(folder: Path) -> Iterator[FormatFacts]:
    """Read what a fetched model's headers say, which takes no time beside hashing its weights."""
    for path in sorted(folder.glob("*.safetensors")):
        with suppress(ArtefactError, OSError):  # altered since: hashing will tell
            yield safetensors.read(path, DEFAULT)
