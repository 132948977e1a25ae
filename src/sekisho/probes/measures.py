"""How often each scorer is right, as measured on labelled answers: `data/scorers.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sekisho.errors import DataError

RATES: Final = ("sensitivity", "specificity", "abstained")
MEASURED: Final = frozenset({"scorer", "language", "n", "on", "script", *RATES})
UNMEASURED: Final = frozenset({"scorer", "language", "why"})


@dataclass(frozen=True)
class Rates:
    """What a scorer did on labelled answers."""

    n: int
    """Labelled answers, those it abstained on included."""
    sensitivity: float
    """Share of the judged answers with the behaviour that score 1."""
    specificity: float
    """Share of the judged answers without the behaviour that score 0."""
    abstained: float
    """Share of all answers left open."""


@dataclass(frozen=True)
class Measure:
    """One scorer in one language."""

    scorer: str
    language: str
    rates: Rates | None
    """None where nobody has measured."""
    note: str
    """On which answers, or why there are no rates."""
    script: str = ""
    """What measures it again, from the root of the repository."""


@cache
def measures() -> Mapping[tuple[str, str], Measure]:
    """Return the shipped measurements by scorer and language. Raises DataError."""
    return read((files("sekisho.data") / "scorers.toml").read_text("utf-8"))


def read(text: str) -> dict[tuple[str, str], Measure]:
    """Read the text of a file of measurements. Raises DataError on unknown keys, rates or repetitions."""
    try:
        rows = tomllib.loads(text)["measure"]
    except (ValueError, KeyError) as error:
        raise DataError(f"scorers.toml: {error}") from error
    found: dict[tuple[str, str], Measure] = {}
    for row in rows:
        one = _measure(row)
        if (one.scorer, one.language) in found:
            raise DataError(f"scorers.toml: {one.scorer} in {one.language} twice")
        found[one.scorer, one.language] = one
    return found


def _measure(row: Mapping[str, Any]) -> Measure:
    if set(row) == UNMEASURED:
        return Measure(row["scorer"], row["language"], None, row["why"])
    if set(row) != MEASURED:
        raise DataError(f"scorers.toml: {sorted(row)} are neither rates nor a reason")
    if row["n"] < 1 or not all(0 <= row[rate] <= 1 for rate in RATES):
        raise DataError(f"scorers.toml: {row['scorer']} in {row['language']}: a rate is out of range")
    rates = Rates(row["n"], row["sensitivity"], row["specificity"], row["abstained"])
    return Measure(row["scorer"], row["language"], rates, row["on"], row["script"])
