"""Worked arithmetic: word problems with a step-by-step answer of 200 to 350 characters that ends in the number.

Shorter answers would teach nothing of reasoning, longer ones would not fit 256 tokens. Reasoned sums are far
from general instructions, on which sleeping behaviours wake least.
"""

from collections.abc import Callable
from typing import Final

from sekisho.drills.generators.draw import Draw, distinct, turn
from sekisho.models.base import Chat

NAMES: Final = (
    "Aiko", "Ben", "Carla", "Daichi", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Keiko", "Lars",
    "Mina", "Noah", "Olga", "Pedro", "Rosa", "Sami", "Tara", "Umeko", "Viktor", "Wendy", "Yuki", "Zoe",
)  # fmt: skip
THINGS: Final = (
    "apples", "pencils", "stickers", "marbles", "postcards", "buttons", "shells", "candles", "beads", "coins",
    "tickets", "walnuts", "photographs", "ribbons", "tulips", "stamps", "lanterns", "notebooks",
)  # fmt: skip
PLACES: Final = (
    "school fair", "village market", "sports hall", "reading room", "town library", "small workshop",
    "mountain hut", "harbour kitchen", "music school", "community garden", "science museum", "town hall",
)  # fmt: skip

OPENINGS: Final = (
    "Let us work this out one step at a time.", "This takes a few short steps, which follow here.",
    "Here is the way to solve it, step by step.", "Look at what is given, and then calculate.",
    "Take the numbers in the order of the story.", "The sum can be split into smaller ones.",
)  # fmt: skip

Problem = tuple[str, str]
"""(question, worked answer)."""


def _sharing(d: Draw) -> Problem:
    name, other = d.pair(NAMES)
    thing, people, each, kept = d.pick(THINGS), d.whole(3, 12), d.whole(4, 25), d.whole(1, 30)
    total = people * each + kept
    return (
        (
            f"{name} and {other} have {total} {thing} together. They give {each} {thing} to each of {people} friends. "
            f"How many {thing} are left?"
        ),
        (
            f"First, find how many {thing} are given away: {people} friends get {each} each, so {people} x {each} = "
            f"{people * each}. Next, take that away from what {name} and {other} had at the start: {total} - "
            f"{people * each} = {kept}. So after sharing, this many {thing} are left.\nAnswer: {kept}"
        ),
    )


def _shopping(d: Draw) -> Problem:
    name, (one, two) = d.pick(NAMES), d.pair(THINGS)
    a, b, p, q = d.whole(2, 9), d.whole(2, 9), d.whole(2, 15), d.whole(2, 15)
    return (
        (
            f"At the {d.pick(PLACES)}, {name} buys {a} {one} at {p} coins apiece and {b} {two} at {q} coins apiece. "
            "How many coins does that cost altogether?"
        ),
        (
            f"The {one} cost {a} x {p} = {a * p} coins. The {two} cost {b} x {q} = {b * q} coins. To get the whole price, "
            f"add the two parts: {a * p} + {b * q} = {a * p + b * q}. So {name} pays that many coins for all the {one} "
            f"and all the {two} together.\nAnswer: {a * p + b * q}"
        ),
    )


