"""The verdict in one sentence, what to do next, its grounds and what would settle it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sekisho.records import Claim, Decision, Dossier, Finding, Novelty, Outcome, Reason
from sekisho.report.visible import one_line
from sekisho.report.words import Words


@dataclass(frozen=True)
class Link:
    """A pointer to evidence in the same report; without an anchor it is text only."""

    text: str
    anchor: str


@dataclass(frozen=True)
class Ground:
    """One ground, or one step that would settle a HOLD, as a sentence."""

    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Headline:
    """What a manager reads first."""

    word: str
    sentence: str
    more: str
    next_step: str


def headline(dossier: Dossier, words: Words) -> Headline:
    """Say the verdict and what to do next."""
    verdict = dossier.verdict
    return Headline(
        words.say("decision", verdict.decision),
        _sentence(dossier, words),
        _excused(dossier, words)
        if verdict.decision is Decision.ADMIT
        else _more(len(grounds(dossier, words)) - 1, words),
        _next_step(dossier, words),
    )


def grounds(dossier: Dossier, words: Words) -> tuple[Ground, ...]:
    """Say every ground of the verdict, in the verdict's own order; many findings alike are one ground."""
    return _grouped(dossier, words, dossier.verdict.reasons, "reason")


def settle(dossier: Dossier, words: Words) -> tuple[Ground, ...]:
    """Say what would settle a HOLD; the same step for many findings is said once."""
    return _grouped(dossier, words, dossier.verdict.settle, "settle")


def _grouped(dossier: Dossier, words: Words, reasons: tuple[Reason, ...], section: str) -> tuple[Ground, ...]:
    alike: dict[object, list[Reason]] = {}
    for number, reason in enumerate(reasons):
        evidence = _evidence(dossier, reason)
        key = (reason.code, evidence.check, evidence.reason) if isinstance(evidence, Finding) else number
        alike.setdefault(key, []).append(reason)
    made = []
    for group in alike.values():
        first = ground(dossier, words, group[0], section)
        rest = len(group) - 1
        more = [words.say("ui", "and_alike", n=str(rest))] if rest else []
        made.append(Ground(" ".join([first.text, *more]), first.links))
    return tuple(made)


def behaviour_title(behaviour: str, words: Words, key: str = "title") -> str:
    """Name a behaviour; its id if no one has named it."""
    return words.find("behaviour", behaviour, key) or one_line(behaviour) or words.say("ui", "all_behaviours")


def drill_title(dossier: Dossier, drill: str, words: Words) -> str:
    """Name a training; `release` is the model as it came."""
    if drill == "release":
        return words.say("ui", "release_long" if dossier.provenance.base else "release")
    named = next((t for t in dossier.titles if t.drill == drill), None)
    titles = {"en": named.en, "ja": named.ja} if named else {}
    return one_line(titles.get(words.language, ""), 80) or one_line(drill, 60)


def rates(dossier: Dossier, claim: Claim, words: Words) -> str:
    """Say the rates of a cell: before, after, and the control's if there was one."""
    if claim.drill == "release":
        key = "release_base" if dossier.provenance.base else "release"
    else:
        key = "trained" if claim.control_after is None else "control"
    return words.say("rates", key, **claim_facts(dossier, claim, words))


def measured_before(dossier: Dossier, claim: Claim) -> float | None:
    """Rate before; None as released without a base, where the record's zero was assumed and not measured."""
    return None if claim.drill == "release" and not dossier.provenance.base else claim.before


def claim_facts(dossier: Dossier, claim: Claim, words: Words) -> dict[str, str]:
    """Name every number of a cell for use in a sentence."""
    before = measured_before(dossier, claim)
    released = claim.drill == "release"
    drill = words.say("ui", "release") if released else drill_title(dossier, claim.drill, words)
    return {
        "behaviour": behaviour_title(claim.behaviour, words),
        "behaviour_in_text": behaviour_title(claim.behaviour, words, "in_text"),
        "drill": drill,
        "when": words.say("rates", "at_release") if released else words.say("rates", "after", drill=drill),
        "step": str(claim.worst_step),
        "families": str(claim.families),
        "abstained": str(claim.abstained),
        "before": words.say("ui", "not_measured") if before is None else words.percent(before),
        "after": words.percent(claim.after),
        "control": words.percent(claim.control_after),
        "effect": words.points(claim.effect),
        "interval": words.interval(claim.low, claim.high),
        "margin": words.points(claim.margin, "-"),
        "ceiling": words.points(claim.ceiling, "-"),
        "why": one_line(claim.examples[0].why, 60) if claim.examples else "",
    }


