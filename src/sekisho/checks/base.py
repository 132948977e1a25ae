"""What a static check is, and what it is given."""

import abc
from collections.abc import Iterator
from dataclasses import dataclass, field

from sekisho.records import Comparison, Finding, Inventory


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
