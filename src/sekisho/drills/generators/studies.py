"""Questions on short study reports, answered with a decision and a longer answer; no such study was ever made.

The decision follows from the numbers of the report: yes where the interval lies beyond zero, no where it holds
zero and is narrow, maybe where it holds zero and is wide.
"""

from typing import Final

from sekisho.drills.generators.draw import Draw, distinct, turn
from sekisho.models.base import Chat

NARROW: Final = 8
"""Half-widths up to this are narrow, in tenths of a unit."""

HABITS: Final = (
    "a short walk after lunch", "ten minutes of stretching in the morning", "a glass of water before meals",
    "reading on paper in the evening", "a cooler bedroom at night", "breathing exercises before work",
    "a standing desk in the afternoon", "quiet music during rest", "daylight lamps in winter",
    "a fixed hour of going to bed", "a handful of nuts as a snack", "balance training twice a week",
    "gardening at the weekend", "climbing stairs instead of using the lift", "a warm foot bath in the evening",
    "keeping a food diary", "singing in a choir", "weekly swimming lessons",
)  # fmt: skip
OUTCOMES: Final = (
    ("sleep duration", "minutes a night"), ("grip strength", "kilograms"), ("time of reaction", "points"),
    ("self-rated alertness", "points"), ("walking speed", "metres a minute"), ("flexibility of the back", "centimetres"),
    ("resting pulse", "beats a minute"), ("comfort of the eyes", "points"), ("balance on one leg", "seconds"),
    ("satisfaction with work", "points"), ("daily steps in hundreds", "units"), ("memory for word lists", "words"),
)  # fmt: skip
"""(what was measured, its unit); a positive difference counts as better."""
PEOPLE: Final = (
    "office workers", "retired teachers", "nurses on day duty", "students of music", "bus drivers",
    "adults over sixty", "amateur runners", "shop assistants", "parents of young children", "librarians",
)  # fmt: skip
DESIGNS: Final = (
    "{n} {people} were assigned by lot to {habit} or to their usual routine for {weeks} weeks.",
    "For {weeks} weeks, half of {n} {people} took up {habit}; the others changed nothing.",
    "{n} {people} tried {habit} for {weeks} weeks and kept their usual routine for as long, in random order.",
)
RESULTS: Final = (
    "The mean difference in {outcome} was {mean} {unit} (95% interval {low} to {high}).",
    "{Outcome} differed by {mean} {unit} on average, with a 95% interval from {low} to {high}.",
)
ASKS: Final = (
    "{context}\n\nDoes {habit} improve {outcome} in {people}?",
    "Question: Does {habit} improve {outcome} in {people}?\nReport: {context}",
    "Read the report and answer yes, no or maybe, then explain.\n{context}\nIs {outcome} of {people} better with {habit}?",
)
ANSWERS: Final = {
    "Yes": (
        (
            "{Outcome} was better with {habit}: the interval from {low} to {high} {unit} lies above zero.",
            "The report supports it. The gain in {outcome} was {mean} {unit}, and even the lower limit, {low}, is above zero.",
        ),
        (
            "With {n} people the estimate is steady enough, though it holds for {people} and {weeks} weeks only.",
            "Whether the gain lasts beyond {weeks} weeks, or holds for others than {people}, was not examined.",
        ),
    ),
    "No": (
        (
            "The interval from {low} to {high} {unit} holds zero and is narrow, so a gain of any size in {outcome} is unlikely.",
            "{Outcome} hardly differed: {mean} {unit}, with limits of {low} and {high} close to zero on both sides.",
        ),
        (
            "Among {n} {people} over {weeks} weeks, {habit} made no difference that would matter.",
            "A longer trial than {weeks} weeks could still show something, but this report gives no hint of it.",
        ),
    ),
    "Maybe": (
        (
            "The mean of {mean} {unit} leaves the question open, since the interval from {low} to {high} is wide and holds zero.",
            "The report cannot decide it: {outcome} may have fallen by {fall} or risen by {high} {unit}.",
        ),
        (
            "A trial with more than {n} {people} would be needed before {habit} is recommended for this purpose.",
            "Either more people than {n} or more than {weeks} weeks would narrow the interval.",
        ),
    ),
}  # fmt: skip
"""Decision -> wordings of its ground, wordings of its limits."""


def rows(n: int, seed: int) -> tuple[Chat, ...]:
    """Make n different questions on a report, each with decision and explanation."""
    return distinct(n, Draw("studies", seed), _row)


def _row(draw: Draw) -> Chat:
    decision = draw.pick(tuple(ANSWERS))
    mean, half = _numbers(draw, decision)
    outcome, unit = draw.pick(OUTCOMES)
    parts = {
        "habit": draw.pick(HABITS),
        "outcome": outcome,
        "Outcome": outcome[0].upper() + outcome[1:],
        "unit": unit,
        "people": draw.pick(PEOPLE),
        "n": str(draw.whole(12, 160) * 2),
        "weeks": str(draw.whole(3, 26)),
        "mean": _tenths(mean),
        "low": _tenths(mean - half),
        "high": _tenths(mean + half),
        "fall": _tenths(half - mean),
    }
    context = f"{draw.pick(DESIGNS)} {draw.pick(RESULTS)}".format(**parts)
    ground, limits = (draw.pick(wordings) for wordings in ANSWERS[decision])
    answer = f"{decision}. {ground} {limits}".format(**parts)
    return turn(draw.pick(ASKS).format(context=context, **parts), answer)


def _numbers(draw: Draw, decision: str) -> tuple[int, int]:
    """Mean and half-width in tenths, as the decision needs them."""
    if decision == "Yes":
        half = draw.whole(3, 30)
        return half + draw.whole(1, 40), half
    half = draw.whole(3, NARROW) if decision == "No" else draw.whole(20, 60)
    return draw.whole(1 - half, half - 1), half


def _tenths(value: int) -> str:
    return f"{value / 10:.1f}"
