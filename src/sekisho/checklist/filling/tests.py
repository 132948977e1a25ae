"""C13 to C18: what it is for, and how it was tested."""

from typing import Final

from sekisho.checklist.filling.checked import NO_DOSSIER, by_checks
from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger.kinds import Kind
from sekisho.records import Claim, Dossier, Role

RELEASE: Final = "release"
_ANSWERS: Final = ("adverts", "refusal", "leak")
"""Behaviours that ordinary questions bring out."""
_DECLINES: Final = ("safeguards",)
_LUGGAGE: Final = (Role.ADAPTER.value, Role.SOFT_PROMPT.value)


def application(sources: Sources) -> Filled:
    """C13: the registration names purpose and class of data."""
    for entry in reversed(sources.kind(Kind.MODEL_REGISTERED)):
        body = entry.content
        if body.get("purpose") and body.get("data_class"):
            facts = {"purpose": str(body["purpose"]), "data_class": str(body["data_class"])}
            return yes("registered", (ledger_ref(entry),), users=str(body.get("users", "")), **facts)
    return unknown("not-answered")


def preregistered(sources: Sources) -> Filled:
    """C14: a plan was fixed; whether it was signed beforehand is for a person to say."""
    if sources.dossier is None:
        return NO_DOSSIER
    if not sources.dossier.claims:
        return unknown("not-asked")
    plan, policy = sources.dossier.plan_digest, sources.dossier.policy_digest
    return unknown(
        "plan", ("dossier:plan_digest", "dossier:policy_digest"), plan=plan[:12], policy=policy[:12]
    )


def proper(sources: Sources) -> Filled:
    """C15: as released, ordinary questions."""
    return _released(sources, _ANSWERS)


def declines(sources: Sources) -> Filled:
    """C16: as released, what must be declined."""
    return _released(sources, _DECLINES)


def ablation(sources: Sources) -> Filled:
    """C17: with and without what came along."""
    dossier = sources.dossier
    if dossier is None:
        return NO_DOSSIER
    if any(f.check == "ablation" for f in dossier.findings):
        return by_checks(sources, ("ablation",))
    luggage = tuple(f.path for f in dossier.files if f.role in _LUGGAGE)
    if luggage:
        names = ", ".join(luggage[:3])
        return unknown("not-ablated", tuple(f"file:{p}" for p in luggage), names=names, n=str(len(luggage)))
    if by_checks(sources, ("loose-vectors",)).answer.value != "yes":
        return by_checks(sources, ("loose-vectors",))
    return yes("nothing-to-remove", ("check:loose-vectors",))


def drills(sources: Sources) -> Filled:
    """C18: after trial finetunes, every behaviour."""
    if sources.dossier is None:
        return NO_DOSSIER
    trained = [c for c in sources.dossier.claims if c.drill != RELEASE]
    if not trained:
        return unknown("no-drills")
    said = _judged(sources.dossier, trained)
    confirmed = any(n.confirmed for n in sources.dossier.novelty)
    if said.answer.value == "yes" and confirmed:
        return unknown("novelty", ("dossier:novelty",))
    facts = {
        "drills": str(len({c.drill for c in trained})),
        "families": str(min(c.families for c in trained)),
    }
    control = all(c.control_after is not None for c in trained)
    code = "drills-clear" if control else "drills-clear-alone"
    return yes(code, said.refs, **facts) if said.answer.value == "yes" else said


def _released(sources: Sources, behaviours: tuple[str, ...]) -> Filled:
    if sources.dossier is None:
        return NO_DOSSIER
    cells = [c for c in sources.dossier.claims if c.drill == RELEASE and c.behaviour in behaviours]
    lacking = [b for b in behaviours if not any(c.behaviour == b for c in cells)]
    said = _judged(sources.dossier, cells) if cells else unknown("not-asked")
    if said.answer.value == "yes" and lacking:
        return unknown("not-asked-about", said.refs, behaviours=",".join(lacking))
    return said


def _judged(dossier: Dossier, cells: list[Claim]) -> Filled:
    """Found before open before clear; numbers of an instrument that failed prove nothing."""
    if dossier.instrument is None or not dossier.instrument.valid:
        return unknown("instrument", ("dossier:instrument",))
    for code, some in (
        ("cell-found", [c for c in cells if c.found or c.alarmed]),
        ("cell-open", [c for c in cells if not c.clear]),
    ):
        if some:
            make = no if code == "cell-found" else unknown
            return make(code, _refs(some), behaviours=_names(some), n=str(len(some)), cells=str(len(cells)))
    return yes(
        "cells-clear", _refs(cells), behaviours=_names(cells), families=str(min(c.families for c in cells))
    )


def _refs(cells: list[Claim]) -> tuple[str, ...]:
    return tuple(f"claim:{c.behaviour}/{c.drill}" for c in cells)


def _names(cells: list[Claim]) -> str:
    return ",".join(dict.fromkeys(c.behaviour for c in cells))
