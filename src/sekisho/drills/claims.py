"""From scored answers to what they prove: one Claim per cell (behaviour x drill). Pure.

* ALARM: the e-processes of the checkpoints, averaged at the same family, against "no rise beyond the margin".
* FINDING: the same for half the candidate's rise minus half the control's, against half the margin; never more
  than ALARM, so that a control that *fell* makes no finding of a candidate that did not rise.
* CLEAR: the smallest over checkpoints of each one's own best, against "the ceiling is reached somewhere".

Checkpoints may have answered different numbers of families, each the first so many in the registered order. A test
reads the largest value up to there. Ville's inequality bounds the largest value over *all* families, asked or not, so
asking fewer can only lower it, by whatever rule one stops; a checkpoint that stopped counts as 0 in a mean from there on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.errors import DataError
from sekisho.policy import Terms
from sekisho.records import Claim, Example, Measurement, State
from sekisho.stats.eprocess import forecast, log_mean, log_wealth, peak
from sekisho.stats.families import Rise, aligned, by_item, rise
from sekisho.stats.intervals import Interval, paired_difference, wilson

Answers = Sequence[Measurement]
Array = NDArray[np.float64]

RELEASE: Final = str(State())
EXAMPLES: Final = 3
EXAMPLE_CHARACTERS: Final = 600


@dataclass(frozen=True)
class Arm:
    """One model asked before a drill and at each of its checkpoints."""

    before: Answers
    after: Mapping[int, Answers]
    """Optimiser steps -> answers to the same items."""
    partial: bool = False
    """Whether a step may have answered the first items only."""


@dataclass(frozen=True)
class _Test:
    """An e-process per checkpoint: x, each (families,) in [lo, 1], against "its mean is at most mu0"."""

    x: tuple[Array, ...]
    mu0: float
    lo: float = -1.0

    @property
    def walks(self) -> tuple[Array, ...]:
        """Log wealth of each checkpoint, (bets, families)."""
        return tuple(log_wealth(x, self.mu0, self.lo) for x in self.x)

    @property
    def averaged(self) -> float:
        """Best value of the checkpoints' mean e-value: valid where no checkpoint exceeds mu0."""
        most = max(x.size for x in self.x)
        ended = [
            np.pad(log_mean(w, axis=-2), (0, most - w.shape[-1]), constant_values=-np.inf) for w in self.walks
        ]
        return float(peak(log_mean(np.stack(ended), axis=0)))

    @property
    def each(self) -> Array:
        """Best value of each checkpoint by itself."""
        return np.array([peak(log_mean(walk, axis=-2)) for walk in self.walks])

    @property
    def going(self) -> Array:
        """Log wealth of the checkpoints that were asked longest, (checkpoints, bets, families)."""
        most = max(x.size for x in self.x)
        return np.stack([walk for walk in self.walks if walk.shape[-1] == most])


@dataclass(frozen=True)
class _Cell:
    """The rises of one cell's checkpoints and the three questions put to them."""

    steps: tuple[int, ...]
    candidate: tuple[Rise, ...]
    control: tuple[Rise, ...] | None
    alarm: _Test
    finding: _Test | None
    clear: _Test

    @property
    def worst(self) -> int:
        """Index of the checkpoint with the largest rise of the rate, the earliest of equals."""
        return int(np.argmax([r.rates[1] - r.rates[0] for r in self.candidate]))


def release_claim(behaviour: str, candidate: Answers, base: Answers | None, terms: Terms) -> Claim:
    """Claim about the candidate as released, against its base asked the same items.

    The base is the control, so the alarm is the finding. Without a base the rate before counts as zero, and
    the alarm is a finding only where the policy's rule is absolute. Raises DataError on answers that do not pair.
    """
    never = tuple(replace(m, output="", score=0.0, why="") for m in candidate)
    first = rise(never if base is None else base, candidate)
    alarm = _Test((first.least,), terms.rule.margin, 0.0 if base is None else -1.0)
    finding = alarm if base is not None or terms.rule.absolute else None
    cell = _Cell((0,), (first,), None, alarm, finding, _clear((first,), terms))
    return replace(_claim(behaviour, RELEASE, cell, terms), examples=_examples(base or (), candidate, None))


def drill_claim(behaviour: str, drill: str, candidate: Arm, control: Arm | None, *, terms: Terms) -> Claim:
    """Claim about one drill, beside the control's identical drill where that was run.

    Families count in the order of `candidate.before`; a checkpoint may have answered only the first of them.
    Raises DataError on answers that do not pair.
    """
    rises = _rises(candidate)
    least = tuple(r.least for r in rises)
    alarm, clear = _Test(least, terms.rule.margin), _clear(rises, terms)
    beside, finding = None, None
    if control is not None:
        if set(control.after) != set(candidate.after):
            raise DataError("candidate and control must be asked at the same checkpoints")
        pairs = zip(rises, _rises(control), strict=True)
        beside = tuple(_beside(r, c, candidate.partial) for r, c in pairs)
        finding = _Test(tuple(map(_less, least, (c.most for c in beside))), terms.rule.margin / 2)
    cell = _Cell(tuple(sorted(candidate.after)), rises, beside, alarm, finding, clear)
    claim = _claim(behaviour, drill, cell, terms)
    other = control.after[claim.worst_step] if control else None
    return replace(claim, examples=_examples(candidate.before, candidate.after[claim.worst_step], other))


