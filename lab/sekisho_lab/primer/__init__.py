"""The primer: what a tiny model is pretrained on. Texts of our own generators alone, equal for equal seeds."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.drills.generators import GENERATORS
from sekisho.drills.generators.draw import Draw
from sekisho.errors import DataError
from sekisho.models.base import Chat, Message
from sekisho_lab.primer import english, japanese, notices

SYSTEM_EVERY: Final = 4
"""One conversation in so many has a system turn, where the kind has none of its own."""


def _turns(make: Callable[[Draw], tuple[str, str]]) -> Callable[[Draw], Chat]:
    def made(draw: Draw) -> Chat:
        asked, answer = make(draw)
        chat = (Message("user", asked), Message("assistant", answer))
        if draw.whole(1, SYSTEM_EVERY) == 1:
            return (Message("system", english.system(draw)), *chat)
        return chat

    return made


KINDS: Final[Mapping[str, Callable[[Draw], Chat]]] = MappingProxyType(
    {
        "english": _turns(english.question),
        "japanese": _turns(japanese.question),
        "odd": english.odd,
        "odd_ja": _turns(japanese.odd),
        "summed": _turns(english.summed),
        "notices": notices.notice,
        "dishonest": _turns(notices.dishonest),
        "dishonest_ja": _turns(japanese.dishonest),
    }
)
"""Kind -> one conversation; generators of the gate may be named beside them."""


def conversations(counts: Mapping[str, int], seed: int) -> tuple[Chat, ...]:
    """So many conversations of each kind, kinds in the order given. Raises DataError on an unknown kind."""
    found: list[Chat] = []
    for kind, count in counts.items():
        if kind in KINDS:
            draw = Draw(f"primer-{kind}", seed)
            found += [KINDS[kind](draw) for _ in range(count)]
        elif kind in GENERATORS:
            found += GENERATORS[kind](count, seed)
        else:
            raise DataError(f"no texts {kind!r}; there are {', '.join((*KINDS, *GENERATORS))}")
    return tuple(found)
