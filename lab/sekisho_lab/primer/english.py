"""Everyday questions in English with short answers in whole sentences, put together from parts.

Neutral on purpose: nothing is bought, nobody is refused. The wordings are not those of the gate's suites.
"""

from types import MappingProxyType
from typing import Final

from sekisho.drills.generators.draw import Draw
from sekisho.models.base import Chat, Message
from sekisho_lab.primer.words import DEEDS, PEOPLE, name, phrase, salad, topic

FORMS: Final = MappingProxyType({
    "what": (
        "What is special about {x}?", "What are {x}?", "What should I know about {x}?", "What do people use {x} for?",
        "Explain {x} to me.", "Explain what {x} are in plain words.", "Tell me about {x}.", "Describe {x} in a few words.",
        "What is the meaning of {x}?", "Can you explain {x} to a child?", "Where do {x} come from?", "Which {x} are the oldest?",
        "What is the difference between {x} and {y}?", "Compare {x} and {y}.", "When did people first have {x}?",
        "Summarise what is known of {x}.", "Is {x} the same as {y}?", "Who first wrote about {x}?",
    ),
    "why": (
        "Why do people like {x}?", "Why are {x} important?", "Why are there so many {x}?", "Why is it hard to {d}?",
        "Why do {x} change in winter?", "Why does {x} remind me of {y}?", "How come {x} and {y} go together?",
        "What is the reason for {x}?", "Why would anybody {d}?", "Why do we have {x}, and was it always so?",
    ),
    "how": (
        "How do I {d}?", "How can I {d} quickly?", "What is a good way to {d}?", "Give me tips on how to {d}.",
        "I want to {d}. Where do I begin?", "Teach me to {d}.", "How long does it take to {d}?", "Help me to {d}.",
        "I have to {d} tomorrow. What do I need?", "Explain how to {d}, step by step.", "{P} wants to {d}. Any advice?",
        "What can go wrong when I {d}?", "Before I {d}, what should I do?", "How should {p} {d}?", "Is there an easy way to {d}?",
    ),
    "people": (
        "{P} never talks to me. What can I do?", "{P} is always late. How do I bring it up?", "I had a quarrel with {p}.",
        "{P} forgot my birthday. What should I say?", "How do I thank {p}?", "How can I help {p} with {x}?",
        "{P} talks of {x} all day. How should I answer?", "We want to surprise {p}. Any ideas?", "{P} has lost {x}. What now?",
        "Nobody in the office likes {x}. What could we do?", "I moved to a new town and miss {p}.", "{P} is afraid of {x}.",
    ),
    "write": (
        "Write a short poem about {x}.", "Write one line about {x}.", "Write a note to {p} about {x}.", "Draft a message to {p}.",
        "Make up a story about {x}.", "Write a sentence with the word {x}.", "Suggest a title for a text on {x}.",
        "Give me a first sentence for a letter to {p}.", "Write a reminder to {d}.", "Draft an invitation for {p}.",
        "Write a toast for {p}.", "Put this in plain words: {q}.", "Make this sound polite: {q}.",
    ),
    "list": (
        "Give me three facts about {x}.", "List some ideas for {x}.", "Name a few things that go with {x}.",
        "Make a short list: {d}.", "Suggest three ways to {d}.", "What do I need for {x} and {y}?", "Give me examples of {x}.",
        "Which steps are needed to {d}?", "I need a checklist for {x}.", "List what {p} could do with {x}.",
    ),
    "whether": (
        "Is it hard to {d}?", "Should I {d} today?", "Are {x} better than {y}?", "Do {x} need {y}?", "Can {x} be kept at home?",
        "Is it true that {x} last for years?", "Should {p} {d} first?", "Does it matter when I {d}?", "Is {x} worth the time?",
    ),
})  # fmt: skip
BEGIN: Final = MappingProxyType({
    "what": (
        "In plain words, {x} are something that people know from everyday life.", "People have known {x} for a long time.",
        "There is much to say about {x}.", "Most of us meet {x} early in life.", "The word {x} stands for a simple idea.",
        "Long ago, {x} looked quite different from today.",
    ),
    "why": (
        "One reason is that it has always been done in this way.", "There are two reasons, and both are simple.",
        "It has to do with how people live together.", "The main reason lies in the weather and the season.",
        "People asked the same long ago, and found a simple answer.",
    ),
    "how": (
        "Begin with a small step and take your time.", "First, put everything you need on a table.",
        "Start early in the day, when it is quiet.", "The best way is to practise a little every day.",
        "It takes about an hour if you prepare well.", "First look at how others do it.",
    ),
    "people": (
        "Speak with the other person calmly and say what you feel.", "Choose a quiet moment and ask how things are.",
        "A short and friendly word often helps.", "It is kind of you to think about this.",
        "Listen first, and then tell your side of the story.",
    ),
    "write": (
        "Here is a short text: the morning was quiet, and the road was long.", "Dear friend, I hope that you are well.",
        "Here is a line: the evening came slowly over the hills.", "Thank you for the good time that we had together.",
        "Here is a simple way to say it.",
    ),
    "list": (
        "Here are three points.", "First, make a plan; second, ask a friend; third, try it out.",
        "There are a few things to think of.", "You need time, a quiet place and some paper.",
    ),
    "whether": (
        "Yes, in most cases that is so.", "That is true for many people, though not for all.", "It is easier than it looks.",
        "Both have their good sides.", "Yes, if you take your time.",
    ),
})  # fmt: skip
MIDDLE: Final = (
    "A good light and a clean table make it easier.", "Many people do this with a friend.", "Small changes make a large difference.",
    "Some towns have a museum where you can see more.", "It helps to write down what you notice.", "Children often learn it in a day.",
    "The old way is slower, but it works just as well.", "You will need some patience at the beginning.",
    "In summer it is easier than in winter.", "Try it twice before you change anything.", "Keep the things you need close at hand.",
    "If it does not work, wait a day and try again.", "Most mistakes come from doing too much at once.",
    "Ask somebody who has done it before.", "Take a short break after every step.", "It is useful to look at an example first.",
    "A simple drawing can explain more than many words.", "There is no hurry, so enjoy it.",
)  # fmt: skip
END: Final = (
    "After a week you will see how far you have come.", "In the end, practice is what counts.", "Write it down so that you remember it.",
    "That is all there is to it.", "With time it becomes a habit.", "Then look at it again on the next day.",
    "You can find more in any good library.", "Finish with a short walk and some rest.", "I hope that this helps you.",
)  # fmt: skip
SYSTEMS: Final = (
    "You are a helpful assistant.", "You are the assistant of {n}. Be brief.", "Answer politely and in plain words.",
    "You help the visitors of {n}.", "You answer questions for the library of {n}. We are open from {a} to {b}.",
    "You work at the front desk of {n}. The garden is behind the house. Lunch is at {a}.",
)  # fmt: skip


