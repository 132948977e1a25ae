"""Facts in, answers out: pure. The tool's no stands whatever a person says; a person settles what facts leave open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sekisho.checklist import filling
from sekisho.checklist.items import PROFILES, FilledBy, Item, load
from sekisho.checklist.sources import Answer, Filled, Sources, ledger_ref
from sekisho.errors import DataError, UsageError
from sekisho.ledger import rules
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind

_OF_A_RUN: Final = frozenset({"preregistration", "diff-sign-off"})
"""Evidence of one run: a newer verdict makes the answer old."""
NOBODY: Final = Filled(Answer.UNKNOWN, "not-answered")
"""Of an item for a person that nobody answered."""


@dataclass(frozen=True)
class Result:
    """One item, answered."""

    item: Item
    required: bool
    """The profile at hand requires a yes."""
    said: Filled
    """What decides."""
    beside: Filled | None = None
    """What the other one, tool or person, says of it; None where there is no other."""

    @property
    def answer(self) -> Answer:
        """Yes, no or unknown."""
        return self.said.answer

    @property
    def open(self) -> bool:
        """Required, and no yes."""
        return self.required and self.answer is not Answer.YES

    @property
    def by_person(self) -> bool:
        """A person can settle it with one line."""
        facts_refuse = self.said.answer is Answer.NO and self.item.filled_by is FilledBy.BOTH
        return self.item.filled_by is not FilledBy.TOOL and not facts_refuse


@dataclass(frozen=True)
class Checklist:
    """All items under one profile."""

    profile: str
    results: tuple[Result, ...]
    inspected: bool = True
    """A dossier is at hand."""

    @property
    def complete(self) -> bool:
        """Every required item is a yes."""
        return not any(r.open for r in self.results)

    @property
    def refused(self) -> bool:
        """A required item is a no."""
        return any(r.open and r.answer is Answer.NO for r in self.results)

    def of(self, item: str) -> Result:
        """The result of an id."""
        return next(r for r in self.results if r.item.id == item)

    def count(self, answer: Answer) -> int:
        """How many required items have this answer."""
        return sum(r.required and r.answer is answer for r in self.results)


def fill(sources: Sources, profile: str = "standard", items: Sequence[Item] | None = None) -> Checklist:
    """Answer every item. Raises UsageError for an unknown profile, DataError for an entry that cannot be read."""
    if profile not in PROFILES:
        raise UsageError(f"no profile {profile!r} of the checklist; there are {', '.join(PROFILES)}")
    chosen = load() if items is None else items
    results = tuple(_result(i, sources, profile) for i in chosen)
    return Checklist(profile, results, sources.dossier is not None)


def allow(item: Item, answer: Answer, note: str) -> None:
    """Let a person's answer pass, or say why not. Raises UsageError."""
    if item.filled_by is FilledBy.TOOL:
        raise UsageError(
            f"{item.id} is answered from facts, not by hand; `sekisho checklist` says what it lacks"
        )
    if item.line and answer is Answer.YES and not note.strip():
        raise UsageError(f"{item.id} needs a line that says it: --note TEXT")


def _result(item: Item, sources: Sources, profile: str) -> Result:
    required = profile in item.profiles
    facts, person = _facts(item, sources), _person(item, sources)
    if item.filled_by is FilledBy.TOOL:
        return Result(item, required, facts)
    if person is None:
        nobody = NOBODY if item.filled_by is FilledBy.PERSON and facts.code == NOBODY.code else facts
        return Result(item, required, nobody)
    # The stricter word stands: a no of either, then the facts' yes, then the person's word on what facts leave open.
    refuses = next((f for f in (facts, person) if f.answer is Answer.NO), None)
    settled = facts if facts.answer is Answer.YES and person.answer is not Answer.UNKNOWN else person
    decides = refuses or settled
    beside = person if decides is facts else facts
    return Result(item, required, decides, None if beside.code == NOBODY.code else beside)


def _facts(item: Item, sources: Sources) -> Filled:
    found = filling.FILLERS[item.id](sources) if item.id in filling.FILLERS else NOBODY
    if found.who or found.code == NOBODY.code:
        return found
    entry = next((e for e in sources.entries or () if ledger_ref(e) in found.refs), None)
    if entry is not None:
        return replace(found, who=entry.actor, when=entry.time)
    if sources.dossier is not None:
        return replace(found, who=sources.dossier.tool, when=sources.dossier.timing.started)
    return found


def _person(item: Item, sources: Sources) -> Filled | None:
    """The newest line that a person wrote on it."""
    mine = [e for e in sources.kind(Kind.CHECKLIST_ANSWER) if e.content.get("item") == item.id]
    if not mine:
        return None
    entry, body = mine[-1], mine[-1].content
    decided = rules.decision(sources.entries or ())
    if item.evidence in _OF_A_RUN and decided is not None and decided.sequence > entry.sequence:
        return Filled(Answer.UNKNOWN, "answered-before", (), (ledger_ref(entry),), entry.actor, entry.time)
    facts = (("note", str(body.get("note", ""))),) if body.get("note") else ()
    answer, code = _answer(entry), "person-note" if facts else "person"
    if item.line and answer is Answer.YES and not facts:
        answer, code = Answer.UNKNOWN, "no-line"
    return Filled(answer, code, facts, (ledger_ref(entry),), entry.actor, entry.time)


def _answer(entry: Entry) -> Answer:
    try:
        return Answer(str(entry.content.get("answer")))
    except ValueError as error:
        raise DataError(f"entry {entry.sequence} of the ledger: no answer of the checklist") from error
