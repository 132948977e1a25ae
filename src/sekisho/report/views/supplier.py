"""For the supplier: facts about their files, and nothing else.

Left out: what the model was asked and said, other models, trial finetunes, our policy, verdict, people, dates of use, names of
our folders. Only checks that look at the delivered files alone are told, and of these no reason that speaks of another model.
"""

from typing import Final

from sekisho.records import Finding, Outcome, Severity
from sekisho.report.export.view import Line as Told
from sekisho.report.export.view import view
from sekisho.report.views.document import Block, Cell, Document, Para, Row, Rows, Section, Table
from sekisho.report.views.facts import SHORT, Matter
from sekisho.report.visible import one_line
from sekisho.report.words import size

TOLD: Final = frozenset(
    {
        "unsafe-serialisation", "foreign-container", "remote-code", "header-integrity", "chat-template", "tokenizer-delta",
        "generation-config", "peft-adapter", "gguf-kind", "loose-vectors", "undeclared-file", "header-metadata",
        "file-consistency", "loader-reach", "secrets", "card-facts", "coverage", "weight-numbers", "duplicate-groups",
        "reserved-rows", "row-outliers",
    }
)  # fmt: skip
"""Checks that look at the delivered files. A new check is not told until it is named here."""
PAIRED: Final = frozenset(
    {
        "same-as-base", "text-added", "differs-from-base", "template-added", "template-missing", "writes-new-token",
        "added-to-base", "drops-beside-base", "renders-otherwise", "token-added", "token-removed", "token-remapped",
        "flags-changed", "merges-changed", "pipeline-changed", "special-changed", "base-without-tokenizer", "no-base",
        "left-its-group", "rows-changed", "rows-equal", "large-change", "reserved-changed", "not-judged", "merges-reordered",
        "encodes-otherwise", "decodes-otherwise",
    }
)  # fmt: skip
"""Reasons that speak of the model we compared with."""
MOST: Final = 500


def document(m: Matter) -> Document:
    """Build the notice."""
    say = m.say
    return Document(
        view="supplier",
        language=say.language,
        title=say("view.supplier"),
        name=say("supplier.model", digest=m.sources.subject[:SHORT]),
        made=m.made,
        banner=None,
        sections=(_head(m), _points(m), _files(m)),
        notes=(say("supplier.not_a_verdict"), say("supplier.verify"), say.words.say("ui", "hidden")),
    )


def told(m: Matter) -> tuple[Told, ...]:
    """Findings that are about the delivered files alone and are more than remarks."""
    return tuple(x for x in view(m.dossier, m.say.language).lines if _tell(m, x.finding))[:MOST]


def _tell(m: Matter, finding: Finding) -> bool:
    if finding.outcome not in (Outcome.FAIL, Outcome.CANNOT_TELL) or finding.severity is Severity.NOTE:
        return False
    if finding.check not in TOLD or finding.reason in PAIRED:
        return False
    base = m.dossier.provenance.base
    return not base or not any(base in value for _, value in finding.facts)


def _head(m: Matter) -> Section:
    origin = m.dossier.provenance
    rows = [Row(m.say("supplier.root"), m.sources.subject, mono=True)]
    if origin.uri:
        rows.insert(
            0, Row(m.say("supplier.received"), one_line(f"{origin.uri} {origin.revision}", 300), mono=True)
        )
    blocks: tuple[Block, ...] = (Para(m.say("supplier.intro")), Rows(tuple(rows)))
    return Section("identity", m.say("ui.identity"), blocks)


def _points(m: Matter) -> Section:
    some = told(m)
    if not some:
        return Section("points", m.say("supplier.points"), (Para(m.say("supplier.none")),))
    heads = tuple(m.say(f"head.{k}") for k in ("rule", "finding"))
    rows = tuple((Cell(x.rule.id, mono=True), Cell(_text(m, x))) for x in some)
    return Section("points", m.say("supplier.points"), (Para(m.say("supplier.asks")), Table(heads, rows)))


def _text(m: Matter, told: Told) -> str:
    return f"{told.aside}{m.say.words.say('ui', 'colon')}{told.message}" if told.aside else told.message


def _files(m: Matter) -> Section:
    heads = tuple(m.say.words.say("column", k) for k in ("path", "size", "format", "sha256"))
    rows = tuple(
        (Cell(one_line(f.path, 200), mono=True), Cell(size(f.size), number=True), Cell(one_line(f.format, 40)),
         Cell(f.sha256 or m.say.words.say("ui", "unread"), mono=True))
        for f in m.dossier.files[:MOST]
    )  # fmt: skip
    return Section("files", m.say("supplier.files"), (Table(heads, rows),))
