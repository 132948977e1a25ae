"""What each accompanying file did, arranged for reading."""

from dataclasses import dataclass
from typing import Final

from sekisho.records import AblationResult, Condition, PartResult, PartWord, TokenProbe
from sekisho.report.cells import Pair, pair
from sekisho.report.visible import one_line
from sekisho.report.words import Words

STATES: Final = {
    PartWord.HARMFUL: "found",
    PartWord.ONE_TEXT: "alarm",
    PartWord.REACTS: "alarm",
    PartWord.CHANGES: "open",
    PartWord.INERT: "clear",
}
MOST_PAIRS: Final = 2
"""Examples shown of one file."""


@dataclass(frozen=True)
class Row:
    """One file."""

    where: str
    kind: str
    against: str
    """What stands in its place."""
    state: str
    word: str
    lines: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Ablation:
    """An ablation as a section of a report."""

    intro: str
    rows: tuple[Row, ...]


def ablated(result: AblationResult | None, words: Words) -> Ablation | None:
    """Arrange an ablation; None where none was made or nothing came along."""
    if result is None or not result.parts:
        return None
    intro = words.say("ablation", "intro", questions=str(result.questions))
    return Ablation(intro, tuple(_row(part, words) for part in result.parts))


def _row(part: PartResult, words: Words) -> Row:
    return Row(
        where=one_line(part.where, 160),
        kind=words.say("ablation_kind", part.kind),
        against=words.say("ablation_against", part.against),
        state="open" if part.problem else STATES[part.word],
        word=words.say("ablation", "not_tried")
        if part.problem
        else words.say("ablation_word", part.word.value),
        lines=tuple(_lines(part, words)),
        pairs=tuple(pair(e, words) for e in part.examples[:MOST_PAIRS]),
    )


def _lines(part: PartResult, words: Words) -> list[str]:
    if part.problem:
        return [words.say("ablation_problem", part.problem)]
    lines = [_condition(c, words) for c in part.conditions]
    if part.alone is not None:
        lines.append(words.say("ablation", "alone", alone=str(part.alone)))
    return lines + [_probe(p, words) for p in part.probes]


def _condition(condition: Condition, words: Words) -> str:
    facts = {
        "what": one_line(condition.what, 120),
        "asked": str(condition.asked),
        "changed": str(condition.changed),
        "interval": f"{100 * condition.low:.0f}–{100 * condition.high:.0f}",
    }
    said = words.say("ablation_condition", condition.kind, **facts)
    if not condition.shared:
        return said
    shared = {"share": words.percent(condition.share), "shared": one_line(condition.shared, 160)}
    return said + words.say("ui", "gap") + words.say("ablation", "shared", **shared)


def _probe(probe: TokenProbe, words: Words) -> str:
    return words.say(
        "ablation",
        "probe_risen" if probe.risen else "probe",
        suite=words.find("behaviour", probe.suite, "title") or probe.suite,
        before=words.percent(probe.without),
        after=words.percent(probe.with_token),
    )
