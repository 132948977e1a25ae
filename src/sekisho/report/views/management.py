"""One page for who decides: the verdict and the seven questions. Provenance is never shown as a pass."""

from sekisho.evidence import dossier as dossiers
from sekisho.report.views.document import Block, Document, Row, Rows, Section
from sekisho.report.views.facts import SHORT, Matter, banner
from sekisho.report.views.meeting import Topic, by_hand, open_items, topics


def document(m: Matter) -> Document:
    """Build the page."""
    say = m.say
    return Document(
        view="management",
        language=say.language,
        title=say("view.management"),
        name=m.name,
        made=m.made,
        banner=banner(m),
        sections=tuple(_section(m, t) for t in topics(m)),
        notes=(
            f"{say('ui.checklist')}{say.words.say('ui', 'colon')}{open_items(m)}",
            by_hand(m),
            say("ui.legend"),
            say("ui.dossier", digest=dossiers.digest(m.dossier)[:SHORT] + "…"),
        ),
        glossary=True,
    )


def _section(m: Matter, topic: Topic) -> Section:
    row = Row(m.say("line.check"), topic.check, mono=True)
    check: tuple[Block, ...] = (Rows((row,)),) if topic.check else ()
    return Section(f"q{topic.number}", topic.question, (*topic.blocks, *check), str(topic.number))
