"""Repair: undeclared rows of the token tables put back as the base has them, in a copy of the model.

No prompt of good faith needs a reserved token, so putting its row back costs nothing. What was not planted in rows
stays as it is, and every other byte with it. The copy is swept; what it shows is said beside what was changed.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from sekisho import tokens
from sekisho.errors import ArtefactError, StorageError, UsageError
from sekisho.formats import rows as tables
from sekisho.formats.rows import Beside, Rows
from sekisho.formats.rows.quants import PLAIN
from sekisho.formats.rows.tables import Table, blocks, gather
from sekisho.probes.sweep import candidates
from sekisho.probes.sweep.candidates import Vocabulary
from sekisho.records import Inventory
from sekisho.static import Inspection, inspect
from sekisho.sweeping import declared as declarations
from sekisho.tokens import Options, Swept
from sekisho.watch import Observer, Unwatched

SPARSE: Final = 0.05
"""Share of changed rows up to which all of them are put back; beyond, only those of reserved and added tokens."""


@dataclass(frozen=True)
class Restored:
    """Rows of one table that were put back."""

    table: str
    """File and tensor."""
    ids: tuple[int, ...]
    text: str
    """Their tokens, the first few."""
    centred: tuple[int, ...] = ()
    """Of these, rows that the base does not have: set to the mean of the base's rows."""


@dataclass(frozen=True)
class Repaired:
    """What was changed, and what the copy shows."""

    folder: Path
    restored: tuple[Restored, ...]
    kept: tuple[int, ...]
    """Tokens left as they are, since their use is declared."""
    swept: Swept | None
    """None where there was nothing to put back."""


@dataclass(frozen=True)
class _Change:
    """Bytes to be written over one table."""

    table: Table
    rows: dict[int, bytes] = field(repr=False)
    centred: tuple[int, ...] = ()


def repair(
    path: str | Path,
    base: str | Path,
    out: Path,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Repaired:
    """Write a repaired copy to `out`, a folder that must not exist yet. Raises UsageError, StorageError."""
    if out.exists():
        raise UsageError(f"{out}: exists already; a repair writes a new folder and changes nothing in place")
    watch.stage("inspect")
    seen = inspect(path, base, cache=options.cache)
    if not seen.source.path.is_dir() or seen.tables is None or seen.base_inventory is None:
        raise UsageError(
            f"{seen.source.name}: a repair needs a folder with safetensors, and a base of the same kind"
        )
    if not seen.tables.tables or seen.tables.unnamed:
        raise UsageError(
            f"{seen.source.name}: no token table was found, or weights that cannot be looked into"
        )
    known = candidates.vocabulary(seen.inventory)
    use = declarations.read(options.declared, known) if options.declared else {}
    kept = {i for ids in use for i in ids}
    try:
        changes = [_change(seen, table, known, kept) for table in seen.tables.tables]
    except ArtefactError as error:
        raise UsageError(f"{seen.source.name}: its tables cannot be read: {error}") from error
    made = [c for c in changes if c is not None and c.rows]
    _write(seen.inventory, out, made)
    swept = tokens.sweep(out, base, options=options, watch=watch) if made else None
    told = tuple(_told(c, known) for c in made)
    return Repaired(out, told, tuple(sorted(kept)), swept)


def _change(seen: Inspection, found: Rows, known: Vocabulary, kept: set[int]) -> _Change | None:
    """The rows of one table that are not the base's and nobody declared, with the bytes they are to have."""
    if found.same:
        return None
    if found.beside is None or not found.beside.related:
        raise UsageError(f"{found.table.where}: its rows cannot be held against the base's")
    others = tables.find(seen.base_inventory) if seen.base_inventory is not None else ()
    other = next((t for t in others if t.name == found.table.name), None)
    if other is None or found.table.dtype not in PLAIN or other.dtype not in PLAIN:
        raise UsageError(
            f"{found.table.where}: only tables of plain numbers under the base's name can be repaired"
        )
    ids = [n for n in _undeclared(found.beside, known) if n not in kept]
    added = [n for n, kind in found.beside.added if kind == "trained" and n not in kept]
    return _Change(found.table, _bytes(found.table, other, ids, added), tuple(added))


def _undeclared(beside: Beside, known: Vocabulary) -> list[int]:
    changed: list[int] = beside.changed.tolist()
    if len(changed) <= SPARSE * len(beside.relative):
        return changed
    apart = set(known.added) - known.usual  # in a finetune control tokens are trained with everything else
    return [n for n in changed if n in apart]


def _bytes(mine: Table, base: Table, ids: Sequence[int], added: Sequence[int]) -> dict[int, bytes]:
    values = gather(base, ids)
    if added:
        centre = sum(part.sum(0) for _, part in blocks(base)) / base.rows
        values = np.concatenate([values, np.tile(centre, (len(added), 1))])
    return {n: _encoded(v, mine.dtype) for n, v in zip([*ids, *added], values, strict=True)}


def _encoded(row: tables.Floats, dtype: str) -> bytes:
    """One row in a table's own type; of a base of the same type, bit for bit."""
    if dtype == "BF16":
        bits = row.astype(np.float32).view(np.uint32).astype(np.uint64)
        return bytes(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes())
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
    return bytes(row.astype(kinds[dtype]).tobytes())


def _write(files: Inventory, out: Path, changes: Sequence[_Change]) -> None:
    """Copy the files, then write the rows into the copy; nothing is left of a copy that failed."""
    unread = next((f.path for f in files.files if not f.sha256), "")
    if unread:
        raise UsageError(f"{unread}: was not read, so it is not copied either")
    try:
        for file in files.files:
            target = out / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(files.root) / file.path, target)
        for change in changes:
            with (out / change.table.path).open("r+b") as table:
                for n, data in change.rows.items():
                    table.seek(change.table.start + n * change.table.row_bytes)
                    table.write(data)
    except OSError as error:
        shutil.rmtree(out, ignore_errors=True)
        raise StorageError(f"{out}: not written: {error.strerror or error}") from error


def _told(change: _Change, known: Vocabulary) -> Restored:
    ids = tuple(sorted(change.rows))
    text = ", ".join(known.text((n,)) for n in ids[:8]) + (", …" if len(ids) > 8 else "")  # noqa: PLR2004
    return Restored(change.table.where, ids, text, change.centred)
