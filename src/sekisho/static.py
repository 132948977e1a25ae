"""The static part: take the inventory, compare with the base, run every check, decide on the findings alone."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho import checks, inventory, verdict
from sekisho import policy as policies
from sekisho.checks.base import Case
from sekisho.formats import tensors
from sekisho.records import Finding, Inventory, Role, Verdict
from sekisho.sources import cache as caches
from sekisho.sources.resolve import Source, resolve

INERT: Final = (Role.CARD, Role.LICENCE)
"""Roles that do not decide behaviour: another licence text is not another model."""


@dataclass(frozen=True)
class Inspection:
    """What the files show."""

    source: Source
    base: Source | None
    inventory: Inventory
    base_inventory: Inventory | None
    findings: tuple[Finding, ...]
    verdict: Verdict
    """On the files alone: an ADMIT here says nothing about behaviour."""


def inspect(
    path: str | Path, base: str | Path | None = None, *, policy: str = "default", cache: Path | None = None
) -> Inspection:
    """Look at every file of a model, load nothing. Raises UsageError if there is nothing to look at."""
    chosen = policies.load(policy)
    where = cache or caches.folder()
    source = resolve(str(path), where)
    trusted = None if base is None else resolve(str(base), where)
    files = inventory.take(source.path)
    others = inventory.take(trusted.path) if trusted else None
    comparison = tensors.compare(files, others) if others else None
    findings = checks.run(Case(files, others, comparison))
    decided = verdict.decide(
        chosen,
        findings,
        claims=(),
        expected_cells=(),
        instrument=None,
        has_base=trusted is not None,
        dynamic=False,
    )
    return Inspection(source, trusted, files, others, findings, decided)


def identity(files: Inventory) -> str:
    """sha256 over every file that may decide behaviour: all but cards and licences."""
    kept = Inventory(files.root, tuple(f for f in files.files if f.role not in INERT))
    return hashlib.sha256("\n".join(kept.digest_lines).encode("utf-8", "surrogateescape")).hexdigest()
