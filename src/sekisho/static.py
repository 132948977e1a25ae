"""The static part: take the inventory, compare with the base, run every check, decide on the findings alone."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import checks, fingerprints, inventory, lineage, opinions, rulings, verdict
from sekisho import policy as policies
from sekisho.checks.base import Case
from sekisho.formats import rendering, rows, tensors, tokenising, vectors
from sekisho.records import Comparison, Finding, Inventory, Role, Verdict
from sekisho.rulings import Exceptions
from sekisho.sources import cache as caches
from sekisho.sources.resolve import Source, resolve

if TYPE_CHECKING:
    from sekisho.provenance.evidence import Evidence

INERT: Final = (Role.CARD, Role.LICENCE)
"""Roles that do not decide behaviour: another licence text is not another model."""

Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes of the model)."""

NOBODY: Final = "none"
"""`base` that keeps a base from being found by kinship."""


@dataclass(frozen=True)
class Reads:
    """How much of the files is read."""

    headers_only: bool = False
    """No file is read to its end: nothing is hashed, no number looked at, and nothing admitted."""
    progress: Progress | None = None
    opinions: tuple[str, ...] = ()
    """Other tools that look as well; picklescan always does where the policy lets pickles pass."""


WHOLE: Final = Reads()


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
    tables: rows.RowFacts | None = None
    """Of the tables with a row for each token."""
    exceptions: Exceptions = rulings.NONE
    """What the findings were held against."""
    origin: "Evidence | None" = None
    """What downloads recorded."""


def inspect(
    path: str | Path,
    base: str | Path | None = None,
    *,
    policy: str = "default",
    cache: Path | None = None,
    exceptions: Exceptions = rulings.NONE,
    reads: Reads = WHOLE,
) -> Inspection:
    """Look at every file of a model, load nothing. Raises UsageError if there is nothing to look at.

    Without a `base`, a fetched catalogue model that the weights are kin to serves as one; "none" prevents it.
    `exceptions` are suppressions and a baseline, from `rulings.load`.
    """
    chosen = policies.load(policy)
    where = cache or caches.folder()
    source = resolve(str(path), where)
    named = resolve(str(base), where) if base is not None and str(base) != NOBODY else None
    headers_only = reads.headers_only
    files = inventory.take(source.path, headers_only=headers_only, tick=_tick(source.path, reads.progress))
    kin = lineage.find(files, source.path, where) if base is None and not headers_only else None
    trusted, others, comparison, findings = _beside(files, named, kin, headers_only=headers_only)
    table_rows = None if headers_only else rows.measure(files, others, comparison)
    origin = None if headers_only else _gathered(files, source.path)
    case = Case(
        files,
        others,
        comparison,
        None if headers_only else vectors.measure(files, others),
        table_rows,
        origin=origin,
        rendered=None if headers_only else rendering.measure(files, others),
        tokenised=None if headers_only else tokenising.measure(files, others),
        known_pickles=chosen.pickle == "known-globals",
    )
    findings += _others(files, chosen, reads.opinions)
    findings = rulings.apply(findings + checks.run(case), fingerprints.files(files.files), chosen, exceptions)
    decided = verdict.decide(
        chosen,
        findings,
        claims=(),
        expected_cells=(),
        instrument=None,
        has_base=trusted is not None,
        dynamic=False,
    )
    return Inspection(source, trusted, files, others, findings, decided, table_rows, exceptions, origin)


def _gathered(files: Inventory, path: Path) -> "Evidence":
    from sekisho.provenance import evidence  # with what it imports a tenth of the start-up

    return evidence.gather(files, path, evidence.Request(), unlisted=False)


def _others(files: Inventory, policy: policies.Policy, asked: tuple[str, ...]) -> tuple[Finding, ...]:
    """What other tools say, with what they did not look at."""
    needed = policy.pickle != "refuse"
    names = dict.fromkeys((*(opinions.CORE if needed else ()), *asked))
    told = (opinions.judge(opinions.ask(name, files), needed=needed) for name in names)
    return tuple(finding for findings in told for finding in findings)


def _tick(path: Path, progress: Progress | None) -> Callable[[int], None] | None:
    if progress is None:
        return None
    total, done = inventory.weigh(path), 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        progress(done, max(done, total))

    return tick


def _beside(
    files: Inventory, named: Source | None, kin: lineage.Kin | None, *, headers_only: bool = False
) -> tuple[Source | None, Inventory | None, Comparison | None, tuple[Finding, ...]]:
    """The base as named, or as the weights show, or none."""
    if kin is not None:
        return kin.source, kin.inventory, kin.comparison, (kin.finding,)
    if named is None:
        return None, None, None, ()
    others = inventory.take(named.path, headers_only=headers_only)
    if headers_only:
        return named, others, None, ()
    return named, others, tensors.compare(files, others), ()


def identify(path: Path) -> str:
    """Identity of the model that lies at a path."""
    return identity(inventory.take(path))


def identity(files: Inventory) -> str:
    """sha256 over every file that may decide behaviour: all but cards and licences."""
    kept = Inventory(files.root, tuple(f for f in files.files if f.role not in INERT))
    return hashlib.sha256("\n".join(kept.digest_lines).encode("utf-8", "surrogateescape")).hexdigest()
