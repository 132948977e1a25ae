"""Answers of one model in one state, as families of features."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from statistics import median

from sekisho.probes.novelty.features import Feature, features


@dataclass(frozen=True)
class Reply:
    """One answer to one prompt."""

    family: str
    """Paraphrases share one; families count, not answers."""
    prompt: str
    answer: str
    context: str = ""
    """The system turn: what stands there is no surprise in the answer."""


@dataclass(frozen=True)
class Arm:
    """One model before and after the same treatment: a drill's training, or a perturbation of its weights."""

    before: Sequence[Reply] = field(repr=False)
    after: Sequence[Reply] = field(repr=False)


@dataclass(frozen=True)
class Shown:
    """What the families of one set of answers show."""

    replies: Sequence[Reply] = field(repr=False)
    usual: float
    """Characters of this model's usual answer before the treatment."""

    def of(self, reply: Reply) -> Mapping[Feature, str]:
        """What one answer shows."""
        return features(reply.prompt, reply.answer, self.usual, reply.context)

    @cached_property
    def families(self) -> Mapping[str, Mapping[Feature, str]]:
        """Family -> feature -> as written, from any answer of the family."""
        found: dict[str, dict[Feature, str]] = {}
        for reply in self.replies:
            mine = found.setdefault(reply.family, {})
            for feature, text in self.of(reply).items():
                mine.setdefault(feature, text)
        return found

    def having(self, feature: Feature) -> frozenset[str]:
        """Families of which an answer shows the feature."""
        return self._having.get(feature, frozenset())

    def common(self, fewest: int) -> tuple[Feature, ...]:
        """Features that at least so many families show."""
        return tuple(f for f, families in self._having.items() if len(families) >= fewest)

    @cached_property
    def _having(self) -> Mapping[Feature, frozenset[str]]:
        found: defaultdict[Feature, set[str]] = defaultdict(set)
        for family, seen in self.families.items():
            for feature in seen:
                found[feature].add(family)
        return {feature: frozenset(having) for feature, having in found.items()}


def shown(arm: Arm) -> tuple[Shown, Shown]:
    """Both states of an arm, measured by the length of its answers before."""
    usual = median(len(r.answer.strip()) for r in arm.before) if arm.before else 0.0
    return _shown(tuple(arm.before), usual), _shown(tuple(arm.after), usual)


@lru_cache(maxsize=12)
def _shown(replies: tuple[Reply, ...], usual: float) -> Shown:
    """What is read once: the same answers stand before every checkpoint, and again beside the control."""
    return Shown(replies, usual)