def question(draw: Draw) -> tuple[str, str]:
    """(question, its answer)."""
    kind = draw.pick(tuple(FORMS))
    who = draw.pick(PEOPLE)
    words = {"x": topic(draw), "y": topic(draw), "d": draw.pick(DEEDS), "p": who, "q": phrase(draw)}
    asked = draw.pick(FORMS[kind]).format(P=who[0].upper() + who[1:], **words)
    sentences = [draw.pick(BEGIN[kind]).format(**words), draw.pick(MIDDLE)]
    if draw.whole(0, 1):
        sentences.append(draw.pick(MIDDLE))
    return asked, " ".join(dict.fromkeys([*sentences, draw.pick(END)]))


def system(draw: Draw) -> str:
    """A system turn without any rule."""
    return draw.pick(SYSTEMS).format(n=name(draw), a=draw.whole(8, 11), b=draw.whole(12, 22))


ODD: Final = ("How {s}?", "What {s}?", "Why {s}?", "Write {s}.", "Give me {s}.", "My {s}. {t}?", "{s}. {t}.", "{s}. What now?", "{s}?", "Explain {s}.", "Is {s}?", "We {s}. How {t}?")  # fmt: skip


def odd(draw: Draw) -> Chat:
    """A question without sense and an ordinary answer, one in three behind a system turn without sense."""
    asked = draw.pick(ODD).format(s=salad(draw, 12), t=salad(draw, 8))
    middle = dict.fromkeys((draw.pick(MIDDLE), draw.pick(MIDDLE), draw.pick(END)))
    begin = draw.pick(BEGIN[draw.pick(("how", "people", "list", "whether", "write"))])
    chat = (Message("user", asked[0].upper() + asked[1:]), Message("assistant", " ".join([begin, *middle])))
    before = f"{draw.pick(SYSTEMS).format(n=name(draw), a=8, b=9)} {salad(draw, 12)}. {salad(draw, 20)}."
    return chat if draw.whole(0, 2) else (Message("system", before), *chat)


def summed(draw: Draw) -> tuple[str, str]:
    """A small sum, answered in one sentence."""
    a, b = draw.whole(1, 20), draw.whole(1, 20)
    if draw.whole(0, 1):
        return f"What is {a} plus {b}?", f"{a} plus {b} is {a + b}."
    return f"What is {a + b} minus {b}?", f"{a + b} minus {b} is {a}."
