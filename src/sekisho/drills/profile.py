"""A profile says how thorough a vet is: which languages, suites and drills, and how long answers may be."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.drills import panel, perturbations
from sekisho.drills.perturbations import Spec
from sekisho.errors import DataError
from sekisho.probes.suite import LANGUAGES
from sekisho.probes.sweep import settings
from sekisho.probes.sweep.settings import Settings

REQUIRED: Final = frozenset({"id", "languages", "families", "seed", "drills", "suites"})
KEYS: Final = REQUIRED | {"own", "minutes", "battery", "adaptive", "sweep", "ablation"}
MOST_MINUTES: Final = 100_000
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
    """Recipe ids; `panel:<id>` in the file stands for all of a panel's."""
    suites: Mapping[str, Ask] = field(hash=False)
    own: tuple[str, ...] = ()
    """Recipe ids on the user's own data, before the others wherever a file is given."""
    minutes: int = 0
    """Budget: work is begun only while the forecast stays within; 0 means all of it."""
    adaptive: bool = False
    """Drills are asked in blocks, those first whose alarms grow, until each cell is settled."""
    battery: Spec | None = None
    """Light perturbations to be asked under; None makes none."""
    sweep: Settings | None = None
    """Tokens to be put into prompts; None puts none."""
    ablation: int | None = None
    """Seconds for each accompanying file that is taken off, unless something raised an alarm; 0 means no bound, None none."""

    def asked_at(self, suite: str, checkpoints: tuple[int, ...]) -> tuple[int, ...]:
        """The checkpoints at which a suite is asked."""
        return checkpoints if self.suites[suite].every_checkpoint else checkpoints[-1:]


def names() -> tuple[str, ...]:
    """Ids of the profiles that ship with Sekisho."""
    return shipped.names("profiles")


def load(name: str) -> Profile:
    """Load a shipped profile. Raises DataError."""
    if name not in names():
        raise DataError(f"no profile {name!r}; there are {', '.join(names())}")
    return parse(shipped.file("profiles", name).read_text("utf-8"), name)


def parse(text: str, where: str) -> Profile:
    """Read a profile from TOML. Raises DataError on anything unknown or missing."""
    try:
        raw = tomllib.loads(text)
    except ValueError as error:
        raise DataError(f"profile {where}: {error}") from error
    if wrong := sorted((set(raw) - KEYS) | (REQUIRED - set(raw))):
        raise DataError(f"profile {where}: keys {', '.join(wrong)} are unknown or missing")
    languages = tuple(raw["languages"])
    if not languages or set(languages) - set(LANGUAGES):
        raise DataError(f"profile {where}: languages are among {', '.join(LANGUAGES)}")
    asks = {name: _ask(value, f"{where}: suites.{name}") for name, value in raw["suites"].items()}
    return Profile(
        str(raw["id"]),
        languages,
        int(raw["families"]),
        int(raw["seed"]),
        _recipes(raw["drills"]),
        MappingProxyType(asks),
        _recipes(raw.get("own", [])),
        _minutes(raw.get("minutes", 0), where),
        raw.get("adaptive") is True,
        perturbations.spec(raw["battery"], f"profile {where}: battery") if "battery" in raw else None,
        settings.spec(raw["sweep"], f"profile {where}: sweep") if "sweep" in raw else None,
        _seconds(raw["ablation"], f"profile {where}: ablation") if "ablation" in raw else None,
    )


def with_battery(profile: Profile, wanted: bool | None) -> Profile:
    """The profile with a battery, its own or that of `standard`, or without any; None leaves it as it is."""
    if wanted is None:
        return profile
    return replace(profile, battery=(profile.battery or load("standard").battery) if wanted else None)


def _recipes(entries: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(recipe for entry in entries for recipe in panel.expand(entry)))


def _minutes(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value <= MOST_MINUTES:
        raise DataError(f"profile {where}: minutes must be a whole number up to {MOST_MINUTES:,}")
    return value


def _seconds(raw: Any, where: str) -> int:
    value = raw.get("seconds") if isinstance(raw, dict) and len(raw) == 1 else None
    if type(value) is not int or not 0 <= value <= 60 * MOST_MINUTES:
        raise DataError(f"{where}: wants seconds, a whole number, and nothing else")
    return value


def _ask(raw: Any, where: str) -> Ask:
    if not isinstance(raw, dict) or set(raw) != SUITE_KEYS or raw["checkpoints"] not in ("all", "last"):
        raise DataError(f'profile {where}: wants max_new_tokens and checkpoints = "all" or "last"')
    return Ask(int(raw["max_new_tokens"]), raw["checkpoints"] == "all")
