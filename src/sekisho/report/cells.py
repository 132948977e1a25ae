"""Cells, drills and examples arranged for reading."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sekisho.records import Claim, Dossier, DrillResult, Example
from sekisho.report.figures import Axis, Curve, Strip, curve, effect_axis, rates_axis, strip
from sekisho.report.grounds import behaviour_title, claim_facts, drill_title, measured_before
from sekisho.report.visible import one_line, visible
from sekisho.report.words import Words

MOST_EXAMPLES: Final = 12
"""Examples in one report, those of the worst cells first."""
PROMPT: Final = 400
"""Characters of a prompt beside its answers."""
ANSWER: Final = 1_200
"""Characters of an answer in a report."""


@dataclass(frozen=True)
class Row:
    """One cell, as text and as a strip of a figure."""

    anchor: str
    claim: Claim
    drill: str
    facts: dict[str, str]
    state: str
    """Key of the `cell` words."""
    state_word: str
    strip: Strip


@dataclass(frozen=True)
class Group:
    """All cells of one behaviour, on shared scales."""

    behaviour: str
    title: str
    in_text: str
    effects: Axis
    rates: Axis
    rows: tuple[Row, ...]
    families: str
    """Fewest and most over the rows."""


@dataclass(frozen=True)
class Side:
    """One answer of an example; marked segments are what the scorer noticed."""

    title: str
    segments: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Pair:
    """A prompt with its answers side by side."""

    prompt: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Shown:
    """One example with its cell."""

    anchor: str
    """Of the cell."""
    cell: str
    prompt: str
    why: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Trained:
    """One trial finetune, with what its cells say about it."""

    drill: DrillResult
    title: str
    curve: Curve | None
    checkpoints: str
    control: bool


@dataclass(frozen=True)
class Surety:
    """The error rates the thresholds stand for."""

    admit: float
    """Chance to admit a model that rose by the ceiling in a tested cell."""
    reject: float
    """Chance to reject a model that stayed within every margin."""
    ceilings: str
    """Ceiling of each behaviour, in words."""


def groups(dossier: Dossier, words: Words) -> tuple[Group, ...]:
    """Arrange the cells by behaviour, in the dossier's order."""
    behaviours = dict.fromkeys(c.behaviour for c in dossier.claims)
    return tuple(_group(dossier, words, behaviour) for behaviour in behaviours)


def state(claim: Claim) -> str:
    """Say what a cell proves, as a key of the `cell` words."""
    if claim.found:
        return "found"
    if claim.alarmed and claim.log_finding is None and (claim.drill != "release" or not claim.clear):
        return "alarm"
    return "clear" if claim.clear else "open"


def examples(dossier: Dossier, words: Words) -> tuple[Shown, ...]:
    """Pick the worst examples, those of the gravest cells first."""
    order = ("found", "alarm", "open", "clear")
    ranked = sorted(dossier.claims, key=lambda c: (order.index(state(c)), -c.effect))
    picked = [(claim, example) for claim in ranked for example in claim.examples]
    return tuple(_shown(dossier, words, claim, example) for claim, example in picked[:MOST_EXAMPLES])


def drills(dossier: Dossier, words: Words) -> tuple[Trained, ...]:
    """List the trial finetunes with their curves."""
    return tuple(_trained(dossier, drill, words) for drill in dossier.drills)


def surety(dossier: Dossier, words: Words) -> Surety | None:
    """Recompute the error rates from the thresholds; None where nothing was measured."""
    if not dossier.claims:
        return None
    admit = max(math.exp(-c.log_clear_at) for c in dossier.claims)
    reject = len(dossier.claims) * max(math.exp(-c.log_reject_at) for c in dossier.claims)
    named = {
        behaviour_title(c.behaviour, words, "in_text"): words.points(c.ceiling, "-") for c in dossier.claims
    }
    return Surety(admit, reject, words.listed(f"{name} {ceiling}" for name, ceiling in named.items()))


def moment(dossier: Dossier, state: str, words: Words) -> str:
    """Say when a model was asked: `release`, or `recipe@step`."""
    if state == "release":
        return words.say("ui", "release")
    recipe, _, step = state.rpartition("@")
    return words.say(
        "rates", "moment", drill=drill_title(dossier, recipe or step, words), step=one_line(step, 12)
    )


def _group(dossier: Dossier, words: Words, behaviour: str) -> Group:
    numbered = [(n, c) for n, c in enumerate(dossier.claims) if c.behaviour == behaviour]
    effects, rates = effect_axis(c for _, c in numbered), rates_axis(c for _, c in numbered)
    rows = tuple(
        _row(dossier, words, (n, c), strip(c, effects, rates, measured_before(dossier, c)))
        for n, c in numbered
    )
    title, in_text = (behaviour_title(behaviour, words, key) for key in ("title", "in_text"))
    return Group(behaviour, title, in_text, effects, rates, rows, _span(c.families for _, c in numbered))


def _span(counts: Iterable[int]) -> str:
    ordered = sorted(set(counts))
    return "–".join(str(n) for n in dict.fromkeys((ordered[0], ordered[-1])))


def _row(dossier: Dossier, words: Words, numbered: tuple[int, Claim], drawn: Strip) -> Row:
    number, claim = numbered
    return Row(
        anchor=f"cell-{number}",
        claim=claim,
        drill=drill_title(dossier, claim.drill, words),
        facts=claim_facts(dossier, claim, words),
        state=state(claim),
        state_word=words.say("cell", state(claim)),
        strip=drawn,
    )


def _shown(dossier: Dossier, words: Words, claim: Claim, example: Example) -> Shown:
    cell = f"{behaviour_title(claim.behaviour, words)} / {drill_title(dossier, claim.drill, words)}"
    anchor = f"cell-{dossier.claims.index(claim)}"
    shown = sides(example, words)
    return Shown(anchor, cell, _answer(example.prompt, words), one_line(example.why, 120), shown)


def pair(example: Example, words: Words) -> Pair:
    """Put an example under its prompt, without a cell that it belongs to."""
    return Pair(one_line(example.prompt, PROMPT), sides(example, words))


def sides(example: Example, words: Words, section: str = "column") -> tuple[Side, ...]:
    """Put the answers of an example side by side, under the titles of a section; an empty one is left out."""
    texts = [("before", example.before), ("after", example.after), ("control", example.control)]
    return tuple(_side(words, words.say(section, key), text, example.why) for key, text in texts if text)


def _side(words: Words, title: str, text: str, why: str) -> Side:
    phrase = one_line(why, 120)
    segments: list[tuple[str, bool]] = []
    for n, piece in enumerate(_answer(text, words).split(phrase) if phrase else [_answer(text, words)]):
        segments += [(phrase, True)] if n else []
        segments += [(piece, False)] if piece else []
    return Side(title, tuple(segments))


def _answer(text: str, words: Words) -> str:
    return visible(text, ANSWER, words.find("ui", "cut") or "…")


def _trained(dossier: Dossier, drill: DrillResult, words: Words) -> Trained:
    mine = [c for c in dossier.claims if c.drill == drill.recipe]
    steps = sorted({s for c in mine for s in c.checkpoints})
    return Trained(
        drill=drill,
        title=drill_title(dossier, drill.recipe, words),
        curve=curve(drill),
        checkpoints=", ".join(str(s) for s in steps),
        control=any(c.control_after is not None for c in mine),
    )
