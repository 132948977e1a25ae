"""What a static check is, and what it is given."""

import abc
from collections.abc import Iterator
from dataclasses import dataclass, field

from sekisho.records import Finding, Inventory


@dataclass(frozen=True)
class TensorDelta:
    """One tensor of the candidate against the tensor of the same name in the base."""

    name: str
    kind: str
    """`same`, `changed`, `reshaped`, `added` or `missing`."""
    relative: float = 0.0
    """Frobenius norm of the difference over that of the base's tensor; 0 unless changed."""
    cosine: float = 1.0
    """Cosine between the two tensors as vectors; 1 unless changed."""
    rows_changed: int = 0
    rows: int = 0
    """Rows (first dimension) of a matrix, and how many differ at all."""


@dataclass(frozen=True)
class Comparison:
    """The weights of candidate and base, tensor by tensor; made by `sekisho.formats.tensors.compare`."""

    deltas: tuple[TensorDelta, ...]
    problem: str = ""
    """Why the comparison could not be made in full; empty when it was."""


@dataclass(frozen=True)
class Case:
    """Everything a static check may look at. Checks do no I/O."""

    candidate: Inventory
    base: Inventory | None = None
    comparison: Comparison | None = field(default=None, repr=False)
    """None without a base."""


class AbstractCheck(abc.ABC):
    """A static check. Subclasses are final: one class, one file, one id.

    The module's docstring is the catalogue page: what it does, why it matters, what to do.
    """

    id: str
    needs_base: bool = False
    """Not run, with that reason, where no base is given."""

    @abc.abstractmethod
    def run(self, case: Case) -> Iterator[Finding]:
        """Yield findings; yield nothing only if everything relevant was read and fine."""
