"""Which questions next: a pure function from how the cells stand to the work that is most likely to settle them.

Families are asked in blocks, always the next of the registered order, at the checkpoints that are not clear yet. Work is
chosen anew after every round: first the controls that an alarm waits for, then the cells whose ALARM grows, then
drills not begun, in the order of the plan, then cells that only want for CLEAR. A cell ends at FOUND, at CLEAR
or when its questions are used up; once one is FOUND no other is begun, since the verdict stands.

Why this may look at the answers: each e-value is the largest of its process up to where the cell was asked. Ville's
inequality bounds the largest over all families at once, so reading a beginning of it, chosen by any rule whatever,
cannot exceed what is already paid for. It would not hold if families were picked, or tests dropped, by their answers:
every planned cell counts in the threshold, and one that was never asked can only hold (docs/adr/0008).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sekisho.policy import Terms
from sekisho.stats.eprocess import log_e

SLACK: Final = 1.25
"""The first block holds so many times the families that clear a cell in which nothing changes."""
GROWS: Final = 0.5
"""An alarm is taken to grow from so many nats on; noise alone gets there now and then, which costs time only."""


@dataclass(frozen=True)
class Standing:
    """How a cell of the plan stands."""

    behaviour: str
    drill: str
    asked: Mapping[int, int]
    """Checkpoint -> blocks answered."""
    blocks: int
    """Blocks there are."""
    open: tuple[int, ...]
    """Checkpoints that are not clear by themselves; all of them where nothing was asked."""
    log_alarm: float = 0.0
    found: bool = False
    waits: bool = False
    """An alarm without its control."""
    control: Mapping[int, int] | None = None
    """The same of the control, None where there is none to ask."""

    @property
    def begun(self) -> bool:
        """Whether every checkpoint was asked once."""
        return all(self.asked.values())

    @property
    def next(self) -> dict[int, int]:
        """Checkpoint -> blocks wanted of the candidate; empty where nothing more is."""
        if self.found or self.waits:
            return {}
        return {s: n + 1 for s, n in self.asked.items() if n < self.blocks and (n == 0 or s in self.open)}

    @property
    def beside(self) -> dict[int, int]:
        """Checkpoint -> blocks wanted of the control: what the candidate answered, once there was an alarm."""
        if self.control is None or self.found or not (self.waits or any(self.control.values())):
            return {}
        return {s: n for s, n in self.asked.items() if self.control.get(s, 0) < n}


@dataclass(frozen=True)
class Work:
    """What one training is wanted for."""

    drill: str
    control: bool
    wanted: Mapping[str, Mapping[int, int]]
    """Behaviour -> checkpoint -> blocks in all."""


def next_work(cells: Sequence[Standing], most: int) -> tuple[Work, ...]:
    """The trainings to do next, at most so many, the most urgent first; empty when nothing more is wanted."""
    controls = [_work(cells, c.drill, control=True) for c in cells if c.beside]
    settled = any(c.found for c in cells)
    ranked = sorted((c for c in cells if c.next and not settled), key=_urgency)
    trials = [_work(cells, c.drill, control=False) for c in ranked]
    unique = {(w.drill, w.control): w for w in reversed((*controls, *trials))}
    return tuple(reversed(unique.values()))[:most]


def sizes(terms: Terms, families: int) -> tuple[int, ...]:
    """Families of each block: the first clears a cell in which nothing changes, each later one doubles what was asked."""
    first = min(families, math.ceil(SLACK * quiet(terms, families)))
    made = [first]
    while sum(made) < families:
        made.append(min(sum(made), families - sum(made)))
    return tuple(made)


def quiet(terms: Terms, most: int) -> int:
    """Families that clear a cell in which not one answer changes; `most` where even they do not."""
    reached = log_e(np.zeros(most), -terms.rule.ceiling) >= terms.log_clear_at
    return int(np.argmax(reached)) + 1 if reached.any() else most


def _urgency(cell: Standing) -> tuple[int, float]:
    families = max(1, sum(cell.asked.values()))
    if cell.begun and cell.log_alarm >= GROWS:
        return 0, -cell.log_alarm / families
    return (2, float(len(cell.open))) if cell.begun else (1, 0.0)


def _work(cells: Sequence[Standing], drill: str, *, control: bool) -> Work:
    """All that is wanted of one drill, since its training costs more than a block of questions."""
    own = [c for c in cells if c.drill == drill]
    wanted = {c.behaviour: (c.beside if control else c.next) for c in own}
    return Work(drill, control, {behaviour: steps for behaviour, steps in wanted.items() if steps})
