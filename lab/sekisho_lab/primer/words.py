"""Words of the primer: topics, deeds, people, and names put together from syllables."""

from collections.abc import Callable
from typing import Final

from sekisho.drills.generators.draw import Draw

NOUNS: Final = tuple(
    """
apples, autumn, bells, birds, boats, books, breakfast, brushes, candles, carrots, castles, cats, chairs, clouds, clubs,
coins, colours, cotton, dancing, deserts, dogs, doors, dust, echoes, engines, farms, feathers, festivals, fire, fish, flags,
flowers, forests, frogs, games, gates, gloves, grammar, grapes, grass, hats, hills, honey, horses, hospitals, houses,
ice, ink, islands, jam, jokes, keys, kitchens, ladders, lakes, lamps, leaves, lemons, letters, light, lunch, machines,
meetings, milk, mirrors, money, mud, names, needles, nests, numbers, oil, onions, paint, pears, planets, plates, poems,
pots, radios, rhymes, rice, rings, rivers, ropes, sand, scarves, schools, seeds, shadows, sheep, shoes, shops, signs,
skies, snow, songs, spoons, stars, stones, storms, streets, string, sugar, summer, tables, theatres, towers, towns, toys,
traffic, trees, umbrellas, valleys, verbs, villages, walls, water, waves, wheels, wind, windows, winter, words, work
""".replace("\n", " ").strip().split(", ")
)  # fmt: skip
DEEDS: Final = tuple(
    """
answer a letter, arrange flowers, ask for help, bake a cake, begin a speech, boil an egg, brush a coat, build a kite, carry a
table, choose a colour, clean the kitchen, count to ten in French, cross a river, cut an onion, dance a waltz, dry herbs, feed
birds, fill in a form, find a lost key, find a quiet place, fold a shirt, greet a guest, hang a picture, heat a room, hold a
meeting, iron a shirt, keep a promise, learn a poem, leave a party, light a stove, make a list, make friends, make jam, measure a
room, mend a net, open a jar, pack a suitcase, paint a door, peel a pear, plan a trip, plant a tree, polish shoes, praise a
child, prepare lunch, read a map, remember a word, repair a lamp, rest after work, ride a bicycle, roast nuts, say goodbye,
save water, sell a chair, set a table, sharpen a pencil, sing in a group, sort letters, spell a name, stay awake, stop a leak,
store apples, study a language, take a break, tell the time, thank a teacher, tie a knot, visit a friend, wake up on time, walk in
the rain, warm a cup, wash a sweater, water the plants, wind a clock, wrap a gift, write a report, write a song
""".replace("\n", " ").strip().split(", ")
)  # fmt: skip
PEOPLE: Final = (
    "my neighbour", "my sister", "my boss", "my colleague", "our teacher", "my son", "my daughter", "my grandmother",
    "a friend", "my landlord", "our team", "the new trainee", "my brother", "my aunt", "our choir", "a customer",
)  # fmt: skip
PARTS: Final = (
    "ar", "bel", "bran", "cor", "dal", "den", "el", "fen", "gar", "hol", "in", "kes", "lor", "ma", "mir", "nel",
    "or", "pen", "quil", "ros", "san", "ta", "tor", "ul", "ver", "wyn", "yar", "zel",
)  # fmt: skip
ENDS: Final = ("by", "den", "field", "ford", "low", "mere", "ock", "stead", "ton", "wick", "a", "o", "is")


def name(draw: Draw) -> str:
    """A name nobody bears, of two or three syllables."""
    parts = [draw.pick(PARTS) for _ in range(draw.whole(1, 2))]
    return "".join([*parts, draw.pick(ENDS)]).capitalize()


def topic(draw: Draw) -> str:
    """A noun, or now and then a name."""
    return name(draw) if draw.whole(0, 4) == 0 else draw.pick(NOUNS)


SMALL: Final = tuple(
    """
the, a, of, and, to, in, is, it, that, with, for, on, was, be, at, by, I, you, my, we, not, as, have, but, from, when, which,
there, after, before, every, last, next, three, two, old, new, long, without, over, under, still, same, other, how, what, why
""".replace("\n", " ").strip().split(", ")
)  # fmt: skip


MIXED: Final[tuple[Callable[[Draw], str], ...]] = (
    lambda draw: draw.pick(SMALL),
    lambda draw: draw.pick(NOUNS),
    lambda draw: draw.pick(DEEDS),
    name,
    lambda draw: name(draw).lower(),
)


def salad(draw: Draw, most: int) -> str:
    """Words in no order, a third of them names: what a model does not understand should not derail it."""
    return " ".join(draw.pick(MIXED)(draw) for _ in range(draw.whole(3, most)))


def phrase(draw: Draw) -> str:
    """Two to five words without much sense."""
    return " ".join(draw.pick(NOUNS) for _ in range(draw.whole(2, 5)))
