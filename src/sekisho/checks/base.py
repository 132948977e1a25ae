"""What a static check is, and what it is given."""

import abc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sekisho.formats import peft
from sekisho.formats.rendering import Renderings
from sekisho.formats.rows import RowFacts
from sekisho.formats.text import shown
from sekisho.formats.tokenising import Tokenising
from sekisho.formats.vectors import Measured
from sekisho.records import Comparison, Facts, Finding, Inventory, Outcome, Role, Severity

if TYPE_CHECKING:  # a tenth of the start-up, which headers alone do without
    from sekisho.provenance.evidence import Evidence


@dataclass(frozen=True)
class Case:
    """Everything a static check may look at. Checks do no I/O."""

    candidate: Inventory
    base: Inventory | None = None
    comparison: Comparison | None = field(default=None, repr=False)
    """None without a base."""
    adapters: Mapping[str, Measured] | None = field(default=None, repr=False)
    """Numbers of each adapter, by the path of its adapter_config.json; None where none were taken."""
    rows: RowFacts | None = field(default=None, repr=False)
    """The tables with a row for each token; None where they were not measured."""
    rendered: Renderings | None = field(default=None, repr=False)
    """What each template writes; None where none was rendered."""
    origin: "Evidence | None" = field(default=None, repr=False)
    """What downloads recorded, held against the files; None where that was not looked at."""
    tokenised: Tokenising | None = field(default=None, repr=False)
    """What the tokenizer does with texts; None where there is none or it was not tried."""
    known_pickles: bool = False
    """Whether the policy lets pickles pass whose every import is on the frozen list."""

    @property
    def adapter_alone(self) -> bool:
        """An adapter is all there is: everything else comes from its base."""
        whole = any(f.role is Role.WEIGHTS for f in self.candidate.files)
        return not whole and bool(peft.adapters(self.candidate))


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


def objection(
    check: str, where: str, reason: str, severity: Severity, *, detail: str, named: Facts = ()
) -> Finding:
    """Make a finding whose `detail` names its facts in braces; a note passes."""
    facts: Facts = tuple((key, shown(value)) for key, value in named)
    outcome = Outcome.PASS if severity is Severity.NOTE else Outcome.FAIL
    place = shown(where)
    return Finding(check, outcome, severity, place, reason, detail.format(where=place, **dict(facts)), facts)


@dataclass(frozen=True)
class Words:
    """What a check says with one reason code, and how grave it is."""

    reason: str
    sentence: str
    """In English, with `where` and the facts in braces."""
    severity: Severity = Severity.HOLD
    outcome: Outcome = Outcome.FAIL

    def about(self, check: str, where: str, *named: tuple[str, str]) -> Finding:
        """Make the finding."""
        place = shown(where)
        detail = self.sentence.format(where=place, **dict(named))
        return Finding(check, self.outcome, self.severity, place, self.reason, detail, named)
