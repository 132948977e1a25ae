"""What the numeric pass learned of each tensor."""

from dataclasses import dataclass, field
from typing import final

from sekisho.records import FormatFacts


@final
@dataclass(frozen=True)
class TensorNumbers:
    """One tensor of floats, or the scales of one that is quantised; a row is a stretch of the last dimension."""

    name: str
    dtype: str
    dimensions: int
    elements: int
    rows: int
    """Rows looked at; where they are longer than a block, or narrow, blocks are counted."""
    bad_rows: int = 0
    """Rows that hold an infinity or what is no number."""
    first_bad: tuple[int, ...] = ()
    """The first few of them."""
    has_nan: bool = False
    """One holds what is no number; else all are infinities."""
    zero_rows: int = 0
    constant_rows: int = 0
    """Rows of one repeated value that is not zero."""
    uniform: bool = False
    """The whole tensor is one value."""
    largest: float = 0.0
    """Largest finite magnitude; of the scales where it is quantised."""
    rms: float = 0.0
    """Root of the mean square of a sample of the finite numbers, at least the first block; 0 where quantised."""
    quantised: bool = False
    """Only the scales of its blocks were looked at: all other bit patterns of such a block are numbers."""


@final
@dataclass(frozen=True)
class NumericFacts(FormatFacts):
    """Of one file."""

    tensors: tuple[TensorNumbers, ...] = field(default=(), repr=False)
    looked: int = 0
    """Bytes of tensors whose numbers were looked at."""
    integers: int = 0
    """Bytes of tensors of integers, where every pattern is a number."""
    unknown: tuple[tuple[str, int], ...] = ()
    """(dtype, bytes) of tensors whose numbers nobody here can read."""
    padding_used: int = 0
    """Bytes between tensors, and after the last, that are not zero."""
    carried: tuple[tuple[str, str], ...] = ()
    """(tensor, kind) of those that begin as a file of another kind does."""
