"""Markdown for a pull request: the verdict, a table of what counts, what to do. Nothing of the model is markup in it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sekisho.records import Decision, Dossier
from sekisho.report.export.view import Line, View, view
from sekisho.report.grounds import headline
from sekisho.report.inspection import passed
from sekisho.report.ruled import said
from sekisho.report.visible import one_line

MOST_ROWS: Final = 30
"""Findings in the table; the other formats have all."""
MARKS: Final = {Decision.ADMIT: "✅", Decision.HOLD: "⚠️", Decision.REJECT: "⛔"}
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]#|~&$^]|:(?=\S))")
_LEADING: Final = re.compile(r"^(\s*)([-+=])|^(\s*\d+)([.)])")
"""Begins a list or underlines a heading."""


def render(dossier: Dossier, language: str = "en") -> str:
    """Write the summary. Raises UsageError for an unknown language."""
    seen = view(dossier, language)
    blocks = [*_verdict(seen), *_table(seen), *_steps(seen), *_excused(seen), *_passed(seen), *_footer(seen)]
    return "\n\n".join(blocks) + "\n"


def plain(text: str, limit: int = 600) -> str:
    """Text that stays text: no markup, link, mention or table cell of its own."""
    shown = _SPECIAL.sub(r"\\\1", one_line(text, limit)).replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"(?i)\bwww\.", lambda m: m[0][:-1] + r"\.", shown).replace("@", "@\u2060")
    return _LEADING.sub(lambda m: f"{m[1] or m[3] or ''}\\{m[2] or m[4]}", shown)


def code(text: str, *, cell: bool = False) -> str:
    """Text as it is, in a code span that it cannot leave; in a table, a bar is escaped."""
    shown = one_line(text, 160)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    gap = " " if shown.startswith("`") or shown.endswith("`") else ""
    span = f"{fence}{gap}{shown}{gap}{fence}"
    return span.replace("|", r"\|") if cell else span


def _verdict(seen: View) -> Iterator[str]:
    head, dossier = headline(seen.dossier, seen.words), seen.dossier
    yield f"## {MARKS[dossier.verdict.decision]} {head.word}{seen.words.say('ui', 'colon')}{code(dossier.provenance.name)}"
    yield f"**{plain(head.sentence)}**"
    yield f"{plain(seen.words.say('ui', 'next_step'))}{seen.words.say('ui', 'colon')}{plain(head.next_step)}"


def _table(seen: View) -> Iterator[str]:
    say, counted = seen.words.say, [line for line in seen.told if line.counts]
    rows = [
        _row((_grave(line, seen), line.rule.id, _place(line, cell=True), plain(line.message)))
        for line in counted[:MOST_ROWS]
    ]
    rows += [_row((say("severity", m.rule.severity), m.rule.id, "", plain(m.message))) for m in seen.remarks]
    if rows:
        head = _row(
            (say("column", "result"), say("column", "rule"), say("column", "path"), say("column", "detail"))
        )
        yield "\n".join([head, _row(["---"] * 4), *rows])
    if len(counted) > MOST_ROWS:
        yield plain(say("ui", "more_findings", n=str(len(counted) - MOST_ROWS)))


def _grave(line: Line, seen: View) -> str:
    key = "reject" if line.weight == 0 else "hold"
    return f"**{seen.words.say('severity', key)}**" if key == "reject" else seen.words.say("severity", key)


def _place(line: Line, *, cell: bool = False) -> str:
    return code(line.finding.where, cell=cell) if line.finding.where else ""


def _named(line: Line, seen: View) -> str:
    """The place; of a finding about the whole model, the check."""
    return _place(line) or plain(
        seen.words.check(line.finding.check) + seen.words.say("ui", "colon").rstrip()
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _steps(seen: View) -> Iterator[str]:
    checks = dict.fromkeys(line.finding.check for line in seen.told if line.counts)
    if checks:
        pairs = (
            (seen.words.check(c), seen.words.check(c, "todo") or seen.words.say("ui", "no_todo"))
            for c in checks
        )
        colon = seen.words.say("ui", "colon")
        steps = [f"- **{plain(title)}**{colon}{plain(todo)}" for title, todo in pairs]
        yield "\n".join([f"### {plain(seen.words.say('ui', 'todo'))}", "", *steps])


def _excused(seen: View) -> Iterator[str]:
    excused = [line for line in seen.lines if line.finding.rulings]
    if excused:
        rows = [
            f"- `{line.rule.id}` {_named(line, seen)} {plain(line.message)} **{plain(said(line.finding, seen.words))}**"
            for line in excused[:MOST_ROWS]
        ]
        more = len(excused) - MOST_ROWS
        rows += [plain(seen.words.say("ui", "more_findings", n=str(more)))] if more > 0 else []
        yield _folded(seen.words.say("ruling", "title", n=str(len(excused))), rows)


def _passed(seen: View) -> Iterator[str]:
    quiet = [line for line in seen.told if not line.counts and not line.finding.excused]
    rows = [f"- {plain(seen.words.check(c))}" for c in passed(seen.dossier.findings)]
    if rows:
        yield _folded(seen.words.say("ui", "passed", n=str(len(rows))), rows)
    if quiet:
        rows = [
            f"- `{line.rule.id}` {_named(line, seen)} {plain(line.message)}" for line in quiet[:MOST_ROWS]
        ]
        more = len(quiet) - MOST_ROWS
        rows += [plain(seen.words.say("ui", "more_findings", n=str(more)))] if more > 0 else []
        yield _folded(seen.words.say("ui", "for_information", n=str(len(quiet))), rows)


def _folded(title: str, rows: Sequence[str]) -> str:
    return "\n".join([f"<details><summary>{plain(title)}</summary>", "", *rows, "", "</details>"])


def _footer(seen: View) -> Iterator[str]:
    made, colon = seen.dossier, seen.words.say("ui", "colon")
    parts = [
        code(made.tool),
        f"{plain(seen.words.say('ui', 'policy'))}{colon}{code(made.policy)} {code(made.policy_digest[:12])}",
        f"{plain(seen.words.say('column', 'identity'))}{colon}{code(made.provenance.identity[:12])}",
    ]
    yield f"<sub>{' · '.join(parts)}</sub>"
