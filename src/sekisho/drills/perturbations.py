"""Perturbations as inert data: `data/perturbations/<id>.toml` names a kind, an amount, and why it is worth trying."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError
from sekisho.models.base import Perturbation
from sekisho.models.perturb import KINDS

TEXTS: Final = ("id", "title", "title_ja", "why", "why_ja", "kind")
KEYS: Final = frozenset({*TEXTS, "amount"})
SPEC_KEYS: Final = frozenset({"perturbations", "suites", "families", "max_new_tokens"})


@dataclass(frozen=True)
class Shake:
    """One perturbation of the battery."""

    id: str
    title: Mapping[str, str]
    """Language -> name, for people."""
    why: Mapping[str, str]
    perturbation: Perturbation

    @property
    def needs_base(self) -> bool:
        """It moves along the line through candidate and base."""
        return KINDS[self.perturbation.kind].needs_base


@dataclass(frozen=True)
class Spec:
    """What a profile asks of the battery: few questions and short answers, since it is triage."""

    perturbations: tuple[str, ...]
    suites: tuple[str, ...]
    families: int
    """At most this many of each suite and language."""
    max_new_tokens: int


def names() -> tuple[str, ...]:
    """Ids of the perturbations that ship with Sekisho."""
    return shipped.names("perturbations")


def load(name: str) -> Shake:
    """Load a shipped perturbation. Raises DataError."""
    if name not in names():
        raise DataError(f"no perturbation {name!r}; there are {', '.join(names())}")
    return parse(shipped.file("perturbations", name).read_text("utf-8"), name)


def parse(text: str, name: str) -> Shake:
    """Read a perturbation from TOML. Raises DataError on anything unknown, missing or out of bounds."""
    where = f"perturbation {name}"
    try:
        raw = tomllib.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    if wrong := sorted((set(raw) - KEYS) | (set(TEXTS) - set(raw))):
        raise DataError(f"{where}: keys {', '.join(wrong)} are unknown or missing")
    if not all(isinstance(raw[k], str) and raw[k].strip() for k in TEXTS) or raw["id"] != name:
        raise DataError(f"{where}: {', '.join(TEXTS)} are texts, and the id is the file's name")
    titles, whys = ({"en": raw[k], "ja": raw[f"{k}_ja"]} for k in ("title", "why"))
    return Shake(name, titles, whys, Perturbation(raw["kind"], _amount(raw, where)))


def spec(raw: Any, where: str) -> Spec:
    """Read a profile's [battery] table. Raises DataError."""
    if not isinstance(raw, dict) or set(raw) != SPEC_KEYS:
        raise DataError(f"{where}: wants {', '.join(sorted(SPEC_KEYS))}")
    lists = [raw["perturbations"], raw["suites"]]
    if not all(isinstance(x, list) and x and all(isinstance(i, str) for i in x) for x in lists):
        raise DataError(f"{where}: perturbations and suites are lists of ids")
    counts = [raw["families"], raw["max_new_tokens"]]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in counts):
        raise DataError(f"{where}: families and max_new_tokens are whole numbers above 0")
    for name in lists[0]:
        load(name)
    return Spec(tuple(lists[0]), tuple(lists[1]), counts[0], counts[1])


def _amount(raw: Mapping[str, Any], where: str) -> float:
    kind = KINDS.get(raw["kind"])
    if kind is None:
        raise DataError(f"{where}: kind {raw['kind']!r} is none of {', '.join(KINDS)}")
    amount = raw.get("amount", 0)
    accepted = (int,) if kind.whole else (int, float)
    # written so that NaN fails as well
    if isinstance(amount, bool) or not isinstance(amount, accepted) or not kind.low <= amount <= kind.high:
        raise DataError(f"{where}: the amount of {raw['kind']} is from {kind.low:g} to {kind.high:g}")
    return float(amount)
