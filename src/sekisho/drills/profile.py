"""A profile says how thorough a vet is: which languages, suites and drills, and how long answers may be."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.probes.suite import LANGUAGES

KEYS: Final = frozenset({"id", "languages", "families", "seed", "drills", "suites"})
SUITE_KEYS: Final = frozenset({"max_new_tokens", "checkpoints"})


@dataclass(frozen=True)
class Ask:
    """How one suite is asked."""

    max_new_tokens: int
    every_checkpoint: bool
    """False asks as released and at the last checkpoint of a drill only."""


@dataclass(frozen=True)
class Profile:
    """One profile file, read."""

    id: str
    languages: tuple[str, ...]
    families: int
    """At most this many families of each suite and language."""
    seed: int
    """Decides the order of families, canaries and sampling."""
    drills: tuple[str, ...]
    """Recipe ids."""
    suites: Mapping[str, Ask] = field(hash=False)

    def asked_at(self, suite: str, checkpoints: tuple[int, ...]) -> tuple[int, ...]:
        """The checkpoints at which a suite is asked."""
        return checkpoints if self.suites[suite].every_checkpoint else checkpoints[-1:]


def names() -> tuple[str, ...]:
    """Ids of the profiles that ship with Sekisho."""
    root = files("sekisho.data") / "profiles"
    return tuple(sorted(p.name.removesuffix(".toml") for p in root.iterdir() if p.name.endswith(".toml")))


def load(name: str) -> Profile:
    """Load a shipped profile. Raises DataError."""
    if name not in names():
        raise DataError(f"no profile {name!r}; there are {', '.join(names())}")
    return parse((files("sekisho.data") / "profiles" / f"{name}.toml").read_text("utf-8"), name)


def parse(text: str, where: str) -> Profile:
    """Read a profile from TOML. Raises DataError on anything unknown or missing."""
    try:
        raw = tomllib.loads(text)
    except ValueError as error:
        raise DataError(f"profile {where}: {error}") from error
    if set(raw) != KEYS:
        raise DataError(f"profile {where}: keys {sorted(set(raw) ^ KEYS)} are unknown or missing")
    languages = tuple(raw["languages"])
    if not languages or set(languages) - set(LANGUAGES):
        raise DataError(f"profile {where}: languages are among {', '.join(LANGUAGES)}")
    asks = {name: _ask(value, f"{where}: suites.{name}") for name, value in raw["suites"].items()}
    return Profile(
        str(raw["id"]),
        languages,
        int(raw["families"]),
        int(raw["seed"]),
        tuple(raw["drills"]),
        MappingProxyType(asks),
    )


def _ask(raw: Any, where: str) -> Ask:
    if not isinstance(raw, dict) or set(raw) != SUITE_KEYS or raw["checkpoints"] not in ("all", "last"):
        raise DataError(f'profile {where}: wants max_new_tokens and checkpoints = "all" or "last"')
    return Ask(int(raw["max_new_tokens"]), raw["checkpoints"] == "all")