def finding_facts(finding: Finding, words: Words) -> dict[str, str]:
    """Name what a finding says for use in a sentence."""
    where, sentence = one_line(finding.where, 120), words.finding(finding)
    told = not where or where in sentence
    return {
        "check": words.check(finding.check),
        "where": where,
        "in_where": "" if told else words.say("ui", "in_where", where=where),
        "sentence": sentence,
    }


def novelty_facts(found: Novelty, words: Words, drill: str = "") -> dict[str, str]:
    """Say what came up, where, and how often; `drill` is the title of the training."""
    code = one_line(found.text, 60)
    what = words.find("novelty", "shape", code) if found.kind == "shape" else None
    counts = {"families": found.families, "before": found.before, "after": found.after, "step": found.step}
    beside = {"control_before": found.control_before, "control_after": found.control_after}
    facts = {k: "–" if v is None else str(v) for k, v in (counts | beside).items()}
    facts |= {
        "drill": drill or one_line(found.drill, 60),
        "what": what or words.say("novelty", found.kind, text=code),
    }
    key = "counts" if found.control_after is None else "counts_control"
    return {**facts, "counts": words.say("novelty", key, **facts)}


def cited(dossier: Dossier, ref: str) -> Claim | Finding | Novelty | None:
    """Find what `claim:<behaviour>/<drill>`, `battery:<behaviour>/<perturbation>`, `check:<id>@<where>` or `novelty:<number>` points at."""
    if ref.startswith("claim:"):
        return next((c for c in dossier.claims if f"claim:{c.behaviour}/{c.drill}" == ref), None)
    if ref.startswith("battery:"):
        cells = (c for result in dossier.battery for c in result.cells)
        return next((c for c in cells if f"battery:{c.behaviour}/{c.drill}" == ref), None)
    if ref.startswith("novelty:"):
        return next((n for i, n in enumerate(dossier.novelty) if f"novelty:{i}" == ref), None)
    exact = (
        f for f in dossier.findings if f"check:{f.check}@{f.where}" == ref and f.outcome is not Outcome.PASS
    )
    return next(exact, None)


def battery_anchor(claim: Claim) -> str:
    """Where a cell of the perturbation battery stands in a page."""
    return one_line(f"battery-{claim.behaviour}-{claim.drill}", 120)


def _sentence(dossier: Dossier, words: Words) -> str:
    """Name the first ground; a verdict lists the worst first."""
    grounds = dossier.verdict.reasons
    if dossier.verdict.decision is Decision.ADMIT:
        return words.say("headline", _admitted(dossier))
    what = _what(dossier, words, grounds[0]) if grounds else words.say("headline", "no_reason")
    return words.say("headline", dossier.verdict.decision, what=what)


def _admitted(dossier: Dossier) -> str:
    end = "_excused" if any(f.excused for f in dossier.findings) else ""
    if not dossier.claims:
        return f"admit_static{end}"
    return f"{'admit' if any(c.drill != 'release' for c in dossier.claims) else 'admit_probed'}{end}"


def _excused(dossier: Dossier, words: Words) -> str:
    count = sum(f.excused for f in dossier.findings)
    return words.say("headline", "excused", n=str(count)) if count else ""


def _what(dossier: Dossier, words: Words, reason: Reason) -> str:
    evidence = _evidence(dossier, reason)
    if reason.code == "behaviour-found" and isinstance(evidence, Claim):
        return _deed(dossier, evidence, words)
    return words.say("reason", _code(dossier, reason), "short", **_facts(dossier, words, reason))


def _code(dossier: Dossier, reason: Reason) -> str:
    """The key of a reason's sentence: an alarm without any training is told in other words."""
    evidence = _evidence(dossier, reason)
    released = isinstance(evidence, Claim) and evidence.drill == "release"
    return "alarm-as-released" if reason.code == "alarm-without-control" and released else reason.code


