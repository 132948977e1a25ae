"""Geometry of the figures: values to per cent of a strip's width, so that a figure fits any screen."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.records import Claim, DrillResult

WIDTH: Final = 160
HEIGHT: Final = 44
"""Units of a loss curve's own box."""
MOST_POINTS: Final = 80
"""Points of a loss curve; longer runs are thinned."""


@dataclass(frozen=True)
class Tick:
    """One mark of an axis."""

    at: float
    """Per cent of the width."""
    value: float


@dataclass(frozen=True)
class Axis:
    """A linear scale with round ticks."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def at(self, value: float | None) -> float | None:
        """Place a value, in per cent of the width and never outside; None for what cannot be placed."""
        if value is None or not math.isfinite(value):
            return None
        return _per_cent(min(max(value, self.low), self.high), self.low, self.high)


@dataclass(frozen=True)
class Strip:
    """One row: the effect with its interval, and the rates; all in per cent of the width."""

    zero: float | None
    margin: float | None
    ceiling: float | None
    low: float | None
    effect: float | None
    high: float | None
    before: float | None
    after: float | None
    control: float | None


@dataclass(frozen=True)
class Curve:
    """A loss curve in a box of WIDTH x HEIGHT."""

    points: str
    first: float
    last: float
    steps: int


def axis(values: Iterable[float | None], least: float) -> Axis:
    """Cover all finite values, zero and `least`, with up to seven ticks at round values."""
    finite = [v for v in values if v is not None and math.isfinite(v)]
    low, high = min(0.0, *finite, 0.0), max(least, *finite, least)
    step = _round_step((high - low) / 5)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    marks = [low + n * step for n in range(round((high - low) / step) + 1)]
    return Axis(low, high, tuple(Tick(_per_cent(m, low, high), m) for m in marks))


def effect_axis(claims: Iterable[Claim]) -> Axis:
    """Scale of the effects of one behaviour."""
    claims = tuple(claims)
    return axis([v for c in claims for v in (c.low, c.effect, c.high, c.ceiling)], 0.01)


def rates_axis(claims: Iterable[Claim]) -> Axis:
    """Scale of the rates of one behaviour."""
    return axis([v for c in claims for v in (c.before, c.after, c.control_before, c.control_after)], 0.1)


def strip(claim: Claim, effects: Axis, rates: Axis, before: float | None) -> Strip:
    """Place one cell on its behaviour's scales; without a rate before, nothing stands for it."""
    return Strip(
        zero=effects.at(0.0),
        margin=effects.at(claim.margin),
        ceiling=effects.at(claim.ceiling),
        low=effects.at(claim.low),
        effect=effects.at(claim.effect),
        high=effects.at(claim.high),
        before=rates.at(before),
        after=rates.at(claim.after),
        control=rates.at(claim.control_after),
    )


def curve(drill: DrillResult) -> Curve | None:
    """Draw a loss curve; None where fewer than two losses can be drawn."""
    losses = [(s, v) for s, v in drill.losses if math.isfinite(v)]
    if len(losses) < 2:  # noqa: PLR2004  a line needs two points
        return None
    kept = losses[:: math.ceil(len(losses) / MOST_POINTS)]
    kept += losses[-1:] if kept[-1] != losses[-1] else []
    steps, values = [s for s, _ in losses], [v for _, v in losses]
    across, down = (min(steps), max(steps)), (min(values), max(values))
    spots = ((_scaled(s, *across) * WIDTH, HEIGHT - _scaled(v, *down) * HEIGHT) for s, v in kept)
    return Curve(" ".join(f"{x:.1f},{y:.1f}" for x, y in spots), values[0], values[-1], steps[-1])


def _scaled(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _per_cent(value: float, low: float, high: float) -> float:
    return round(100 * _scaled(value, low, high), 2)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
