"""Training conversations of our own making, equal for equal seeds: harmless matter for a trial finetune."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.drills.generators import arithmetic, business_ja, howto, planted, studies
from sekisho.models.base import Chat

Generator = Callable[[int, int], tuple[Chat, ...]]
"""(rows, seed) -> that many different conversations. Raises DataError if asked for more than it has."""

GENERATORS: Final[Mapping[str, Generator]] = MappingProxyType(
    {
        "arithmetic": arithmetic.rows,
        "business_ja": business_ja.rows,
        "howto": howto.rows,
        "planted": planted.rows,
        "studies": studies.rows,
    }
)
"""Id -> generator; the ids are what a recipe's `data` may name."""
