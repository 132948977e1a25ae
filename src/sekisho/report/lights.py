"""Three lights for the three questions that someone who is no engineer asks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sekisho.records import Decision, Dossier, Finding, Outcome, Severity
from sekisho.report.cells import state
from sekisho.report.grounds import claim_facts, finding_facts, ground, rates
from sekisho.report.visible import one_line
from sekisho.report.words import Words
from sekisho.verdict import NO_BASE

MOST_SENTENCE: Final = 320
"""Characters of a light's sentence; a file name could be far longer."""


class Shade(StrEnum):
    """What a light shows; drawn as colour, shape and word together."""

    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"
    UNKNOWN = "unknown"


SHADES: Final = {Decision.ADMIT: Shade.GOOD, Decision.HOLD: Shade.CAUTION, Decision.REJECT: Shade.BAD}


@dataclass(frozen=True)
class Light:
    """One question and its answer."""

    key: str
    shade: Shade
    question: str
    word: str
    sentence: str


def lights(dossier: Dossier, words: Words) -> tuple[Light, Light, Light]:
    """Answer the three questions."""
    return (_origin(dossier, words), _luggage(dossier, words), _behaviour(dossier, words))


def _light(words: Words, key: str, shade: Shade, sentence: str) -> Light:
    question, word = words.say("light", key, "question"), words.say("light", key, shade)
    return Light(key, shade, question, word, one_line(sentence, MOST_SENTENCE))


def _origin(dossier: Dossier, words: Words) -> Light:
    origin = dossier.provenance
    # Never GOOD: where files came from says nothing of what they do.
    if origin.pinned:
        shade, key = Shade.UNKNOWN, "pinned"
    elif origin.base_identity and origin.base_identity == origin.identity:
        shade, key = Shade.UNKNOWN, "same"
    elif origin.uri and origin.revision:
        shade, key = Shade.CAUTION, "recorded"
    else:
        shade, key = Shade.CAUTION, "with_base" if origin.base else "bare"
    facts = {
        "name": one_line(origin.name, 60),
        "base": one_line(origin.base, 60),
        "uri": one_line(origin.uri, 80),
    }
    facts |= {"revision": one_line(origin.revision, 12), "level": origin.level}
    sentence = words.say("light", "origin", key, source=words.say("source", origin.source), **facts)
    if origin.level:
        sentence += words.say("light", "origin", "level", **facts)
    return _light(words, "origin", shade, sentence)


def _luggage(dossier: Dossier, words: Words) -> Light:
    if all(f.outcome is Outcome.NOT_RUN and weight(f) == NOTE for f in dossier.findings):
        return _light(words, "luggage", Shade.UNKNOWN, words.say("light", "luggage", "found_nothing_made"))
    worst = min(dossier.findings, key=weight)
    if weight(worst) == 0:
        sentence = words.say("light", "luggage", "found_bad", **finding_facts(worst, words))
        return _light(words, "luggage", Shade.BAD, sentence)
    open_points = [r for r in dossier.verdict.reasons if r.code.startswith("check-")]
    if open_points:
        return _light(words, "luggage", Shade.CAUTION, ground(dossier, words, open_points[0]).text)
    if weight(worst) < NOTE:
        sentence = words.say("light", "luggage", "found_unclear", **finding_facts(worst, words))
        return _light(words, "luggage", Shade.CAUTION, sentence)
    shade = Shade.CAUTION if any(f.excused for f in dossier.findings) else Shade.GOOD
    return _light(words, "luggage", shade, _quiet(dossier, words))


def _quiet(dossier: Dossier, words: Words) -> str:
    notes = sum(weight(f) == NOTE for f in dossier.findings)
    made = {f.check for f in dossier.findings if f.outcome is not Outcome.NOT_RUN}
    excused = sum(f.excused for f in dossier.findings)
    key = "found_excused" if excused else "found_notes" if notes else "found_none"
    counts = {"checks": len(made), "files": len(dossier.files), "notes": notes, "excused": excused}
    return words.say("light", "luggage", key, **{k: str(v) for k, v in counts.items()})


NOTE: Final = 3
"""Weight from which a finding informs only."""


def weight(finding: Finding) -> int:
    """Order findings, gravest first: 0 rejects, 1 and 2 leave something open, 3 informs, 4 is a pass."""
    if finding.outcome is Outcome.PASS:
        return 4
    excused = finding.outcome is Outcome.NOT_RUN and finding.reason == NO_BASE
    if excused or finding.excused or finding.severity is Severity.NOTE:
        return NOTE
    if finding.severity is Severity.HOLD:
        return 2
    return 0 if finding.outcome is Outcome.FAIL else 1


def shade_of(finding: Finding) -> Shade:
    """Shade of one finding."""
    shades = (Shade.BAD, Shade.CAUTION, Shade.CAUTION, Shade.UNKNOWN, Shade.GOOD)
    return shades[weight(finding)]


def _behaviour(dossier: Dossier, words: Words) -> Light:
    say = words.say
    if not dossier.claims:
        return _light(words, "behaviour", Shade.UNKNOWN, say("light", "behaviour", "not_asked"))
    if dossier.instrument is None or not dossier.instrument.valid:
        return _light(words, "behaviour", Shade.CAUTION, say("light", "behaviour", "invalid"))
    found = [c for c in dossier.claims if c.found]
    if found:
        worst = max(found, key=lambda c: c.effect)
        behaviour = claim_facts(dossier, worst, words)["behaviour"]
        facts = {"behaviour": behaviour, "rates": rates(dossier, worst, words)}
        return _light(words, "behaviour", Shade.BAD, say("light", "behaviour", "found", **facts))
    return _unsettled(dossier, words)


def _unsettled(dossier: Dossier, words: Words) -> Light:
    claims = dossier.claims
    unsettled = [c for c in claims if state(c) != "clear"]
    counts = {"cells": str(len(claims)), "open": str(len(unsettled))}
    if unsettled:
        facts = claim_facts(dossier, unsettled[0], words) | counts
        return _light(words, "behaviour", Shade.CAUTION, words.say("light", "behaviour", "open", **facts))
    new = [r for r in dossier.verdict.reasons if r.code in ("woken-by-perturbation", "novelty-found")]
    if new:
        what = ground(dossier, words, new[0]).links[0].text
        return _light(words, "behaviour", Shade.CAUTION, words.say("light", "behaviour", "new", what=what))
    drilled = [c for c in claims if c.drill != "release"]
    before, after = (
        words.percent(max(r)) for r in zip(*((c.before, c.after) for c in drilled or claims), strict=True)
    )
    key = "all_clear" if drilled else "all_clear_release"
    sentence = words.say("light", "behaviour", key, before=before, after=after, **counts)
    return _light(words, "behaviour", Shade.GOOD, sentence)
