"""Suites that the user names by path: XSTest, JailbreakBench, StrongREJECT, or a folder of our own format.

Sets like these have their own licences, so none of them ships with Sekisho; a file is recognised by its
columns. Questions are read as text, nothing else; every bound on reading them is in `limits`. Near-duplicates become
one family, whatever the file says, since a paraphrase is no further evidence.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.probes import suite as suites
from sekisho.probes.near_duplicates import merged
from sekisho.probes.scorers import SCORERS
from sekisho.probes.suite import Item, Suite

Row = Mapping[str, str]


@dataclass(frozen=True)
class Format:
    """One known set: how to recognise a row of it and make it an item."""

    id: str
    columns: frozenset[str]
    """Columns that every row must have, in lower case."""
    scorer: str
    title: str
    title_ja: str
    why: str
    why_ja: str
    optional: frozenset[str] = field(kw_only=True, default=frozenset())
    """Columns whose values may be empty."""
    item: Callable[[Row, str], Item | None]
    """(row, its number) -> item; None for a row that is no question of this suite."""


def load(path: Path) -> Suite:
    """Load a suite from a folder of our format, or a CSV or JSON file of a known set. Raises DataError."""
    suite = _folder(path) if path.is_dir() else _file(path)
    return replace(suite, items=merged(suite.items))


def _file(path: Path) -> Suite:
    data = _bytes(path)
    rows = _json_rows(data, path) if data.lstrip()[:1] in {b"[", b"{"} else _csv_rows(data, path)
    return _suite(path, rows, hashlib.sha256(data).hexdigest())


def _folder(path: Path) -> Suite:
    for name in ("suite.toml", *(f"items.{language}.jsonl" for language in suites.LANGUAGES)):
        if (path / name).exists():
            _bytes(path / name)
    try:
        suite = suites.read(path)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"suite {path.name}: {error}") from error
    if suite.scorer not in SCORERS:
        raise DataError(f"suite {path.name}: no scorer {suite.scorer}; there are {', '.join(SCORERS)}")
    return suite


def _bytes(path: Path) -> bytes:
    """Read a regular file of bounded size."""
    try:
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        with path.open("rb") as stream:
            data = stream.read(DEFAULT.text_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if len(data) > DEFAULT.text_bytes:
        raise DataError(f"{path.name}: over the limit of {DEFAULT.text_bytes:,} bytes for a suite file")
    return data


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 text: {error}") from error


def _csv_rows(data: bytes, path: Path) -> list[Row]:
    reader = csv.DictReader(io.StringIO(_text(data, path), newline=""), strict=True, restkey="", restval="")
    rows: list[Row] = []
    try:
        for row in reader:
            if row.get(""):
                raise DataError(f"{path.name}:{reader.line_num}: more values than columns")
            rows.append(_row(row))
            _bounded(rows, path)
    except csv.Error as error:
        raise DataError(f"{path.name}:{reader.line_num}: {error}") from error
    return rows


def _json_rows(data: bytes, path: Path) -> list[Row]:
    try:
        value = json.loads(_text(data, path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: {error}") from error
    if isinstance(value, dict):
        value = value.get("data", value.get("behaviors", value))
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        if len({len(v) for v in value.values()}) > 1:
            raise DataError(f"{path.name}: columns of different lengths")
        value = [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise DataError(f"{path.name}: neither a list of objects nor an object of columns")
    _bounded(value, path)
    return [_row(row) for row in value]


def _row(row: Mapping[str, Any]) -> Row:
    """Text by column in lower case; a whole number counts as text, anything else as absent."""
    texts = {k: str(v) for k, v in row.items() if k and isinstance(v, str | int)}
    return {k.strip().lower(): v.strip() for k, v in texts.items()}


def _bounded(rows: list[Any], path: Path) -> None:
    if len(rows) > DEFAULT.suite_items:
        raise DataError(f"{path.name}: more than {DEFAULT.suite_items:,} items")


def _suite(path: Path, rows: list[Row], digest: str) -> Suite:
    columns = frozenset(rows[0]) if rows else frozenset()
    known = next((f for f in FORMATS.values() if f.columns <= columns), None)
    if known is None:
        wanted = "; ".join(f"{f.id}: {', '.join(sorted(f.columns))}" for f in FORMATS.values())
        raise DataError(
            f"{path.name}: columns {', '.join(sorted(columns)) or 'none'} are of no known set ({wanted})"
        )
    return Suite(
        id=known.id,
        title=MappingProxyType({"en": known.title, "ja": known.title_ja}),
        why=MappingProxyType({"en": known.why, "ja": known.why_ja}),
        scorer=known.scorer,
        hazard=True,
        digest=digest,
        items=_items(path, known, rows),
    )


def _items(path: Path, known: Format, rows: Iterable[Row]) -> tuple[Item, ...]:
    items: list[Item] = []
    for number, row in enumerate(rows, 1):
        item = known.item({c: row.get(c, "") for c in known.columns}, str(number))
        if item is None:
            continue
        missing = [c for c in sorted(known.columns - known.optional) if not row.get(c)]
        if missing:
            raise DataError(f"{path.name}: row {number}: {', '.join(missing)} is empty or no text")
        items.append(item)
    if not items:
        raise DataError(f"{path.name}: no question for the suite {known.id}")
    if len({i.id for i in items}) < len(items):
        raise DataError(f"{path.name}: duplicate item ids")
    return tuple(items)


def _xstest(row: Row, number: str) -> Item | None:
    """Only the safe questions: they deserve an answer, their contrasts do not."""
    del number
    if row["label"] not in {"safe", "unsafe"}:
        raise DataError(f"xstest: label {row['label']!r} is neither safe nor unsafe")
    family = f"{row['type']}/{row['focus'] or row['id']}".lower()
    return Item(row["id"], family, "en", row["prompt"]) if row["label"] == "safe" else None


def _jailbreakbench(row: Row, number: str) -> Item:
    return Item(number, row["behavior"].lower(), "en", row["goal"])


def _strongreject(row: Row, number: str) -> Item:
    return Item(number, f"{row['category'].lower()}/{number}", "en", row["forbidden_prompt"])


FORMATS: Final = MappingProxyType(
    {
        f.id: f
        for f in (
            Format(
                id="xstest",
                columns=frozenset({"id", "prompt", "type", "label", "focus"}),
                optional=frozenset({"focus"}),
                scorer="refusal",
                title="XSTest: safe questions that look unsafe",
                title_ja="XSTest：危険に見えて安全な質問",
                why="Declining these is exaggerated caution, and an easy cover for a planted refusal.",
                why_ja="これらを断るのは過剰な警戒であり、仕込まれた回答拒否の隠れ蓑にもなります。",
                item=_xstest,
            ),
            Format(
                id="jailbreakbench",
                columns=frozenset({"goal", "target", "behavior", "category"}),
                scorer="compliance",
                title="JailbreakBench: harmful requests",
                title_ja="JailbreakBench：有害な依頼",
                why="A model with its safeguards in place declines these.",
                why_ja="安全策が働いているモデルは、これらの依頼を断ります。",
                item=_jailbreakbench,
            ),
            Format(
                id="strongreject",
                columns=frozenset({"category", "source", "forbidden_prompt"}),
                scorer="compliance",
                title="StrongREJECT: forbidden requests",
                title_ja="StrongREJECT：禁じられた依頼",
                why="A model with its safeguards in place declines these.",
                why_ja="安全策が働いているモデルは、これらの依頼を断ります。",
                item=_strongreject,
            ),
        )
    }
)
"""Every set that `load` recognises, by id."""
