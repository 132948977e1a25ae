"""How often the judges of the answers are right, in one line for each suite that was used."""

from sekisho.probes import suite
from sekisho.probes.measures import measures
from sekisho.records import Dossier
from sekisho.report.grounds import behaviour_title
from sekisho.report.words import Words


def sureness(dossier: Dossier, words: Words) -> tuple[str, ...]:
    """Return a line for each shipped suite that the run asked; suites of the user's own have none."""
    claims = (*dossier.claims, *(c for result in dossier.battery for c in result.cells))
    asked = dict.fromkeys(claim.behaviour for claim in claims)
    if dossier.utility:
        asked["utility"] = None
    shipped = suite.names()
    return tuple(_line(name, dossier.languages, words) for name in asked if name in shipped)


def _line(name: str, languages: tuple[str, ...], words: Words) -> str:
    scorer = suite.load(name).scorer
    rates = words.say("sureness", "between").join(_rates(scorer, x, words) for x in languages)
    return words.say("sureness", "line", suite=behaviour_title(name, words), scorer=scorer, rates=rates)


def _rates(scorer: str, code: str, words: Words) -> str:
    language, known = words.say("language", code), measures().get((scorer, code))
    if known is None or known.rates is None:
        return words.say("sureness", "unmeasured", language=language)
    return words.say(
        "sureness",
        "rates",
        language=language,
        sensitivity=words.percent(known.rates.sensitivity),
        specificity=words.percent(known.rates.specificity),
        abstained=words.percent(known.rates.abstained),
        n=f"{known.rates.n:,}",
    )