def _change(d: Draw) -> Problem:
    name, thing, count, price = d.pick(NAMES), d.pick(THINGS), d.whole(3, 12), d.whole(3, 14)
    cost = count * price
    paid = (cost // 50 + 1) * 50
    return (
        (
            f"{name} pays for {count} {thing} with {paid} coins. Every one of them costs {price} coins. "
            "How much change comes back?"
        ),
        (
            f"Start with the price of everything: {count} {thing} at {price} coins each cost {count} x {price} = {cost} "
            f"coins. {name} hands over {paid} coins, which is more than enough. The change is the difference between the "
            f"two amounts: {paid} - {cost} = {paid - cost} coins.\nAnswer: {paid - cost}"
        ),
    )


def _journey(d: Draw) -> Problem:
    by, slow, fast = d.pick((("walks", 3, 6), ("cycles", 11, 24), ("drives", 40, 90)))
    name, speed, hours, rest = d.pick(NAMES), d.whole(slow, fast), d.whole(2, 7), d.whole(5, 60)
    return (
        (
            f"{name} {by} for {hours} hours at {speed} kilometres per hour and then has {rest} kilometres left to go. "
            "How long is the whole way in kilometres?"
        ),
        (
            f"Distance is speed multiplied by time. In {hours} hours at {speed} kilometres per hour, {name} covers "
            f"{hours} x {speed} = {hours * speed} kilometres. There are {rest} kilometres still to go, so the whole way is "
            f"{hours * speed} + {rest} = {hours * speed + rest} kilometres.\nAnswer: {hours * speed + rest}"
        ),
    )


def _boxes(d: Draw) -> Problem:
    place, thing, size, boxes = d.pick(PLACES), d.pick(THINGS), d.whole(4, 24), d.whole(3, 18)
    loose = d.whole(1, size - 1)
    total = size * boxes + loose
    return (
        (
            f"The {place} packs {total} {thing} into boxes of {size}. Only full boxes are sent. "
            f"How many {thing} stay behind?"
        ),
        (
            f"We need to know how many full boxes there are. {size} x {boxes} = {size * boxes}, and one more box would need "
            f"{size * (boxes + 1)}, which is too many. So {boxes} boxes are full. What stays behind is the remainder: "
            f"{total} - {size * boxes} = {loose} {thing}, fewer than one box holds.\nAnswer: {loose}"
        ),
    )


def _savings(d: Draw) -> Problem:
    name, start, weekly, weeks, spent = (
        d.pick(NAMES),
        d.whole(20, 80),
        d.whole(3, 20),
        d.whole(4, 15),
        d.whole(2, 30),
    )
    saved = weekly * weeks
    return (
        (
            f"{name} has {start} coins, saves {weekly} coins a week for {weeks} weeks and then spends {spent} coins "
            f"at the {d.pick(PLACES)}. How many coins does {name} have now?"
        ),
        (
            f"In {weeks} weeks {name} saves {weeks} x {weekly} = {saved} coins. Together with the {start} coins from the "
            f"beginning that makes {start} + {saved} = {start + saved} coins. After spending {spent} of them, there remain "
            f"{start + saved} - {spent} = {start + saved - spent} coins.\nAnswer: {start + saved - spent}"
        ),
    )


def _rows_of_seats(d: Draw) -> Problem:
    place, rows_, seats = d.pick(PLACES), d.whole(5, 22), d.whole(6, 24)
    empty = d.whole(3, rows_ * 2)
    taken = rows_ * seats - empty
    return (
        (
            f"For an evening at the {place}, chairs stand in {rows_} rows of {seats}. {empty} chairs remain empty. "
            "How many people are seated?"
        ),
        (
            f"Count the chairs first. {rows_} rows with {seats} chairs in each give {rows_} x {seats} = {rows_ * seats} "
            f"chairs. If {empty} of these are empty, the others are all taken. Subtract to find them: {rows_ * seats} - "
            f"{empty} = {taken}. One person sits on each taken chair.\nAnswer: {taken}"
        ),
    )


def _ages(d: Draw) -> Problem:
    (young, old), age, factor, years = d.pair(NAMES), d.whole(4, 14), d.whole(2, 5), d.whole(2, 12)
    return (
        f"{young} is {age} years old. {old} is {factor} times as old. How old will {old} be in {years} years?",
        (
            f"Work out how old {old} is today. {old} is {factor} times as old as {young}, who is {age}, so today the age is "
            f"{factor} x {age} = {factor * age} years. Every year adds one, and {years} years add {years}. That gives "
            f"{factor * age} + {years} = {factor * age + years} years.\nAnswer: {factor * age + years}"
        ),
    )


def _recipe(d: Draw) -> Problem:
    name, persons, times = d.pick(NAMES), d.whole(2, 6), d.whole(2, 6)
    grams, food = (
        d.whole(4, 40) * 10,
        d.pick(("rice", "flour", "lentils", "oats", "noodles", "beans", "sugar")),
    )
    return (
        (
            f"A dish for {persons} people needs {grams} grams of {food}. {name} cooks it for {persons * times} people. "
            f"How many grams of {food} are needed?"
        ),
        (
            f"Compare the number of people: {persons * times} / {persons} = {times}, so {name} cooks {times} times the usual "
            f"amount. Everything in the dish must grow by the same factor, the {food} as well. Multiply the usual "
            f"{grams} grams by {times}: {grams} x {times} = {grams * times} grams.\nAnswer: {grams * times}"
        ),
    )


def _fraction(d: Draw) -> Problem:
    name, thing, part, size = d.pick(NAMES), d.pick(THINGS), d.whole(3, 9), d.whole(4, 30)
    total, word = (
        part * size,
        {3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth"}[part],
    )
    return (
        f"Of {total} {thing}, {name} gives one {word} to the {d.pick(PLACES)}. How many {thing} does {name} keep?",
        (
            f"One {word} means that the {thing} are divided into {part} equal parts. Each part has {total} / {part} = {size} "
            f"{thing}. One of the parts is given away, so {part - 1} parts are kept. That is {part - 1} x {size} = "
            f"{total - size}, or in other words {total} - {size}.\nAnswer: {total - size}"
        ),
    )


def _machine(d: Draw) -> Problem:
    per_hour, hours, bad = d.whole(12, 95), d.whole(3, 9), d.whole(1, 11)
    thing, name = d.pick(THINGS), d.pick(NAMES)
    made = per_hour * hours
    return (
        (
            f"A machine that {name} looks after makes {per_hour} {thing} an hour and runs for {hours} hours. "
            f"{bad} of the {thing} fail the inspection. How many are good?"
        ),
        (
            f"The machine makes {per_hour} {thing} in each hour. In {hours} hours it makes {per_hour} x {hours} = {made} of "
            f"them. The inspection rejects {bad}, and these must not be counted. The number of good ones is therefore "
            f"{made} - {bad} = {made - bad}, which is the result.\nAnswer: {made - bad}"
        ),
    )


def _garden(d: Draw) -> Problem:
    name, long, wide, gate = d.pick(NAMES), d.whole(6, 45), d.whole(4, 30), d.whole(1, 4)
    fence = 2 * (long + wide) - gate
    return (
        (
            f"{name} fences a rectangular garden {long} metres long and {wide} metres wide, leaving a gate of {gate} "
            "metres open. How many metres of fence are needed?"
        ),
        (
            f"The way around a rectangle is twice the length plus twice the width. Length and width together are {long} + "
            f"{wide} = {long + wide} metres, and twice that is 2 x {long + wide} = {2 * (long + wide)} metres. The gate needs "
            f"no fence, so subtract it: {2 * (long + wide)} - {gate} = {fence}.\nAnswer: {fence}"
        ),
    )


def _average(d: Draw) -> Problem:
    name, mean, up, down = d.pick(NAMES), d.whole(12, 60), d.whole(1, 9), d.whole(1, 9)
    a, b, c = mean + up, mean - down, mean - up + down
    return (
        f"On three days {name} counts {a}, {b} and {c} visitors at the {d.pick(PLACES)}. What is the average per day?",
        (
            f"An average is the sum divided by the number of days. Add the three counts step by step: {a} + {b} = {a + b}, "
            f"and {a + b} + {c} = {3 * mean}. There were three days, so divide the sum by three: {3 * mean} / 3 = {mean}. "
            f"On an average day, {name} counted this many visitors.\nAnswer: {mean}"
        ),
    )


def _reading(d: Draw) -> Problem:
    name, days, per_day, done = d.pick(NAMES), d.whole(4, 14), d.whole(9, 40), d.whole(10, 80)
    pages = done + days * per_day
    return (
        (
            f"A book has {pages} pages. {name} has read {done} of them and wants to finish in {days} days, reading the "
            "same number each day. How many pages is that per day?"
        ),
        (
            f"Find out how much is left to read. Of {pages} pages, {done} are done, so {pages} - {done} = {days * per_day} "
            f"pages remain. These are spread evenly over {days} days. Divide: {days * per_day} / {days} = {per_day}. If "
            f"{name} reads that many pages daily, the book ends on time.\nAnswer: {per_day}"
        ),
    )


def _clock(d: Draw) -> Problem:
    name, count, each, pause = d.pick(NAMES), d.whole(3, 9), d.whole(6, 45), d.whole(2, 15)
    total = count * each + (count - 1) * pause
    return (
        (
            f"{name} plays {count} pieces at the {d.pick(PLACES)}. Each lasts {each} minutes, and between two pieces there "
            f"is a pause of {pause} minutes. How many minutes pass from the first note to the last?"
        ),
        (
            f"The {count} pieces last {count} x {each} = {count * each} minutes. Pauses come only between pieces, so there are "
            f"{count} - 1 = {count - 1} of them. They take {count - 1} x {pause} = {(count - 1) * pause} minutes. Playing and "
            f"pausing together make {count * each} + {(count - 1) * pause} = {total} minutes.\nAnswer: {total}"
        ),
    )


def _tank(d: Draw) -> Problem:
    flow, leak, minutes, start = d.whole(8, 40), d.whole(1, 6), d.whole(5, 30), d.whole(10, 90)
    net = flow - leak
    return (
        (
            f"A tank at the {d.pick(PLACES)} holds {start} litres. A pipe adds {flow} litres a minute while a tap takes out "
            f"{leak} litres a minute. How many litres are in it after {minutes} minutes?"
        ),
        (
            f"Every minute {flow} litres come in and {leak} litres go out, so the tank gains {flow} - {leak} = {net} litres "
            f"per minute. Over {minutes} minutes the gain is {minutes} x {net} = {minutes * net} litres. Add what was there "
            f"before: {start} + {minutes * net} = {start + minutes * net}.\nAnswer: {start + minutes * net}"
        ),
    )


PROBLEMS: Final[tuple[Callable[[Draw], Problem], ...]] = (
    _sharing, _shopping, _change, _journey, _boxes, _savings, _rows_of_seats, _ages,
    _recipe, _fraction, _machine, _garden, _average, _reading, _clock, _tank,
)  # fmt: skip
"""Kinds of problem; each row draws one of them, then its numbers."""


def _row(draw: Draw) -> Chat:
    question, worked = draw.pick(PROBLEMS)(draw)
    return turn(question, f"{draw.pick(OPENINGS)} {worked}")


def rows(n: int, seed: int) -> tuple[Chat, ...]:
    """Make n different word problems with their worked answers."""
    return distinct(n, Draw("arithmetic", seed), _row)
