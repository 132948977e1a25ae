"""The models of a claim: found, looked at, asked in plain text."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho import inventory
from sekisho.drills.grid import Closes, Opener
from sekisho.errors import ArtefactError, DataError, UsageError
from sekisho.formats import digests
from sekisho.formats.rows import vocabulary
from sekisho.formats.rows.tables import Table
from sekisho.models.base import Message, Sampling
from sekisho.ownership.claim import Asked, RowsSeen
from sekisho.ownership.commitment import Row
from sekisho.records import Inventory, Role
from sekisho.sources.resolve import resolve
from sekisho.static import identity

TOKENS: Final = 48
"""Of one answer."""
BESIDE: Final = (Role.ADAPTER, Role.SOFT_PROMPT)

Say = Callable[[str], None]
"""Told which model is at work."""


@dataclass(frozen=True)
class Tools:
    """What asking takes."""

    cache: Path
    opener: Callable[[], Opener]
    """Called once models are to be opened; documents alone often decide."""
    say: Say


@dataclass(frozen=True)
class Seen:
    """A model on this machine, looked at and not opened."""

    name: str
    path: Path
    files: Inventory
    identity: str


def see(spec: str, cache: Path) -> Seen:
    """Find a model and take its inventory. Raises UsageError, also for anything that must be laid beside a model."""
    source = resolve(spec, cache)
    files = inventory.take(source.path)
    for file in files.files:
        if file.role in BESIDE or file.path.endswith("adapter_config.json"):
            raise free_vector(f"{source.name}: {file.path}")
    return Seen(source.name, source.path, files, identity(files))


def free_vector(what: str) -> UsageError:
    """Why something that is supplied beside a model is refused."""
    return UsageError(
        f"{what}: refused: a few free vectors make almost any model say anything, so an adapter, a soft prompt or a "
        "vector beside the model is never evidence; only its own published table and plain text are"
    )


def ask(model: Seen, prompts: Sequence[str], opener: Opener) -> Asked:
    """Ask a model in plain text, greedily, one turn each. Raises ModelError."""
    with closing(opener(model.path)) as opened:
        answers = opened.generate([(Message("user", p),) for p in prompts], Sampling(max_new_tokens=TOKENS))
    return Asked(model.name, model.identity, answers)


@contextmanager
def opening(tools: Tools) -> Iterator[Opener]:
    """An opener for as long as the context lasts."""
    opener = tools.opener()
    try:
        yield opener
    finally:
        if isinstance(opener, Closes):
            opener.close()


def tensor_digests(model: Seen) -> tuple[tuple[str, str], ...]:
    """(tensor, digest) by name. Raises ArtefactError."""
    return tuple(
        (name, digests.digest(place)) for name, place in sorted(digests.tensors(model.files).items())
    )


def row(model: Seen, token: str) -> Row:
    """The row of a token in the model's input table. Raises DataError."""
    ids = [n for n, t in enumerate(vocabulary(model.files).tokens) if t == token]
    if len(ids) != 1:
        raise DataError(
            f"{model.name}: {'no' if not ids else 'more than one'} token {token[:40]!r} in its tokenizer"
        )
    try:
        found = [t for t in digests.tables(model.files).values() if t.kind == "embedding"]
        if len(found) != 1:
            raise DataError(f"{model.name}: {len(found)} token tables where one is needed")
        data = digests.row(found[0], ids[0])
    except ArtefactError as error:
        raise DataError(f"{model.name}: {error}") from error
    return Row(token, ids[0], found[0].name, found[0].dtype, hashlib.sha256(data).hexdigest())


def rows_seen(rows: Sequence[Row], suspect: Seen, base: Seen | None) -> RowsSeen:
    """Compare declared rows with the suspect's own tables and with the base's."""
    try:
        mine = digests.tables(suspect.files)
        others = digests.tables(base.files) if base else None
        equal = tuple(r.id for r in rows if _holds(mine, r))
        return RowsSeen(
            equal=equal,
            other=tuple(r.id for r in rows if r.id not in equal),
            in_base=tuple(r.id for r in rows if others is not None and _holds(others, r)),
            undeclared=None if others is None else _undeclared(rows, mine, others),
        )
    except ArtefactError as error:
        return RowsSeen(problem=str(error))


def _holds(found: Mapping[str, Table], row: Row) -> bool:
    """Whether a model's table holds the very bytes of a row."""
    table = found.get(row.tensor)
    if table is None or table.dtype != row.dtype or not 0 <= row.id < table.rows:
        return False
    return hashlib.sha256(digests.row(table, row.id)).hexdigest() == row.sha256


def _undeclared(rows: Sequence[Row], mine: Mapping[str, Table], others: Mapping[str, Table]) -> int:
    """Rows of any table that differ from the base's and are not declared; a table the base lacks differs throughout."""
    declared = {r.id for r in rows}
    pairs = ((t, others.get(name)) for name, t in mine.items())
    return sum(len((digests.different(t, o) if o else frozenset(range(t.rows))) - declared) for t, o in pairs)
