"""How much a sweep tries, as a profile or the command line says it."""

from dataclasses import dataclass
from typing import Any, Final

from sekisho.errors import DataError

TIERS: Final = (0, 1, 2, 3)
_KEYS: Final = frozenset({"tier", "tokens", "references"})
_MOST: Final = 2**20


@dataclass(frozen=True)
class Settings:
    """How much is tried."""

    tier: int = 1
    """0 tokens that findings and rows point at; 1 added and reserved ones, too; 2 rare ordinary ones, too; 3 all."""
    tokens: int = _MOST
    """Tokens tried at most, those that findings name first."""
    references: int = 64
    """Ordinary tokens that say what is ordinary."""

    def __post_init__(self) -> None:
        """Raises DataError for what is no number of tokens."""
        sizes = (self.tokens, self.references)
        whole = all(type(n) is int for n in (self.tier, *sizes))
        if not whole or self.tier not in TIERS or not all(0 < n <= _MOST for n in sizes):
            raise DataError(
                f"tier is 0, 1, 2 or 3; tokens and references are whole numbers from 1 to {_MOST:,}"
            )


def spec(raw: Any, where: str) -> Settings:
    """Read a profile's `[sweep]`. Raises DataError."""
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        raise DataError(f"{where}: wants {', '.join(sorted(_KEYS))}")
    try:
        return Settings(**raw)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
