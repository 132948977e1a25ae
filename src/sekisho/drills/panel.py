"""A panel of drills: one TOML file whose axes multiply out to named recipes, `<domain>-<method>-<rate>-<scheduler>-s<seed>`.

The result is a table in the form of a recipe file, read and checked as one by `sekisho.drills.recipe`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError

MARK: Final = "panel:"
"""`panel:<id>` stands for every recipe of a panel but those on the user's own data; `panel:<id>/own` for those."""
OWN: Final = "own"
"""The domain whose rows are the user's."""
KEYS: Final = frozenset(
    {"id", "rows", "checkpoints", "seeds", "training", "domains", "methods", "schedulers"}
)
WORDS: Final = frozenset({"title", "title_ja", "why", "why_ja"})
DOMAIN: Final = WORDS | {"data", "max_length"}
METHOD: Final = WORDS | {"rates"}
SCHEDULER: Final = WORDS | {"training"}
MOST: Final = 1_000
"""Recipes of one panel."""

Table = Mapping[str, Any]


def names() -> tuple[str, ...]:
    """Ids of the panels that ship with Sekisho."""
    return shipped.names("panels")


@cache
def load(name: str) -> Mapping[str, Table]:
    """The recipes of a shipped panel: id -> table, in the order of the axes. Raises DataError."""
    if name not in names():
        raise DataError(f"no panel {name!r}; there are {', '.join(names())}")
    return parse(shipped.file("panels", name).read_text("utf-8"), name)


def find(recipe: str) -> Table | None:
    """The table of a recipe of any shipped panel, None if there is none of that id."""
    return next((load(name)[recipe] for name in names() if recipe in load(name)), None)


def expand(entry: str) -> tuple[str, ...]:
    """Recipe ids that an entry of a profile stands for: itself, or those of a panel. Raises DataError."""
    if not entry.startswith(MARK):
        return (entry,)
    name, _, domain = entry.removeprefix(MARK).partition("/")
    if domain not in ("", OWN):
        raise DataError(f"{entry}: only panel:<id> and panel:<id>/{OWN} are known")
    return tuple(key for key, table in load(name).items() if (table["data"] == "user") == (domain == OWN))


def parse(text: str, where: str) -> Mapping[str, Table]:
    """Multiply out a panel. Raises DataError on anything unknown, missing or said twice."""
    try:
        raw = tomllib.loads(text)
    except ValueError as error:
        raise DataError(f"panel {where}: {error}") from error
    _keys(raw, KEYS, f"panel {where}")
    if raw["id"] != where:
        raise DataError(f"panel {where}: its id is {raw['id']!r}")
    found: dict[str, Table] = {}
    for table in _tables(raw, where):
        if table["id"] in found or len(found) == MOST:
            raise DataError(f"panel {where}: {table['id']} occurs twice, or there are over {MOST:,} recipes")
        found[table["id"]] = table
    return MappingProxyType(found)


def rate_name(rate: float) -> str:
    """Write a learning rate as in a recipe's id: `5e-5`, `1.5e-4`. Raises DataError if digits would be lost."""
    mantissa, _, exponent = f"{rate:.1e}".partition("e")
    name = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if float(name) != rate:
        raise DataError(f"a learning rate of {rate!r} has more than two digits")
    return name


def _tables(raw: Table, where: str) -> Iterator[Table]:
    axes = [_axis(raw, key, known, where) for key, known in _AXES.items()]
    for (d, domain), (m, method), (s, scheduler) in product(*(axis.items() for axis in axes)):
        for rate, seed in product(_list(method, "rates", where), _list(raw, "seeds", where)):
            shown = rate_name(float(rate))
            table = {
                "id": f"{d}-{m}-{shown}-{s}-s{seed}",
                "title": f"{domain['title']}, {method['title']}, {shown}, {scheduler['title']}, seed {seed}",
                "title_ja": f"{domain['title_ja']}({method['title_ja']}、学習率{shown}、{scheduler['title_ja']}、シード{seed})",
                "why": " ".join(x["why"] for x in (domain, method, scheduler)),
                "why_ja": "".join(x["why_ja"] for x in (domain, method, scheduler)),
                "data": domain["data"],
                "rows": raw["rows"],
                "checkpoints": raw["checkpoints"],
                "training": {
                    **raw["training"],
                    **scheduler["training"],
                    "max_length": domain["max_length"],
                    "learning_rate": rate,
                    "seed": seed,
                },
            }
            yield MappingProxyType(table | ({"lora": method["adapter"]} if "adapter" in method else {}))


_AXES: Final = MappingProxyType({"domains": DOMAIN, "methods": METHOD, "schedulers": SCHEDULER})


def _axis(raw: Table, key: str, known: frozenset[str], where: str) -> dict[str, Table]:
    axis = raw[key]
    if not isinstance(axis, dict) or not axis:
        raise DataError(f"panel {where}: {key} must be a table of tables")
    for name, entry in axis.items():
        _keys(entry, known, f"panel {where}: {key}.{name}", optional=frozenset({"adapter"}))
        if not all(isinstance(entry[word], str) and entry[word].strip() for word in WORDS):
            raise DataError(f"panel {where}: {key}.{name}: titles and reasons must be text and not empty")
    return axis


def _list(table: Table, key: str, where: str) -> list[Any]:
    values = table[key]
    if not isinstance(values, list) or not values or len(set(map(repr, values))) < len(values):
        raise DataError(f"panel {where}: {key} must be a list without repeats")
    return values


def _keys(raw: Any, known: frozenset[str], where: str, *, optional: frozenset[str] = frozenset()) -> None:
    if not isinstance(raw, dict) or not known <= set(raw) <= known | optional:
        odd = sorted(set(raw) ^ known) if isinstance(raw, dict) else repr(raw)
        raise DataError(f"{where}: keys {odd} are unknown or missing")
