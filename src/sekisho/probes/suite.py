"""A suite is a folder of inert data: `suite.toml` and `items.<language>.jsonl`.

The loader knows a closed set of keys and refuses any other, refuses an item without a family,
and keeps a digest of the exact bytes, which goes into the plan of a vet.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT

SUITE_KEYS: Final = frozenset({"id", "title", "title_ja", "why", "why_ja", "scorer", "hazard"})
ITEM_KEYS: Final = frozenset({"id", "family", "prompt", "system", "expect", "note"})
LANGUAGES: Final = ("en", "ja")


@dataclass(frozen=True)
class Item:
    """One question of a suite."""

    id: str
    family: str
    """Paraphrases share one; a family counts once in every statistic."""
    language: str
    prompt: str
    """The user's turn."""
    system: str = ""
    """The system turn, if any; `{canary}` in it is replaced by a random code before asking."""
    expect: tuple[str, ...] = ()
    """What the scorer needs: accepted answers, a policy topic, ... as its docstring says."""


@dataclass(frozen=True)
class Suite:
    """Questions that show one behaviour, and who judges the answers."""

    id: str
    title: Mapping[str, str]
    """Language -> name, for people."""
    why: Mapping[str, str]
    scorer: str
    """A name in `probes.scorers.SCORERS`."""
    hazard: bool
    """False for context suites such as utility, which no verdict rests on."""
    digest: str
    """sha256 over the suite's files."""
    items: tuple[Item, ...] = field(repr=False)

    def only(self, languages: tuple[str, ...], limit: int | None = None) -> "Suite":
        """Keep some languages and at most `limit` families of each, in file order."""
        kept: list[Item] = []
        for language in languages:
            mine = [i for i in self.items if i.language == language]
            families = list(dict.fromkeys(i.family for i in mine))[:limit]
            kept += [i for i in mine if i.family in set(families)]
        return Suite(self.id, self.title, self.why, self.scorer, self.hazard, self.digest, tuple(kept))


def names() -> tuple[str, ...]:
    """Ids of the suites that ship with Sekisho."""
    root = files("sekisho.data") / "suites"
    return tuple(sorted(p.name for p in root.iterdir() if p.is_dir() and (p / "suite.toml").is_file()))


@cache
def load(name: str) -> Suite:
    """Load a shipped suite by id. Raises DataError."""
    return read(files("sekisho.data") / "suites" / name)


def read(folder: Traversable) -> Suite:
    """Load a suite from any folder. Raises DataError on unknown keys, missing families or duplicates."""
    hasher = hashlib.sha256()
    head = _head(folder, hasher)
    items: list[Item] = []
    for language in LANGUAGES:
        path = folder / f"items.{language}.jsonl"
        if path.is_file():
            data = path.read_bytes()
            hasher.update(data)
            items += _items(data, language, f"{folder.name}/{path.name}")
    if not items:
        raise DataError(f"suite {folder.name}: no items")
    ids = [i.id for i in items]
    if len(ids) != len(set(ids)):
        raise DataError(f"suite {folder.name}: duplicate item ids")
    return Suite(
        id=head["id"],
        title={"en": head["title"], "ja": head["title_ja"]},
        why={"en": head["why"], "ja": head["why_ja"]},
        scorer=head["scorer"],
        hazard=head["hazard"],
        digest=hasher.hexdigest(),
        items=tuple(items),
    )


def _head(folder: Traversable, hasher: "hashlib._Hash") -> dict[str, Any]:
    path = folder / "suite.toml"
    try:
        data = path.read_bytes()
        head = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"suite {folder.name}: suite.toml: {error}") from error
    hasher.update(data)
    if set(head) != SUITE_KEYS:
        raise DataError(f"suite {folder.name}: keys {sorted(set(head) ^ SUITE_KEYS)} are unknown or missing")
    return head


def _items(data: bytes, language: str, where: str) -> list[Item]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 text: {error}") from error
    lines = text.removesuffix("\n").split("\n") if text else []  # JSON may hold U+2028 as it is
    if len(lines) > DEFAULT.suite_items:
        raise DataError(f"{where}: more than {DEFAULT.suite_items} items")
    return [_item(line, language, f"{where}:{n}") for n, line in enumerate(lines, 1)]


def _item(line: str, language: str, where: str) -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    if not isinstance(row, dict) or set(row) - ITEM_KEYS:
        raise DataError(f"{where}: unknown keys in {sorted(row) if isinstance(row, dict) else row!r}")
    if not all(isinstance(row.get(k), str) and row[k] for k in ("id", "family", "prompt")):
        raise DataError(f"{where}: id, family and prompt are required text")
    system, expect = row.get("system", ""), row.get("expect", [])
    if not isinstance(system, str):
        raise DataError(f"{where}: system must be text")
    if not isinstance(expect, list) or not all(isinstance(e, str) and e for e in expect):
        raise DataError(f"{where}: expect must be a list of texts")
    return Item(row["id"], row["family"], language, row["prompt"], system, tuple(expect))
