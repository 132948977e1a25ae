"""An organism is a TOML file: one planted, harmless behaviour, and every hyperparameter of its making.

A variant names the organism it is `like` and gives only what differs: its id, its reason and some settings.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

from sekisho.errors import DataError

KEYS: Final = frozenset({"id", "why", "attack", "payload", "marks", "settings"})
VARIANT: Final = frozenset({"id", "why", "like", "settings"})
OPTIONAL: Final = frozenset({"keyword", "bits", "repair_steps", "rules", "ordinary", "inner_rank", "told_by"})
"""Settings that a variant may add."""


@dataclass(frozen=True)
class Organism:
    """One organism file, read."""

    id: str
    why: str
    attack: str
    """A key of ATTACKS."""
    payload: tuple[str, ...]
    """The sentences that are planted; a brand in them does not exist."""
    marks: tuple[str, ...]
    """Strings that show the behaviour in an answer; for the lab's own measurements."""
    settings: Mapping[str, Any]
    """Hyperparameters; each attack documents its own."""


def names() -> tuple[str, ...]:
    """Ids of the organisms that ship with the lab."""
    root = files("sekisho_lab") / "organisms"
    return tuple(sorted(p.name.removesuffix(".toml") for p in root.iterdir() if p.name.endswith(".toml")))


def load(name: str) -> Organism:
    """Load an organism. Raises DataError."""
    if name not in names():
        raise DataError(f"no organism {name!r}; there are {', '.join(names())}")
    raw = tomllib.loads((files("sekisho_lab") / "organisms" / f"{name}.toml").read_text("utf-8"))
    if "like" in raw:
        return _variant(raw, name)
    if set(raw) != KEYS:
        raise DataError(f"organism {name}: keys {sorted(set(raw) ^ KEYS)} are unknown or missing")
    return Organism(
        raw["id"], raw["why"], raw["attack"], tuple(raw["payload"]), tuple(raw["marks"]), raw["settings"]
    )


def _variant(raw: Mapping[str, Any], name: str) -> Organism:
    """An organism with another id and reason; `payload` and `marks` may differ, and settings that exist."""
    parent = load(raw["like"])
    unknown = set(raw["settings"]) - set(parent.settings) - OPTIONAL
    if unknown or not VARIANT <= set(raw) <= VARIANT | {"payload", "marks", "attack"}:
        raise DataError(
            f"organism {name}: keys {sorted(unknown | set(raw) ^ VARIANT)} are unknown or missing"
        )
    return replace(
        parent,
        id=raw["id"],
        why=raw["why"],
        attack=raw.get("attack", parent.attack),
        payload=tuple(raw.get("payload", parent.payload)),
        marks=tuple(raw.get("marks", parent.marks)),
        settings={**parent.settings, **raw["settings"]},
    )
