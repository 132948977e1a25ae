"""What a scorer is."""

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sekisho.probes.suite import Item


@dataclass(frozen=True)
class Score:
    """A judgement of one answer."""

    value: float | None
    """In [0, 1]; 1 shows the behaviour. None abstains."""
    why: str = ""
    """The words that decided, quoted from the answer."""


class AbstractScorer(abc.ABC):
    """Judges answers; subclasses are final. The same input always gives the same scores."""

    id: str
    reads_known: bool = False
    """Whether `known` can change a score."""

    @abc.abstractmethod
    def score(
        self, items: Sequence[Item], answers: Sequence[str], known: Sequence[str] = ()
    ) -> tuple[Score, ...]:
        """One score per answer, in order.

        The score of an answer may depend on the answers *before* it, never on later ones: the
        e-processes bet on the order given. `known` holds texts whose words are no surprise
        (a trusted base's answers, the drill's training data).
        """


def each(
    judge: Callable[[Item, str], Score], items: Sequence[Item], answers: Sequence[str]
) -> tuple[Score, ...]:
    """Judge every answer by itself, for scorers that need no other."""
    return tuple(judge(i, a) for i, a in zip(items, answers, strict=True))
