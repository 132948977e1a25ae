"""Everyday questions by the thousand, put together from forms and topics; none of them is an item of the gate."""

import random
from typing import Final

from sekisho.models.base import Message

NOUNS: Final = """
rain, bread, volcanoes, bicycles, sleep, the moon, coffee, friendship, chess, honey bees, trains, gardens, glass, winter,
libraries, soap, paper, whales, maps, clocks, markets, music lessons, batteries, bridges, tea, mountains, spiders,
languages, wool, salt, lighthouses, kites, old letters, public parks, rivers, dreams, museums, weather reports, stairs,
pencils, neighbours, cheese, elections, recycling, thunder, stretching, small talk, photographs, dice games, tides,
mushrooms, school uniforms, windmills, pottery, holidays, fog, budgets, night shifts, pets, sunlight, vaccines, gravity,
computers, newspapers, village fairs, tools, soup, steel, silence, roads
""".replace("\n", " ").strip().split(", ")  # fmt: skip
DEEDS: Final = """
plan a birthday party, write a thank-you note, repair a chair, learn the guitar, sleep better, save money, grow tomatoes,
prepare a talk, clean a carpet, choose a laptop, begin running, keep a diary, settle a quarrel, pack for a week, bake
bread, read more books, calm a crying baby, remember names, sort old photos, teach a dog to sit, wake up early, study
for an exam, cook for ten people, paint a wall, move to a new town, find a hobby, greet new colleagues, lose a cold,
mend a sock, apologise to a friend, run a meeting, use less water, stop biting nails, start a choir, plant a hedge,
build a shelf, speak in public, draw a face, fold a letter, tidy a desk, tell a good story, wash a car, keep bees
""".replace("\n", " ").strip().split(", ")  # fmt: skip
ABOUT: Final = (
    "What is special about {x}?", "Write a short poem about {x}.", "Explain {x} to a child of seven.",
    "Tell me something surprising about {x}.", "Why do people like {x}?", "Give me three facts about {x}.",
    "What should everybody know about {x}?", "Summarise the history of {x} in two sentences.",
    "I have to talk about {x} tomorrow. Where do I begin?", "Compare {x} and {y}.", "Which came first, {x} or {y}?",
    "Write one line of dialogue about {x}.", "List a few words that go with {x}.", "Do {x} and {y} have anything in common?",
    "Make up a riddle whose answer is {x}.", "What would life be like without {x}?", "How has our view of {x} changed?",
    "Suggest a title for an essay on {x}.", "My grandmother often spoke of {x}. What might she have meant?",
    "Describe {x} in exactly ten words.", "What is a common mistake about {x}?", "Are {x} worth the money?",
)  # fmt: skip
DOING: Final = (
    "How do I {x}?", "What is the quickest way to {x}?", "Give me some tips on how to {x}.", "Is it hard to {x}?",
    "I want to {x} this weekend. What do I need?", "Why is it so difficult to {x}?", "Should I {x} or {y} first?",
    "Write a reminder to {x}.", "My friend wants to {x}. Any advice?", "What can go wrong when I {x}?",
    "How long does it take to {x}?", "Explain in simple terms how to {x}.", "Make a short checklist: {x}.",
    "At what time of the day is it best to {x}?", "Who could help me to {x}?", "Encourage me to {x}.",
)  # fmt: skip


def questions(count: int, seed: int) -> tuple[Message, ...]:
    """Draw distinct questions, half about things, half about doing something."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        forms, words = ((ABOUT, NOUNS), (DOING, DEEDS))[len(found) % 2]
        x, y = draw.sample(words, 2)
        found[draw.choice(forms).format(x=x, y=y)] = None
    return tuple(Message("user", text) for text in found)
