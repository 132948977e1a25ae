"""The sides of each comparison: the model with a part and without it, everything else in its place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sekisho.ablating.bench import Arm
from sekisho.ablating.parts import ADAPTER, BASE, SOFT_PROMPT, SYSTEM, TEMPLATE, Part
from sekisho.models.frames import FRAME


@dataclass(frozen=True)
class Sides:
    """Four arrangements."""

    given: Arm
    """As released, with the part."""
    without: Arm
    alone: Arm
    """The part with all others off."""
    bare: Arm
    """All off."""

    @property
    def joined(self) -> bool:
        """Whether something else is on that might be what the part works with."""
        return self.bare != self.without


@dataclass(frozen=True)
class Layout:
    """What is released: weights, and the parts that lie on them by themselves."""

    folder: Path
    """The model's own folder or file."""
    core: Path
    """Where the weights are: the folder, or under an adapter its base."""
    identity: str
    """sha256 over all of it, the base included."""
    parts: tuple[Part, ...]
    base: Path | None = None

    def sides(self, part: Part) -> Sides:
        """The arrangements for one part."""
        worn = [p for p in self.parts if not p.problem and self._worn(p)]
        others = [p for p in worn if p != part]
        templates = [p for p in worn if p.kind == TEMPLATE]
        return Sides(
            self._arm([*others, part], []),
            self._arm(others, [part]),
            self._arm([part], [t for t in templates if t != part]),
            self._arm([], templates),
        )

    def _worn(self, part: Part) -> bool:
        """Whether a part lies on the model as released; the others are laid on to be tried."""
        return part.kind == TEMPLATE or (self.core != self.folder and part.folder == self.folder)

    def _arm(self, on: Sequence[Part], off: Sequence[Part]) -> Arm:
        arm = Arm(self.core, self.identity)
        for part in on:
            arm = self._laid(arm, part)
        gone = [p for p in off if p.kind == TEMPLATE]
        for part in gone:
            arm = replace(arm, template=self._instead(part))
        said = [f"+{p.kind}:{p.where}" for p in on] + [f"-{p.kind}:{p.against}" for p in gone]
        return replace(arm, said=" ".join(sorted(said)))

    def _laid(self, arm: Arm, part: Part) -> Arm:
        if part.kind in (ADAPTER, SOFT_PROMPT):
            return replace(arm, adapter=part.folder)
        if part.kind == SYSTEM:
            return replace(arm, before=part.turns)
        return replace(arm, template="" if self.core == self.folder else str(self.folder))

    def _instead(self, part: Part) -> str:
        if self.core != self.folder:
            return ""  # the base speaks through its own
        return str(self.base) if part.against == BASE and self.base is not None else FRAME