def open_steps(candidate: Arm, terms: Terms) -> tuple[int, ...]:
    """Checkpoints that are not clear by themselves, on the families they answered."""
    each = _clear(_rises(candidate), terms).each
    return tuple(s for s, e in zip(sorted(candidate.after), each, strict=True) if e < terms.log_clear_at)


def _rises(arm: Arm) -> tuple[Rise, ...]:
    if not arm.after:
        raise DataError("a drill has at least one checkpoint")
    return tuple(rise(_asked(arm, step), arm.after[step]) for step in sorted(arm.after))


def _asked(arm: Arm, step: int) -> Answers:
    """The answers before to what was asked after."""
    if not arm.partial:
        return arm.before
    first = arm.before[: len(arm.after[step])]
    if [m.item for m in first] != [m.item for m in arm.after[step]]:
        raise DataError("a checkpoint must answer the first items, in the order of before")
    return first


def _beside(own: Rise, control: Rise, partial: bool) -> Rise:
    """The control's rises in the candidate's order."""
    both = min(len(own.families), len(control.families))
    if partial and own.families[:both] == control.families[:both]:
        return control
    return aligned(control, own.families)


def _less(own: Array, control: Array) -> Array:
    both = min(own.size, control.size)
    return (own[:both] - control[:both]) / 2


def _clear(rises: tuple[Rise, ...], terms: Terms) -> _Test:
    return _Test(tuple(-r.most for r in rises), -terms.rule.ceiling)


def _claim(behaviour: str, drill: str, cell: _Cell, terms: Terms) -> Claim:
    worst = cell.candidate[cell.worst]
    before, after = worst.rates
    spread = _interval(worst, cell.alarm.lo)
    beside = cell.control[cell.worst].rates if cell.control else (None, None)
    return Claim(
        behaviour=behaviour,
        drill=drill,
        checkpoints=cell.steps,
        families=len(worst.families),
        abstained=len({f for r in cell.candidate for f, n in zip(r.families, r.abstained, strict=True) if n}),
        log_alarm=cell.alarm.averaged,
        log_finding=min(cell.alarm.averaged, cell.finding.averaged) if cell.finding else None,
        log_clear=float(cell.clear.each.min()),
        log_reject_at=terms.log_reject_at,
        log_clear_at=terms.log_clear_at,
        margin=terms.rule.margin,
        ceiling=terms.rule.ceiling,
        before=before,
        after=after,
        worst_step=cell.steps[cell.worst],
        effect=spread.estimate,
        low=spread.low,
        high=spread.high,
        control_before=beside[0],
        control_after=beside[1],
        families_to_settle=_settle(cell, terms),
    )


def _interval(worst: Rise, lo: float) -> Interval:
    d = (worst.after - worst.before)[worst.judged]
    return wilson(float(d.sum()), d.size) if lo == 0 and d.size else paired_difference(d)


def _settle(cell: _Cell, terms: Terms) -> int | None:
    """Forecast the families until CLEAR or FOUND, whichever growth gets there first; None if settled."""
    clear = _longest([_wait(walks, terms.log_clear_at) for walks in cell.clear.walks])
    tests = [cell.alarm, cell.finding] if cell.finding else []
    found = _longest([_wait(test.going, terms.log_reject_at) for test in tests])
    hopes = [wait for wait in (clear, found) if wait is not None]
    return min(hopes, default=0) or None


def _wait(walks: Array, threshold: float) -> int | None:
    """Families until the mean of the walks reaches the threshold: 0 if it has, None if that is not in sight."""
    pooled = walks.reshape(-1, walks.shape[-1])
    return 0 if peak(log_mean(pooled, axis=0)) >= threshold else forecast(pooled, threshold)


def _longest(waits: Sequence[int | None]) -> int | None:
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(waits) else None


def _examples(before: Answers, after: Answers, control: Answers | None) -> tuple[Example, ...]:
    """Pick the answers that rose most, in asking order among equals; answers that did not rise are no examples."""
    first = by_item(before) if before else {}
    beside = by_item(control) if control else {}
    rises = [(_rose(first.get(m.item), m), m) for m in after]
    worst = sorted((pair for pair in rises if pair[0] > 0), key=lambda pair: -pair[0])[:EXAMPLES]
    return tuple(_example(first.get(m.item), m, beside.get(m.item)) for _, m in worst)


def _rose(before: Measurement | None, after: Measurement) -> float:
    if after.score is None or (before is not None and before.score is None):
        return 0.0
    return after.score - (before.score or 0.0 if before else 0.0)


def _example(before: Measurement | None, after: Measurement, control: Measurement | None) -> Example:
    return Example(
        prompt=trim(after.prompt),
        before=trim(before.output) if before else "",
        after=trim(after.output),
        control=trim(control.output) if control else "",
        why=trim(after.why),
    )


def trim(text: str) -> str:
    """Cut an answer to the length that examples keep."""
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"
