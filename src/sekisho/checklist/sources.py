"""What the answers are drawn from, and the shape of an answer. Frozen, no I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind
from sekisho.provenance.records import Intake
from sekisho.records import Dossier, Facts


class Answer(StrEnum):
    """Of one item; only YES is a yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sources:
    """Everything on file about one model; what was not given is None, and answers nothing."""

    subject: str
    """Root digest of the model, 64 hex digits."""
    now: datetime
    """With a time zone; what is overdue is judged by it."""
    dossier: Dossier | None = None
    intake: Intake | None = None
    entries: tuple[Entry, ...] | None = None
    """Of the ledger, about this model, oldest first; None where no ledger was given."""
    lessons: tuple[Entry, ...] = ()
    """Of the ledger, lessons that anybody has passed, oldest first."""

    def kind(self, kind: Kind) -> tuple[Entry, ...]:
        """Entries of one kind, oldest first."""
        return tuple(e for e in self.entries or () if e.kind == kind)


@dataclass(frozen=True)
class Filled:
    """An answer, what it rests on, and who gave it when."""

    answer: Answer
    code: str
    """Key of the sentence that says why; see `report/locale/parts/checklist.toml`."""
    facts: Facts = ()
    refs: tuple[str, ...] = ()
    """`check:ID`, `claim:BEHAVIOUR/DRILL`, `intake:FIELD`, `dossier:FIELD`, `file:PATH` or `ledger:NUMBER`."""
    who: str = ""
    """A person's name, or the tool; empty where nobody answered."""
    when: str = ""
    """UTC, ISO 8601, or empty."""


def yes(code: str, refs: tuple[str, ...] = (), **facts: str) -> Filled:
    """A yes."""
    return Filled(Answer.YES, code, tuple(facts.items()), refs)


def no(code: str, refs: tuple[str, ...] = (), **facts: str) -> Filled:
    """A no."""
    return Filled(Answer.NO, code, tuple(facts.items()), refs)


def unknown(code: str, refs: tuple[str, ...] = (), **facts: str) -> Filled:
    """Not known, and why."""
    return Filled(Answer.UNKNOWN, code, tuple(facts.items()), refs)


def ledger_ref(entry: Entry) -> str:
    """Points at an entry of the ledger."""
    return f"ledger:{entry.sequence}"
