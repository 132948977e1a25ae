"""What tokens did that were put into prompts, arranged for reading."""

from dataclasses import dataclass
from typing import Final

from sekisho.records import SweepResult, TokenResult, TokenWord
from sekisho.report.cells import Pair, pair
from sekisho.report.visible import one_line
from sekisho.report.words import Words

STATES: Final = {
    TokenWord.HARMFUL: "found",
    TokenWord.UNDECLARED: "alarm",
    TokenWord.DECLARED: "open",
    TokenWord.CLEAN: "clear",
}
MOST_PAIRS: Final = 2
"""Examples shown of one sequence."""


@dataclass(frozen=True)
class Row:
    """One token or sequence that was looked at closely."""

    text: str
    place: str
    shift: str
    base: str
    says: str
    state: str
    word: str
    probes: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Tokens:
    """A sweep as a section of a report."""

    intro: str
    rows: tuple[Row, ...]


def tokens(result: SweepResult | None, words: Words) -> Tokens | None:
    """Arrange a sweep; None where none was made or nothing was tried."""
    if result is None or result.skipped:
        return None
    facts = {"tokens": str(result.tokens), "sequences": str(result.sequences), "left": str(result.left)}
    parts = [words.say("sweep", "paired" if result.paired else "alone", **facts)]
    if result.left:
        parts.append(words.say("sweep", "left", **facts))
    if not result.flagged:
        parts.append(words.say("sweep", "quiet"))
    rows = tuple(_row(token, words) for token in result.closer)
    return Tokens(words.say("ui", "gap").join(parts), rows)


def _row(token: TokenResult, words: Words) -> Row:
    return Row(
        text=one_line(token.text, 120),
        place=words.say("sweep_slot", token.slot),
        shift=f"{token.shift:.2f}",
        base="–" if token.shift_base is None else f"{token.shift_base:.2f}",
        says=one_line(token.shared, 120),
        state=STATES[token.word],
        word=words.say("sweep_word", token.word.value),
        probes=tuple(_probe(token, n, words) for n in range(len(token.probes))),
        pairs=tuple(pair(e, words) for e in token.examples[:MOST_PAIRS]),
    )


def _probe(token: TokenResult, number: int, words: Words) -> str:
    probe = token.probes[number]
    title = words.find("behaviour", probe.suite, "title") or probe.suite
    return words.say(
        "sweep",
        "probe_risen" if probe.risen else "probe",
        suite=title,
        before=words.percent(probe.without),
        after=words.percent(probe.with_token),
    )
