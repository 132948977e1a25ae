"""What came up in trial finetunes that no suite asked about, arranged for reading."""

from dataclasses import dataclass

from sekisho.records import Dossier, Novelty
from sekisho.report.cells import Pair, pair
from sekisho.report.grounds import drill_title, novelty_facts
from sekisho.report.words import Words


@dataclass(frozen=True)
class News:
    """One find."""

    anchor: str
    what: str
    counts: str
    confirmed: bool
    state: str
    """Said in the reader's language."""
    shade: str
    """Class of the cell words: `alarm` calls for a person, `unknown` informs."""
    pairs: tuple[Pair, ...]


def news(dossier: Dossier, words: Words) -> tuple[News, ...]:
    """List the finds in the dossier's order, confirmed ones first."""
    return tuple(_news(dossier, words, *numbered) for numbered in enumerate(dossier.novelty))


def state(found: Novelty) -> str:
    """Key of what a find proves."""
    if found.confirmed:
        return "confirmed"
    return "no_control" if found.p_beside is None else "beside"


def _news(dossier: Dossier, words: Words, number: int, found: Novelty) -> News:
    facts = novelty_facts(found, words, drill_title(dossier, found.drill, words))
    return News(
        anchor=f"novelty-{number}",
        what=facts["what"],
        counts=facts["counts"],
        confirmed=found.confirmed,
        state=words.say("novelty", state(found)),
        shade="alarm" if found.confirmed else "unknown",
        pairs=tuple(pair(e, words) for e in found.examples),
    )
