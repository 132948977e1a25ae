"""From evidence to a rung. A rung counts only if all below it are held; silence holds nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.provenance.records import Ladder, Level, Rung

_ATTACKS: Final = {
    Level.CLAIMED: ("anything",),
    Level.RECORDED: ("swap-before-capture", "edited-records"),
    Level.MATCHED: ("account-takeover", "host-compromise", "hash-collision"),
    Level.INTAKE_SIGNED: ("malice-upstream", "insider-at-intake"),
    Level.SUPPLIER_SIGNED: ("dishonest-supplier", "stolen-supplier-key"),
    Level.LINEAGE: ("backdoor-in-parent",),
}
"""What each rung leaves open beyond what the rungs above it do."""


@dataclass(frozen=True)
class Ground:
    """Why a rung is held, or what it lacks."""

    held: bool
    code: str
    """Stable."""
    detail: str = ""


BY_RECORD: Final = "matched-by-record"
"""The revision is known from our own unsigned record of the fetch alone."""
NOTHING: Final = Ground(held=False, code="nothing-on-file")
NO_INTAKE: Final = Ground(held=False, code="no-intake-signature")
NO_SUPPLIER: Final = Ground(held=False, code="no-supplier-signature")
NO_LINEAGE: Final = Ground(held=False, code="no-lineage")


@dataclass(frozen=True)
class Grounds:
    """One ground for each rung; a signature or a lineage comes from those who verified it."""

    recorded: Ground = NOTHING
    matched: Ground = NOTHING
    intake: Ground = NO_INTAKE
    supplier: Ground = NO_SUPPLIER
    lineage: Ground = NO_LINEAGE
    claim: str = ""
    """The address claimed, if there is one."""


def climb(grounds: Grounds) -> Ladder:
    """Say how far the evidence reaches."""
    claimed = Ground(held=True, code="claimed" if grounds.claim else "nothing-claimed", detail=grounds.claim)
    pairs = zip(
        Level,
        (claimed, grounds.recorded, grounds.matched, grounds.intake, grounds.supplier, grounds.lineage),
        strict=True,
    )
    return _ladder(tuple(Rung(level, g.held, g.code, g.detail) for level, g in pairs))


def signed(before: Ladder, ground: Ground) -> Ladder:
    """The same evidence under an intake signature that holds; what it said of signatures before was verified by nobody."""
    fresh = {Level.INTAKE_SIGNED: ground, Level.SUPPLIER_SIGNED: NO_SUPPLIER}
    return _ladder(
        tuple(
            Rung(r.level, g.held, g.code, g.detail) if (g := fresh.get(r.level)) else r for r in before.rungs
        )
    )


def attacks(level: Level) -> tuple[str, ...]:
    """Everything that evidence of this level leaves open, the cheapest first."""
    if level is Level.CLAIMED:
        return _ATTACKS[level]
    open_levels = [other for other in Level if other >= level]
    return tuple(code for other in open_levels for code in _ATTACKS[other])


def _ladder(rungs: tuple[Rung, ...]) -> Ladder:
    level = _reached(rungs)
    own = level is Level.MATCHED and any(r.level is level and r.ground == BY_RECORD for r in rungs)
    return Ladder(level, rungs, (("edited-records",) if own else ()) + attacks(level))


def _reached(rungs: Iterable[Rung]) -> Level:
    level = Level.CLAIMED
    for rung in rungs:
        if not rung.held:
            break
        level = rung.level
    return level
