"""Numbers of tensors: raw bytes of any dtype to floats, and running sums of how two tensors differ."""

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]

_PLAIN: Final = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4", "I16": "<i2",
    "U16": "<u2", "I8": "i1", "U8": "u1", "BOOL": "u1", "C64": "<f4",
}  # fmt: skip
_WIDE: Final = frozenset({"F64", "I64", "U64", "I32", "U32"})
_FP8: Final = {
    "F8_E4M3": (4, 3, 7, "nan-only"),
    "F8_E5M2": (5, 2, 15, "ieee"),
    "F8_E4M3FNUZ": (4, 3, 8, "fnuz"),
    "F8_E5M2FNUZ": (5, 2, 16, "fnuz"),
}
"""dtype -> (exponent bits, mantissa bits, bias, how it writes infinity and not-a-number)."""


def decoded(data: Bytes, dtype: str) -> Floats:
    """Return the values as float32, or float64 where that is needed; packed types below a byte as their bytes."""
    if dtype == "BF16":
        return (data.view("<u2").astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype in _FP8 or dtype == "F8_E8M0":
        return _table(dtype)[data]
    plain = data.view(_PLAIN.get(dtype, "u1"))
    wanted: type = np.float64 if dtype in _WIDE else np.float32
    return plain if plain.dtype == wanted else plain.astype(wanted)


def rounded(values: Floats, dtype: str) -> Floats:
    """Round float values to a narrower float dtype and back; others are returned as they are."""
    if dtype == "F16":
        with np.errstate(over="ignore"):
            return values.astype(np.float16).astype(np.float32)
    if dtype == "BF16":
        bits = values.astype(np.float32).view(np.uint32)
        bits = bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))
        return (bits & np.uint32(0xFFFF0000)).view(np.float32)
    return values.astype(np.float32) if dtype == "F32" else values


@cache
def _table(dtype: str) -> Floats:
    codes = range(256)
    if dtype == "F8_E8M0":
        return np.array([math.nan if c == 255 else 2.0 ** (c - 127) for c in codes], dtype=np.float32)  # noqa: PLR2004
    return np.array([_fp8(c, *_FP8[dtype]) for c in codes], dtype=np.float32)


def _fp8(code: int, exponent_bits: int, mantissa_bits: int, bias: int, kind: str) -> float:
    sign = -1.0 if code & 0x80 else 1.0
    top = (1 << exponent_bits) - 1
    exponent, mantissa = (code >> mantissa_bits) & top, code & ((1 << mantissa_bits) - 1)
    if kind == "fnuz" and code == 0x80:  # noqa: PLR2004 - minus zero stands for not-a-number
        return math.nan
    if kind == "ieee" and exponent == top:
        return math.nan if mantissa else sign * math.inf
    if kind == "nan-only" and code & 0x7F == 0x7F:  # noqa: PLR2004
        return math.nan
    fraction = mantissa / (1 << mantissa_bits)
    return float(
        sign * (fraction * 2.0 ** (1 - bias) if exponent == 0 else (1 + fraction) * 2.0 ** (exponent - bias))
    )


def _squares(values: Floats) -> Floats:
    if len(values) == 1:
        return np.array([np.dot(values[0], values[0])])
    squares: Floats = np.einsum("ij,ij->i", values, values)
    return squares


@dataclass
class Sums:
    """Running sums over the blocks of one tensor; rows matter for matrices only."""

    rows: int
    difference: float = 0.0
    base: float = 0.0
    inner: float = 0.0
    """Sums of squares of the difference and of the base, and of difference times base."""
    differs: bool = False
    _row_difference: Floats = field(init=False, repr=False)
    _row_base: Floats = field(init=False, repr=False)
    _row_differs: npt.NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._row_difference = np.zeros(self.rows)
        self._row_base = np.zeros(self.rows)
        self._row_differs = np.zeros(self.rows, dtype=bool)

    def same(self, values: Floats) -> None:
        """Add a block in which both tensors are equal."""
        flat = values.reshape(-1)
        with np.errstate(all="ignore"):
            self.base += float(np.dot(flat, flat))

    def different(self, first: int, count: int, mine: Floats, theirs: Floats) -> None:
        """Add a block of `count` whole rows from row `first` on; one row where the tensor has none."""
        if len(mine) != len(theirs):
            self.differs, self.base = True, math.nan
            return
        mine, theirs = mine.reshape(count, -1), theirs.reshape(count, -1)
        with np.errstate(all="ignore"):
            change = mine - theirs
            unequal = change != 0  # not-a-number counts as a difference
            if not unequal.any():
                self.same(theirs)
                return
            row_difference, row_base = _squares(change), _squares(theirs)
            self.inner += float(np.dot(change.reshape(-1), theirs.reshape(-1)))
        self.differs = True
        self.difference += float(row_difference.sum(dtype=np.float64))
        self.base += float(row_base.sum(dtype=np.float64))
        if self.rows:
            span = slice(first, first + count)
            self._row_difference[span], self._row_base[span] = row_difference, row_base
            self._row_differs[span] = unequal.any(axis=1)

    @property
    def relative(self) -> float:
        """Norm of the difference over the norm of the base; infinite where it cannot be told."""
        if self.base > 0 and math.isfinite(self.base) and math.isfinite(self.difference):
            return math.sqrt(self.difference / self.base)
        return math.inf

    @property
    def cosine(self) -> float:
        """Cosine between the two tensors; 0 where it cannot be told."""
        both = self.base + self.inner
        mine = self.base + 2 * self.inner + self.difference
        if self.base > 0 and mine > 0 and math.isfinite(mine):
            return max(-1.0, min(1.0, both / math.sqrt(self.base * mine)))
        return 0.0

    @property
    def changed_rows(self) -> tuple[int, ...]:
        """Rows that differ, in order."""
        return tuple(int(n) for n in np.flatnonzero(self._row_differs))

    def outliers(self, least: float = 0.5, times: float = 10.0) -> tuple[int, ...]:
        """Rows that changed by more than `least` of their norm and by many times the change of the median row.

        Where only some rows changed at all, the median row is an unchanged one.
        """
        if not self._row_differs.any():
            return ()
        with np.errstate(all="ignore"):
            ratio = np.sqrt(self._row_difference / self._row_base)
        change = np.nan_to_num(self._row_difference, nan=np.inf, posinf=np.inf)
        ratio = np.nan_to_num(ratio, nan=np.inf, posinf=np.inf)
        found = self._row_differs & (ratio > least) & (change > times**2 * float(np.median(change)))
        return tuple(int(n) for n in np.flatnonzero(found))