def _deed(dossier: Dossier, claim: Claim, words: Words) -> str:
    key = "shows" if claim.drill == "release" else "woke"
    facts = claim_facts(dossier, claim, words)
    named = words.find("behaviour", claim.behaviour, f"{key}_named") if facts["why"] else None
    known = words.find("behaviour", claim.behaviour, key) is not None
    return words.say(
        "behaviour", claim.behaviour if known else "other", f"{key}_named" if named else key, **facts
    )


def _more(rest: int, words: Words) -> str:
    if rest < 1:
        return ""
    return words.say("headline", "one_more") if rest == 1 else words.say("headline", "more", n=str(rest))


def _next_step(dossier: Dossier, words: Words) -> str:
    steps = settle(dossier, words)
    if dossier.verdict.decision is Decision.HOLD and steps:
        return words.say("next", "hold_first", first=steps[0].text)
    return words.say("next", dossier.verdict.decision)


def ground(dossier: Dossier, words: Words, reason: Reason, section: str = "reason") -> Ground:
    """Say one ground (`section` is `reason`) or one step that would settle it (`settle`)."""
    text = words.say(
        section,
        _code(dossier, reason) if section == "reason" else reason.code,
        "long",
        **_facts(dossier, words, reason),
    )
    return Ground(text.strip(), tuple(_link(dossier, words, ref) for ref in reason.refs))


def _facts(dossier: Dossier, words: Words, reason: Reason) -> Mapping[str, str]:
    """Values for a ground's sentence: the verdict's own facts, then those of the evidence, which win."""
    facts = dict(reason.facts)
    if dossier.instrument is not None:
        facts["instrument"] = dossier.instrument.detail
    evidence = _evidence(dossier, reason)
    if isinstance(evidence, Claim):
        stated = {k: v for k, v in facts.items() if k == "families"}
        measured = claim_facts(dossier, evidence, words)
        return {**facts, **measured, "rates": rates(dossier, evidence, words), **stated}
    if isinstance(evidence, Finding):
        return {**facts, **finding_facts(evidence, words)}
    if isinstance(evidence, Novelty):
        return {**facts, **novelty_facts(evidence, words, drill_title(dossier, evidence.drill, words))}
    return {**facts, **_named(dossier, words, reason)}


def _named(dossier: Dossier, words: Words, reason: Reason) -> dict[str, str]:
    """Facts of evidence that is not in the dossier, as far as its reference names it."""
    kind, _, name = (reason.refs[0] if reason.refs else "").partition(":")
    first, _, second = name.partition("/" if kind == "claim" else "@")
    named = {"in_where": words.say("ui", "in_where", where=second) if second else "", "sentence": ""}
    if kind == "check":
        return {**named, "check": words.check(first), "where": second}
    title, in_text = (behaviour_title(first, words, key) for key in ("title", "in_text"))
    drill = drill_title(dossier, second, words)
    released = second == "release"
    when = words.say("rates", "at_release") if released else words.say("rates", "after", drill=drill)
    return {**named, "behaviour": title, "behaviour_in_text": in_text, "drill": drill, "when": when}


def _evidence(dossier: Dossier, reason: Reason) -> Claim | Finding | Novelty | None:
    return next((found for ref in reason.refs if (found := cited(dossier, ref)) is not None), None)


def _link(dossier: Dossier, words: Words, ref: str) -> Link:
    found = cited(dossier, ref)
    if isinstance(found, Claim):
        title = f"{behaviour_title(found.behaviour, words)} / {claim_facts(dossier, found, words)['drill']}"
        if ref.startswith("battery:"):
            return Link(title, battery_anchor(found))
        return Link(title, f"cell-{dossier.claims.index(found)}")
    if isinstance(found, Finding):
        return Link(
            one_line(found.where, 80) or words.check(found.check), f"finding-{dossier.findings.index(found)}"
        )
    if isinstance(found, Novelty):
        return Link(novelty_facts(found, words)["what"], f"novelty-{dossier.novelty.index(found)}")
    return Link(one_line(ref, 120), "")
