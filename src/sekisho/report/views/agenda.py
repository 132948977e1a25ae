"""The paper of a meeting: the seven questions with what is known and what is to be decided; can be read aloud."""

from sekisho.evidence import dossier as dossiers
from sekisho.report.views.document import Block, Bullets, Document, Form, Line, Para, Row, Rows, Section
from sekisho.report.views.facts import SHORT, Matter, banner
from sekisho.report.views.meeting import Topic, by_hand, open_items, topics


def document(m: Matter) -> Document:
    """Build the paper."""
    say = m.say
    head = (Para(open_items(m)), Para(by_hand(m)), Para(say("ui.read_aloud"), soft=True))
    opening = Section("opening", say("ui.checklist"), head)
    labels = [say(f"ui.{k}") for k in ("decided", "who_by_when", "attending", "date")]
    closing = Section("closing", say("ui.decision"), (Form((*labels, say("form.sign"))),))
    return Document(
        view="agenda",
        language=say.language,
        title=say("view.agenda"),
        name=m.name,
        made=m.made,
        banner=banner(m),
        sections=(opening, *(_section(m, t) for t in topics(m)), closing),
        notes=(say("ui.legend"), say("ui.dossier", digest=dossiers.digest(m.dossier)[:SHORT] + "…")),
        glossary=True,
    )


def _section(m: Matter, topic: Topic) -> Section:
    ask = Bullets((Line(m.say(f"ask.q{topic.number}")),))
    row = Row(m.say("line.check"), topic.check, mono=True)
    check: tuple[Block, ...] = (Rows((row,)),) if topic.check else ()
    blocks: tuple[Block, ...] = (
        Para(m.say("ui.say_this"), soft=True),
        *topic.blocks,
        *check,
        Para(m.say("ui.to_decide"), soft=True),
        ask,
    )
    return Section(f"q{topic.number}", topic.question, blocks, str(topic.number))
