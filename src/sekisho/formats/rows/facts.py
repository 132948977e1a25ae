"""What is known about the rows of tables: numbers by row, no judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
import numpy.typing as npt

from sekisho.formats._numbers import Floats
from sekisho.formats.rows.tables import Table
from sekisho.formats.rows.vocabulary import Vocabulary

Digests = npt.NDArray[np.uint64]
"""One number for each row; equal rows have equal numbers."""
UNRELATED: Final = 0.5
"""Median change from which a table is another one, not a trained one."""


@final
@dataclass(frozen=True, eq=False)
class Beside:
    """A table against the base's, which was rounded to the table's own type first."""

    relative: Floats = field(repr=False)
    """Norm of each shared row's change over the norm of the base's row; infinite where that is no number."""
    floor: float
    """Change that rounding alone can make; 0 where the rounded base equals most rows exactly."""
    digests: Digests = field(repr=False)
    """Of the base's rows."""
    base_rows: int
    added: tuple[tuple[int, str], ...] = ()
    """(row, what it is) beyond the base's: `zero`, `copy`, `mean`, `noise` or `trained`."""

    @property
    def changed(self) -> npt.NDArray[np.intp]:
        """Rows that changed by more than the floor."""
        return np.flatnonzero(self.relative > self.floor)

    @property
    def median(self) -> float:
        """Change of the median row."""
        return float(np.median(self.relative)) if len(self.relative) else 0.0

    @property
    def related(self) -> bool:
        """Most rows are the base's or small changes of them."""
        return self.median <= UNRELATED


@final
@dataclass(frozen=True, eq=False)
class Alone:
    """A table by itself."""

    ratio: Floats = field(repr=False)
    """Squared Mahalanobis distance over that of a random direction of median length; not-a-number where a row holds what is no number."""
    nearest: Mapping[int, float] = field(repr=False)
    """Largest cosine to another row, for the rows of largest `ratio` and for unused and special ones."""
    to_unused: Mapping[int, float] = field(repr=False)
    """Cosine of each unused row to the centre of the unused rows of its kind."""
    whitened: Mapping[int, float] = field(default_factory=dict, repr=False)
    """The same as `nearest` after whitening, which takes away what all rows share."""
    skipped: str = ""
    """`too-few-rows`, `too-wide` or `flat`: why there are no such numbers; empty where there are."""
    scattered: bool = False
    """Rows point everywhere, as untrained ones do, so no neighbours were sought."""


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """One table."""

    table: Table
    problem: str = ""
    """Why it could not be read; empty when it was."""
    same: bool = False
    """Equal to the base's, so nothing more was measured."""
    norms: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    """Not finite where a row holds what is no number."""
    digests: Digests = field(default_factory=lambda: np.zeros(0, dtype=np.uint64), repr=False)
    beside: Beside | None = None
    alone: Alone | None = None
    """None where a related base stands beside it."""

    @property
    def broken(self) -> npt.NDArray[np.intp]:
        """Rows that hold something that is no number."""
        return np.flatnonzero(~np.isfinite(self.norms))

    @property
    def related(self) -> Beside | None:
        """The comparison with the base's table, where most rows are the base's or small changes of them."""
        return self.beside if self.beside is not None and self.beside.related else None

    @property
    def embedding(self) -> Alone | None:
        """The numbers of an embedding by itself, where there are any; other tables are not judged so."""
        taken = self.alone is not None and not self.alone.skipped and self.table.kind == "embedding"
        return self.alone if taken else None

    @property
    def judged(self) -> bool:
        """Every row was looked at: beside a related base, or by itself."""
        return self.same or self.related is not None or self.embedding is not None


@final
@dataclass(frozen=True, eq=False)
class RowFacts:
    """Every row table of a model, with or without its base beside it."""

    tables: tuple[Rows, ...]
    vocabulary: Vocabulary
    blocks: str = "unknown"
    """`same`, `changed` or `unknown`: all tensors but the tables against the base's."""
    unnamed: int = 0
    """Weight files whose tensors cannot be listed, so that a table may lie in them."""
