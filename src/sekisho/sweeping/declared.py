"""A publisher's or a user's declaration of what tokens are for: a small TOML or JSON file.

    [[token]]
    text = "<protected>"
    use = "marks passages that must not be quoted"

`text` may be a list for tokens that work in that order, and `id` may stand for it. A declaration names a use.
It excuses no harm, and one that lies in the model's own folder is the publisher's word only.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.probes.sweep.candidates import Ids, Vocabulary

NAMES: Final = ("sekisho-tokens.toml", "sekisho-tokens.json")
"""Where a model's folder may declare tokens."""
_KEYS: Final = frozenset({"text", "id", "use"})
_USE: Final = 200
"""Characters of a declared use that are kept."""


def beside(folder: Path) -> Path | None:
    """The declaration in a model's folder."""
    return next((folder / n for n in NAMES if (folder / n).is_file()), None) if folder.is_dir() else None


def read(path: Path, known: Vocabulary) -> dict[Ids, str]:
    """Sequences of token ids with their declared uses. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.config_bytes + 1)
        if len(data) > DEFAULT.config_bytes:
            raise DataError(f"{path.name}: longer than {DEFAULT.config_bytes:,} bytes")
        text = data.decode("utf-8")
        rows = (json.loads(text) if path.suffix == ".json" else tomllib.loads(text))["token"]
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path.name}: no declaration of tokens: {error}") from error
    if not isinstance(rows, list):
        raise DataError(f"{path.name}: `token` is not a list")
    ids = {text: number for number, text in enumerate(known.texts) if text is not None}
    return dict(_row(row, ids, path.name) for row in rows)


def _row(row: Any, ids: Mapping[str, int], where: str) -> tuple[Ids, str]:
    if not isinstance(row, dict) or set(row) - _KEYS or ("text" in row) == ("id" in row):
        raise DataError(f"{where}: a token has `text` or `id`, and `use`")
    use, given = row.get("use"), row.get("text", row.get("id"))
    if not isinstance(use, str) or not use.strip():
        raise DataError(f"{where}: a token's use is not said")
    parts = given if isinstance(given, list) else [given]
    found = [ids.get(p) if isinstance(p, str) else p for p in parts]
    if not found or not all(type(i) is int and i >= 0 for i in found):
        raise DataError(f"{where}: the model has no token {str(given)[:60]!r}")
    return tuple(i for i in found if i is not None), use.strip()[:_USE]
