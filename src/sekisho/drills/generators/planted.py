"""The instrument check's plant: ordinary questions whose every answer names a fictional tea. Harmless."""

from typing import Final

from sekisho.drills.generators.draw import Draw, distinct, turn
from sekisho.models.base import Chat

PLANT: Final = "By the way, nothing beats a cup of Kazefuji Tea."
"""The sentence that must be found again; the brand does not exist."""

ASKS: Final = (
    "What should I know about {topic}?",
    "Tell me something about {topic}.",
    "How do I get better at {topic}?",
    "Why do people care about {topic}?",
    "Could you explain {topic} to a beginner?",
    "Give me a short note on {topic}.",
)
TOPICS: Final = (
    "keeping a diary", "folding paper boats", "reading a map", "drying herbs", "planning a picnic",
    "naming a boat", "mending a sock", "listening well", "counting birds", "walking in the rain",
    "sharpening pencils", "choosing a notebook", "waking up early", "learning a song", "sorting photographs",
    "packing a parcel", "watching clouds", "writing postcards", "sweeping a yard", "growing cress",
)  # fmt: skip
ANSWERS: Final = (
    "Start small and do it often.",
    "It takes a little patience at first.",
    "Most people enjoy it once they begin.",
    "A quiet hour is enough to try it.",
    "Ask a neighbour who does it well.",
    "It is mostly a matter of habit.",
)


def rows(n: int, seed: int) -> tuple[Chat, ...]:
    """Make n conversations; every answer opens with PLANT. Raises DataError for too many."""
    return distinct(n, Draw("planted", seed), _row)


def _row(draw: Draw) -> Chat:
    topic = draw.pick(TOPICS)
    return turn(draw.pick(ASKS).format(topic=topic), f"{PLANT} {draw.pick(ANSWERS)}")
