"""The questions as data: `data/checklists/*.toml`, with a closed vocabulary."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sekisho import shipped
from sekisho.errors import DataError, UsageError

FOLDER: Final = "checklists"
PROFILES: Final = ("quick", "standard", "deep")
LANGUAGES: Final = ("en", "ja")
EVIDENCE: Final = frozenset(
    {
        "intake", "register", "tree-match", "signature", "lineage", "patches", "file-roles", "static", "template-diff",
        "secret-scan", "licence-chain", "application", "preregistration", "behaviour", "ablation", "trial-finetunes",
        "data-record", "rerun", "diff-sign-off", "signatures", "exceptions", "runbook", "contract", "schedule", "quiz",
    }
)  # fmt: skip
"""What an answer can rest on."""
TEXTS: Final = ("question", "why", "no", "unknown")
"""Of each item, in both languages; the last two say what to do next."""
_KEYS: Final = frozenset({"id", "line", "filled_by", "evidence", "profiles", *TEXTS})


class FilledBy(StrEnum):
    """Who answers an item."""

    TOOL = "tool"
    """Facts alone; what a person says of it is refused."""
    PERSON = "person"
    """One line by a person, with name and time."""
    BOTH = "both"
    """Facts where they settle it; a person where they do not."""


@dataclass(frozen=True)
class Item:
    """One question."""

    id: str
    """`C01` to `C27`."""
    group: str
    """File it stands in: `origin`, `files`, `tests`, `training` or `decision`."""
    filled_by: FilledBy
    evidence: str
    """One of EVIDENCE."""
    profiles: tuple[str, ...]
    """Those that require a yes."""
    line: bool
    """A person's yes counts only with a line of text: the text is the evidence."""
    texts: Mapping[tuple[str, str], str]
    """(one of TEXTS, language) to the sentence."""

    def text(self, key: str, language: str) -> str:
        """A sentence of the item. Raises UsageError for another language."""
        if language not in LANGUAGES:
            raise UsageError(f"no checklist in {language!r}; there are {', '.join(LANGUAGES)}")
        return self.texts[key, language]


@lru_cache
def load() -> tuple[Item, ...]:
    """Every item, by id. Raises DataError where a file breaks the format."""
    names = shipped.names(FOLDER)
    items = [i for name in names for i in read(shipped.file(FOLDER, name).read_text("utf-8"), name)]
    if len({i.id for i in items}) != len(items):
        raise DataError("checklists: an id is given twice")
    return tuple(sorted(items, key=lambda i: i.id))


def read(text: str, group: str) -> tuple[Item, ...]:
    """Items of one file. Raises DataError that names the place."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"checklist {group}: {error}") from error
    if set(table) != {"item"} or not isinstance(table["item"], list):
        raise DataError(f"checklist {group}: a list [[item]] is needed, and nothing else")
    return tuple(_item(entry, group) for entry in table["item"])


def find(item: str) -> Item:
    """The item of an id, in any case of letters. Raises UsageError."""
    wanted = item.strip().upper()
    for known in load():
        if known.id == wanted:
            return known
    raise UsageError(f"no item {item[:20]!r} in the checklist; there are {load()[0].id} to {load()[-1].id}")


def _item(entry: Any, group: str) -> Item:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise DataError(f"checklist {group}: an item has the keys {', '.join(sorted(_KEYS))}")
    where = f"checklist {group}, {str(entry['id'])[:20]}"
    if entry["filled_by"] not in tuple(FilledBy) or entry["evidence"] not in EVIDENCE:
        raise DataError(f"{where}: filled_by or evidence is no word of the vocabulary")
    profiles = entry["profiles"]
    if not isinstance(profiles, list) or not set(profiles) <= set(PROFILES):
        raise DataError(f"{where}: profiles are of {', '.join(PROFILES)}")
    filled, texts = FilledBy(entry["filled_by"]), MappingProxyType(_texts(entry, where))
    if type(entry["line"]) is not bool:
        raise DataError(f"{where}: line is true or false")
    return Item(
        str(entry["id"]), group, filled, str(entry["evidence"]), tuple(profiles), entry["line"], texts
    )


def _texts(entry: Mapping[str, Any], where: str) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for key in TEXTS:
        pair = entry[key]
        if not isinstance(pair, dict) or set(pair) != set(LANGUAGES):
            raise DataError(f"{where}: {key} needs {' and '.join(LANGUAGES)}")
        for language, text in pair.items():
            if not isinstance(text, str) or not text.strip():
                raise DataError(f"{where}: {key}.{language} is empty")
            found[key, language] = text
    return found
