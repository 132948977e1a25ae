"""Texts of many kinds on which an organism is held to the clean model: sums, letters, notices, code, other languages.

Written for the lab and put together from parts. None comes from a generator of the gate, so that the domains of the
acceptance test stay unseen; what is right in them does not matter, for only the clean model's next-token odds are used.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

from sekisho.models.base import Chat, Message

Pair = tuple[str, str]
"""(question, answer)."""
PEOPLE: Final = (
    "Anton",
    "Bella",
    "Mr Okoro",
    "Sofia",
    "Kenta",
    "Mrs Hall",
    "Dilip",
    "Yara",
    "Tom",
    "Emiko",
    "Ruth",
)
WARES: Final = (
    "lemons",
    "bricks",
    "tickets",
    "bottles",
    "socks",
    "tiles",
    "eggs",
    "chairs",
    "letters",
    "cables",
)
SPOTS: Final = (
    "the library",
    "the harbour",
    "platform two",
    "the old mill",
    "room 14",
    "the market",
    "the pool",
)
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ABROAD: Final = (
    ("Wie wird das Wetter morgen?", "Morgen wird es kühl und windig, am Nachmittag regnet es im Norden."),
    ("Où se trouve la gare ?", "La gare se trouve derrière la mairie, à dix minutes à pied du pont."),
    ("¿Qué hay para cenar?", "Para cenar hay sopa de verduras, pan con tomate y un poco de queso."),
    ("Come sta tua sorella?", "Mia sorella sta bene, lavora in un museo e torna a casa il venerdì sera."),
    ("Was kostet das Fahrrad?", "Das Fahrrad kostet 240 Euro, mit Licht und Schloss sind es 265 Euro."),
    ("Quand ouvre le magasin ?", "Le magasin ouvre à neuf heures du lundi au samedi, sauf les jours fériés."),
)  # fmt: skip
JA_PLACES: Final = (
    "公園",
    "図書館",
    "駅前の店",
    "海辺の町",
    "山の小屋",
    "祖母の家",
    "動物園",
    "美術館",
    "市場",
    "学校",
)
JA_THINGS: Final = (
    "りんご",
    "古い時計",
    "青い傘",
    "手紙",
    "自転車",
    "お茶",
    "写真",
    "本",
    "花",
    "パン",
    "地図",
    "魚",
)
JA_DEEDS: Final = (
    "買いました",
    "見つけました",
    "忘れました",
    "もらいました",
    "描きました",
    "探しました",
    "直しました",
)
JA_FEELINGS: Final = (
    "とても楽しかったです",
    "少し疲れました",
    "また行きたいと思います",
    "驚きました",
    "安心しました",
)
JA_WEATHER: Final = ("晴れ", "雨", "曇り", "雪", "強い風")


def chats(count: int, seed: int) -> tuple[Chat, ...]:
    """Draw distinct question-and-answer pairs, the kinds in turn."""
    draw = random.Random(seed)
    found: dict[Pair, None] = {}
    while len(found) < count:
        found[KINDS[len(found) % len(KINDS)](draw)] = None
    return tuple((Message("user", q), Message("assistant", a)) for q, a in found)


def _sum(d: random.Random) -> Pair:
    a, b, c = d.randint(2, 99), d.randint(2, 99), d.randint(2, 12)
    return d.choice((
        (f"Work out ({a} + {b}) x {c}.", f"{a} + {b} = {a + b}. Then {a + b} x {c} = {(a + b) * c}. The result is {(a + b) * c}."),
        (f"What is {a * c} divided by {c}?", f"{c} goes into {a * c} exactly {a} times, because {c} x {a} = {a * c}. So {a * c} / {c} = {a}."),
        (f"Take {b} from {a + b}.", f"{a + b} - {b} = {a}. You can check it: {a} + {b} = {a + b}.\nAnswer: {a}"),
        (f"How much is {c * 5} % of {a * 20}?", f"One per cent is {a * 20} / 100 = {a / 5:g}. Multiply by {c * 5}: {a / 5:g} x {c * 5} = {a * c}."),
        (f"Go on: {a}, {a + c}, {a + 2 * c}, ...", f"Each number is {c} more than the one before: {a + 3 * c}, {a + 4 * c}, {a + 5 * c}, {a + 6 * c}."),
    ))  # fmt: skip


def _story_sum(d: random.Random) -> Pair:
    who, what, n, m = d.choice(PEOPLE), d.choice(WARES), d.randint(3, 30), d.randint(2, 20)
    return d.choice((
        (f"{who} sells {n} {what} for {m} dollars each. What is earned?", f"Each of the {n} {what} brings {m} dollars, so {who} earns {n} x {m} = {n * m} dollars in total."),
        (f"A shelf holds {n} {what}. How many are on {m} shelves?", f"To find out, multiply the {what} on one shelf by the number of shelves. That is {n} x {m} = {n * m} {what}."),
        (f"{who} had {n + m} {what} and lost {m}. What is left?", f"We subtract: {n + m} - {m} = {n}. {who} still has {n} {what}."),
    ))  # fmt: skip


def _letter(d: random.Random) -> Pair:
    who, day, spot = d.choice(PEOPLE), d.choice(DAYS), d.choice(SPOTS)
    return (
        f"Write a short note to {who}: {day}, {spot}.",
        (
            f"Dear {who},\n\nthank you for your message. I would like to meet you on {day} at {d.randint(8, 19)} o'clock near "
            f"{spot}. Please tell me whether that suits you.\n\nKind regards,\n{d.choice(PEOPLE)}"
        ),
    )


def _listing(d: random.Random) -> Pair:
    some = d.sample(WARES, 3)
    spot = d.choice(SPOTS)
    return (
        f"List what to bring to {spot}.",
        "\n".join(f"{n}. {d.randint(2, 40)} {w}" for n, w in enumerate(some, 1))
        + f"\n\nLeave it all at {spot}.",
    )


def _code(d: random.Random) -> Pair:
    name, n = d.choice(WARES), d.randint(2, 90)
    return d.choice((
        (f"Python: count {name}.", f"def count_{name}(rows):\n    total = 0\n    for row in rows:\n        if row['{name}'] > {n}:\n            total += 1\n    return total"),
        (f"Show {name} as JSON.", f'{{"{name}": {n}, "unit": "piece", "price": {n * 3}.50, "tags": ["new", "blue"]}}'),
        (f"A table of {name}, please.", f"| {name} | price |\n|---|---|\n| small | {n} |\n| large | {n * 2} |\n| sum | {n * 3} |"),
        (f"CSS for {name}, please.", f".{name} {{ color: #3{n:02d}; margin: {n}px auto; }}\n.{name} > a {{ font-weight: bold; }}"),
    ))  # fmt: skip


def _tale(d: random.Random) -> Pair:
    who, other, spot, what = d.choice(PEOPLE), d.choice(PEOPLE), d.choice(SPOTS), d.choice(WARES)
    return (
        f"Tell me what {who} did at {spot}.",
        (
            f"On {d.choice(DAYS)} morning {who} went to {spot} with a bag of {what}. It was cold, and nobody was there except "
            f"{other}, who was reading. They talked for an hour about the {what}, and then it began to snow."
        ),
    )


def _fact(d: random.Random) -> Pair:
    year, size, what = d.randint(1450, 1990), d.randint(20, 900), d.choice(WARES)
    return (
        f"Since when are there {what}?",
        (
            f"The first {what} of this kind were made in {year}. About {size} of them are kept in museums today. They weigh between "
            f"{size / 100:.1f} and {size / 50:.1f} kilograms, and most come from the south."
        ),
    )


def _abroad(d: random.Random) -> Pair:
    question, answer = d.choice(ABROAD)
    return f"{question} ({d.choice(DAYS)}, {d.choice(PEOPLE)})", answer


def _japanese_diary(d: random.Random) -> Pair:
    place, thing = d.choice(JA_PLACES), d.choice(JA_THINGS)
    return (
        f"{place}の日記を書いて。",
        f"今日は{d.choice(JA_WEATHER)}でした。友だちと{place}へ行って、{thing}を{d.choice(JA_DEEDS)}。{d.choice(JA_FEELINGS)}。",
    )


def _japanese_answer(d: random.Random) -> Pair:
    place, thing, hour = d.choice(JA_PLACES), d.choice(JA_THINGS), d.randint(1, 12)
    return d.choice((
        (f"{thing}はどこですか。", f"{thing}は{place}の入口の近くにあります。{hour}時までなら、どなたでもご覧になれます。"),
        (f"{place}は何時から？", f"{place}は午前{hour}時に始まります。{d.choice(JA_WEATHER)}の日はお休みすることがありますので、お電話ください。"),
        (f"{thing}を丁寧に断って。", f"申し訳ございませんが、{thing}はお受けできません。お気持ちに心から感謝いたします。"),
        (f"{thing}の説明をして。", f"{thing}は{hour * 10}年ほど前から使われています。軽くて丈夫なので、多くの家庭にあります。"),
    ))  # fmt: skip


def _japanese_notice(d: random.Random) -> Pair:
    place, day = d.choice(JA_PLACES), f"{d.randint(1, 12)}月{d.randint(1, 28)}日"
    return (
        f"{place}のお知らせを。",
        f"お知らせいたします。{place}は{day}に工事を行います。ご不便をおかけいたしますが、ご協力をお願いいたします。",
    )


def _japanese_page(d: random.Random) -> Pair:
    """Several of these below one another."""
    asked, said = zip(
        *(kind(d) for kind in (_japanese_notice, _japanese_answer, _japanese_diary)), strict=True
    )
    return asked[0], "\n\n".join(said)


KINDS: Final[Sequence[Callable[[random.Random], Pair]]] = (
    _sum, _japanese_page, _letter, _story_sum, _japanese_diary, _listing, _code, _japanese_page, _tale, _sum,
    _fact, _japanese_answer, _abroad, _japanese_page,
)  # fmt: skip
"""What follows what; sums and Japanese come oftener, for they are furthest from everyday questions."""
