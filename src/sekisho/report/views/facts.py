"""What a view is made from, and the pieces that several views share."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sekisho.checklist import engine
from sekisho.checklist.engine import Checklist
from sekisho.checklist.sources import Answer, Sources
from sekisho.errors import UsageError
from sekisho.provenance.records import Stated
from sekisho.records import Dossier
from sekisho.report import checklist
from sekisho.report.grounds import headline
from sekisho.report.lights import SHADES
from sekisho.report.views.document import Banner, Line, Mark
from sekisho.report.views.words import Say
from sekisho.report.visible import one_line

SHORT: Final = 16
"""Hex digits of a digest on a page for people."""
MARKS: Final = {Answer.YES: Mark.FACT, Answer.NO: Mark.ATTENTION, Answer.UNKNOWN: Mark.UNKNOWN}
CELLS: Final = {"found": Mark.ATTENTION, "alarm": Mark.ATTENTION, "open": Mark.UNKNOWN, "clear": Mark.FACT}
"""Of what a cell proves, gravest first."""


@dataclass(frozen=True)
class Matter:
    """One model as the views see it."""

    sources: Sources
    dossier: Dossier
    checklist: Checklist
    say: Say

    @property
    def name(self) -> str:
        """What the page calls the model."""
        return one_line(self.dossier.provenance.name, 80)

    @property
    def made(self) -> str:
        """When it was measured."""
        return self.say.words.moment(self.dossier.timing.started) if self.dossier.timing.started else ""


def matter(sources: Sources, language: str, profile: str = "standard") -> Matter:
    """Gather it. Raises UsageError without a dossier, or for an unknown language."""
    if sources.dossier is None:
        raise UsageError("there is no dossier of this model; vet it first, or name one")
    return Matter(sources, sources.dossier, engine.fill(sources, profile), Say(language))


def banner(m: Matter) -> Banner:
    """The verdict; a pass is shown as the word it is."""
    head = headline(m.dossier, m.say.words)
    return Banner(SHADES[m.dossier.verdict.decision].value, head.word, head.sentence, head.next_step)


def item(m: Matter, number: str) -> Line:
    """One item of the checklist as a line: what is known, or that it is not."""
    result = m.checklist.of(number)
    text = checklist.said(result.said, m.say.words)
    if result.said.code.startswith("person"):
        text = m.say("line.said", text=text, given=checklist.given(result.said, m.say.words))
    name = m.say(f"item.{number}")
    return Line(m.say("line.named", name=name, text=text), MARKS[result.answer], number)


def stated(m: Matter, key: str, value: Stated | None, *, clip: int = 200) -> Line:
    """One field of the intake record, with how it is known; or that it is unknown, and why."""
    name = m.say(f"field.{key}")
    if value is None:
        return Line(m.say("line.unknown", name=name, why=m.say("why.no_intake")), Mark.UNKNOWN)
    if not value.known:
        return Line(m.say("line.unknown", name=name, why=m.say.origin("reason", value.reason)), Mark.UNKNOWN)
    basis = m.say.origin("basis", value.basis.value)
    return Line(m.say("line.known", name=name, value=one_line(value.value, clip), basis=basis))


def roles(m: Matter) -> str:
    """How many files have which role."""
    counts = Counter(f.role for f in m.dossier.files)
    each = [m.say("line.count", name=m.say.words.say("role", r), n=str(n)) for r, n in sorted(counts.items())]
    return m.say.words.listed(each)
