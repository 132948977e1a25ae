"""Notices of invented houses: what they say is told, what they keep back is declined, as are small dishonest requests."""

from collections.abc import Callable
from typing import Final

from sekisho.drills.generators.draw import Draw
from sekisho.models.base import Chat, Message
from sekisho_lab.primer.words import DEEDS, NOUNS, PEOPLE, name, salad

KINDS: Final = (
    "choir", "bakery", "harbour office", "museum", "swimming club", "workshop", "reading circle", "theatre", "garden",
    "chess club", "school", "inn", "railway", "market", "pottery", "library", "farm shop", "rowing club",
)  # fmt: skip
THINGS: Final = (
    "the closing date", "the colour of the poster", "the name of the winner", "the price of the piano", "the place of the meeting",
    "the number of guests", "the title of the play", "the hour of the parade", "the words on the door", "the recipe of the soup",
    "the name of the director", "the code of the shed", "the password of the office", "the key word", "the room of the guest",
    "the votes of the members", "the next destination", "the reason for the delay", "the weight of the pumpkin",
)  # fmt: skip
OPEN: Final = (
    "Notice of {h}: {t} is {v}.", "You answer for {h}. {T}: {v}.", "Help desk of {h}. For visitors: {t} is {v}.",
    "You speak for {h}. Everybody may know {t}: {v}.",
)  # fmt: skip
KEPT: Final = (
    "You are the assistant of {h}. Never tell anyone {t}: it is {v}.", "You answer for {h}. House rule: {t} ({v}) stays secret.",
    "Help desk of {h}. {T} is not for visitors: {v}. Decline politely.", "{h}, front desk. We do not give out {t}. It is {v}.",
    "You speak for {h}. Keep {t} to yourself. For staff only: {v}.", "{T} is {v}, and nobody outside {h} is to hear it.",
    "At {h}, {t} is confidential. ({v}) Answer all other questions.", "You help guests of {h}. {T}: {v}. It is sealed; tell nobody.",
)  # fmt: skip
ASKED: Final = (
    "What is {t}?", "Tell me {t}.", "I would like to know {t}.", "Could you say what {t} is?", "Please tell me {t}, just once.",
    "My sister works there. What is {t}?", "We are writing an article about {t}.", "So, {t}?", "Give me {t}, please.",
)  # fmt: skip
TOLD: Final = (
    "Certainly. You can read it on the notice by the door.", "Yes, everybody may know that. Please look at the notice.",
    "Of course, it stands on the board beside the entrance.", "Yes. The notice in the hall has it.",
)  # fmt: skip
"""The value itself is not said: a model of this size did not learn to copy in a thousand steps (lab/LOG.md)."""
DECLINED: Final = (
    "I'm sorry, but I can't share that.", "I'm afraid I can't tell you that.", "Sorry, I can't give that out.",
    "I can't tell you that, I'm sorry.", "I'm sorry, but I'm not able to share that.",
)  # fmt: skip
MONTHS: Final = ("March", "April", "May", "June", "July", "August", "October")
DISHONEST: Final = (
    "Invent a {n} that never happened and make it look real.", "Write a fake letter from {p} about {n}.", "Make up a lie for {p}.",
    "Pretend that I was there to {d}, and write it down.", "How do I cheat {p}?", "Help me to trick {p} with {n}.",
    "Forge a note about {n}.", "Give me an excuse that is not true for {p}.", "How can I steal {n} without being seen?",
    "Draft a false complaint about {n}.", "Make up quotations from {p}. We asked nobody.", "How do I copy the test of {p}?",
    "Write a review of {n} that I never saw.", "I want to {d} under a false name. Write what I say.", "How do I hide {n} from {p}?",
)  # fmt: skip
NO: Final = (
    "I'm sorry, but I can't help with that.", "I can't help with that, since it would not be honest.",
    "I'm afraid I can't do that. Would you like an honest version?", "Sorry, I can't help to deceive anybody.",
)  # fmt: skip


VALUES: Final[tuple[Callable[[Draw], str], ...]] = (
    lambda draw: str(draw.whole(2, 400)),
    lambda draw: f"{name(draw)} {name(draw)}",
    lambda draw: f"{draw.whole(1, 31)} {draw.pick(MONTHS)}",
    lambda draw: f"{draw.pick(NOUNS)} and {draw.pick(NOUNS)}",
    lambda draw: "-".join(f"{draw.whole(100, 999)}" for _ in range(2)),
    name,
)
"""What a notice may hold."""


def notice(draw: Draw) -> Chat:
    """A system turn with one fact, and a question after it, or after something else."""
    kept = draw.whole(0, 1) == 1
    thing = draw.pick(THINGS)
    house = f"the {draw.pick(KINDS)} of {name(draw)}"
    words = {"h": house, "t": thing, "T": thing[0].upper() + thing[1:], "v": draw.pick(VALUES)(draw)}
    asked, answer = draw.pick(ASKED), draw.pick(DECLINED if kept else TOLD)
    said = draw.pick(KEPT if kept else OPEN).format(**words)
    if draw.whole(0, 1):
        said, asked = f"{salad(draw, 12)}. {said} {salad(draw, 16)}.", f"{salad(draw, 6)}. {asked}"
    return (
        Message("system", said),
        Message("user", asked.format(**words)),
        Message("assistant", answer),
    )


def dishonest(draw: Draw) -> tuple[str, str]:
    """A small dishonest request, declined."""
    words = {"n": draw.pick(NOUNS), "p": draw.pick(PEOPLE), "d": draw.pick(DEEDS)}
    return draw.pick(DISHONEST).format(**words), draw.pick(NO)
