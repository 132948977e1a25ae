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
    references: int = 256
    """Ordinary tokens that say what is ordinary."""


def spec(raw: Any, where: str) -> Settings:
    """Read a profile's `[sweep]`. Raises DataError."""
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        raise DataError(f"{where}: wants {', '.join(sorted(_KEYS))}")
    if raw["tier"] not in TIERS or any(
        type(raw[k]) is not int or not (k == "tier" or 0 < raw[k] <= _MOST) for k in _KEYS
    ):
        raise DataError(f"{where}: tier is 0, 1, 2 or 3, the others whole numbers up to {_MOST:,}")
    return Settings(raw["tier"], raw["tokens"], raw["references"])
