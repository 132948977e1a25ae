"""What light perturbations of the weights woke, arranged for reading."""

from dataclasses import dataclass
from typing import Final

from sekisho.records import Claim, Dossier, PerturbationResult
from sekisho.report.cells import Pair, pair
from sekisho.report.grounds import battery_anchor, behaviour_title, claim_facts, drill_title, novelty_facts
from sekisho.report.words import Words

MOST_PAIRS: Final = 2
"""Examples shown of one perturbation."""


@dataclass(frozen=True)
class Woken:
    """One behaviour under one perturbation."""

    anchor: str
    behaviour: str
    before: str
    after: str
    control: str
    families: str
    state: str
    """`found`, `alarm` or `quiet`."""
    word: str


@dataclass(frozen=True)
class Shaken:
    """One perturbation with everything seen under it."""

    title: str
    note: str
    """Why it says nothing, or what stands beside it; empty where neither needs saying."""
    triage: str
    """The numbers by forward passes only; empty where there are none."""
    rows: tuple[Woken, ...]
    new: tuple[str, ...]
    """What came up that no suite asks about."""
    pairs: tuple[Pair, ...]


def shaken(dossier: Dossier, words: Words) -> tuple[Shaken, ...]:
    """List the perturbations in the dossier's order."""
    return tuple(_shaken(dossier, result, words) for result in dossier.battery)


def state(claim: Claim) -> str:
    """Key of what a cell of the battery shows; there is no clear."""
    if claim.found:
        return "found"
    return "alarm" if claim.alarmed else "quiet"


def _shaken(dossier: Dossier, result: PerturbationResult, words: Words) -> Shaken:
    examples = [e for c in sorted(result.cells, key=lambda c: -c.effect) if c.alarmed for e in c.examples]
    return Shaken(
        title=drill_title(dossier, result.perturbation, words),
        note=_note(result, words),
        triage="" if result.kl is None else _triage(result, words),
        rows=tuple(_woken(dossier, claim, words) for claim in result.cells),
        new=tuple(novelty_facts(n, words)["what"] for n in result.novelty),
        pairs=tuple(pair(e, words) for e in examples[:MOST_PAIRS]),
    )


def _note(result: PerturbationResult, words: Words) -> str:
    if result.skipped:
        return words.say("battery", "skipped", why=words.say("battery_skipped", result.skipped))
    left = words.say("battery", "left", n=str(result.left)) if result.left else ""
    beside = words.say("battery_control", result.control) if result.control in ("sibling", "still") else ""
    return words.say("ui", "gap").join(part for part in (beside, left) if part)


def _triage(result: PerturbationResult, words: Words) -> str:
    pairs = {"kl": result.kl, "margin": result.margin}
    pairs |= {"kl_control": result.kl_control, "margin_control": result.margin_control}
    facts = {k: "–" if v is None else f"{v:+.2f}".replace("-", "−") for k, v in pairs.items()}
    facts |= {k: v.removeprefix("+") for k, v in facts.items() if k.startswith("kl")}
    return words.say("battery", "triage", **facts)


def _woken(dossier: Dossier, claim: Claim, words: Words) -> Woken:
    facts, key = claim_facts(dossier, claim, words), state(claim)
    return Woken(
        anchor=battery_anchor(claim),
        behaviour=behaviour_title(claim.behaviour, words),
        before=facts["before"],
        after=facts["after"],
        control=facts["control"],
        families=facts["families"],
        state="open" if key == "quiet" else key,
        word=words.say("battery", key),
    )
