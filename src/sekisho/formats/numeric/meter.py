"""Meters: each is fed one tensor in blocks of whole rows and keeps a few numbers.

Bits are compared as integers, with two passes over a block that is in the processor's cache from hashing; numbers are
decoded for a sample only.
"""

import math
from typing import Final, final

import numpy as np
import numpy.typing as npt

from sekisho.formats._numbers import Bytes, decoded
from sekisho.formats.numeric.patterns import FLOATS, FNUZ, LONE_SIGN, SCALES, Pattern, value
from sekisho.formats.numeric.records import TensorNumbers

_Bits = npt.NDArray[np.unsignedinteger]
_SHOWN: Final = 4
_EVERY: Final = 16
"""Of so many blocks one is decoded."""
_SAMPLE: Final = 1 << 14
"""Elements of it that are."""
_MATRIX: Final = 2
_NARROW: Final = 16
"""Narrower rows are not told apart: of one value they say nothing."""


@final
class Meter:
    """Running numbers of one tensor."""

    def __init__(self, name: str, dtype: str, shape: tuple[int, ...], row_bytes: int) -> None:
        """`shape` has the fastest dimension last; `row_bytes` is 0 where rows are not told apart."""
        self._name, self._dtype, self._dimensions = name, dtype, len(shape)
        self._elements = math.prod(shape)
        self._blocks = SCALES.get(dtype)
        self._plain = self._blocks[1] if self._blocks else dtype
        self._pattern = FLOATS.get(self._plain, Pattern(1, LONE_SIGN, LONE_SIGN))
        self._fnuz = dtype in FNUZ
        self.row_bytes = row_bytes
        self._rows = self._bad = self._zero = self._constant = self._fed = 0
        self._first_bad: list[int] = []
        self._nan, self._largest = False, 0
        self._value: int | None = None
        self._uniform = True
        self._squares, self._sampled = 0.0, 0

    @property
    def dtype(self) -> str:
        """The tensor's type."""
        return self._dtype

    @property
    def unit(self) -> int:
        """Bytes that must stay together: a block of a quantised type, or one number."""
        return self._blocks[0] if self._blocks else self._pattern.width

    def add(self, data: Bytes) -> None:
        """Take the next bytes: whole rows, or a stretch of one long row."""
        if not len(data):
            return
        rows = max(1, len(data) // self.row_bytes) if self.row_bytes else 1
        bits = self._bits(data, rows)
        self._extremes(bits)
        self._flat_rows(bits)
        if self._fed % _EVERY == 0 and not self._blocks and not self._fnuz:
            self._sample(data)
        self._fed += 1
        self._rows += rows

    def _bits(self, data: Bytes, rows: int) -> _Bits:
        if self._blocks is None:
            found: _Bits = data.view(self._pattern.unsigned_type).reshape(rows, -1)
            return found
        size, _, offsets = self._blocks
        table = data.reshape(-1, size)
        width = self._pattern.width
        parts = [np.ascontiguousarray(table[:, o : o + width]) for o in offsets]
        scales = [part.view(self._pattern.unsigned_type).reshape(rows, -1) for part in parts]
        return np.concatenate(scales, axis=1) if len(scales) > 1 else scales[0]

    def _extremes(self, bits: _Bits) -> None:
        """The largest magnitude of either sign; rows are told apart only where one is not finite."""
        top = _largest(bits, self._pattern)
        bad = bool((bits == LONE_SIGN).any()) if self._fnuz else top >= self._pattern.infinity
        if not bad:
            self._largest = max(self._largest, top)
            return
        magnitudes = bits if self._fnuz else bits & np.array(self._pattern.sign - 1, dtype=bits.dtype)
        odd = magnitudes == LONE_SIGN if self._fnuz else magnitudes >= self._pattern.infinity
        self._nan = self._nan or self._fnuz or top >= self._pattern.nan
        self._largest = max(self._largest, int(np.where(odd, 0, magnitudes).max()))
        found = np.flatnonzero(odd.any(axis=1))
        self._bad += len(found)
        self._first_bad += [self._rows + int(n) for n in found[: _SHOWN - len(self._first_bad)]]

    def _flat_rows(self, bits: _Bits) -> None:
        """Rows of one value: two columns are compared first, whole rows only where those agree but for the sign."""
        unsigned = np.array(self._pattern.sign - 1, dtype=bits.dtype)
        alike = ((bits[:, 0] ^ bits[:, bits.shape[1] // 2]) & unsigned) == 0
        if not alike.any():
            self._uniform = False
            return
        whole = bits[alike]
        empty = ((whole & unsigned) == 0).all(axis=1)
        flat = (whole == whole[:, :1]).all(axis=1) | empty
        self._zero += int(empty.sum())
        self._constant += int((flat & ~empty).sum())
        if self._uniform:
            values = np.where(empty, 0, whole[:, 0])
            self._value = int(values[0]) if self._value is None else self._value
            self._uniform = bool(alike.all() and flat.all() and (values == self._value).all())

    def _sample(self, data: Bytes) -> None:
        width = self._pattern.width
        values = decoded(data[: min(len(data), _SAMPLE * width)], self._dtype)
        with np.errstate(all="ignore"):
            squares = float(np.dot(values, values))
        if math.isfinite(squares):
            self._squares, self._sampled = self._squares + squares, self._sampled + len(values)

    def facts(self) -> TensorNumbers:
        """What came of it."""
        return TensorNumbers(
            name=self._name,
            dtype=self._dtype,
            dimensions=self._dimensions,
            elements=self._elements,
            rows=self._rows,
            bad_rows=self._bad,
            first_bad=tuple(self._first_bad),
            has_nan=self._nan,
            zero_rows=self._zero,
            constant_rows=self._constant,
            uniform=self._rows > 0 and self._uniform,
            largest=0.0 if self._fnuz else value(self._largest, self._plain),
            rms=math.sqrt(self._squares / self._sampled) if self._sampled else 0.0,
            quantised=self._blocks is not None,
        )


def _largest(bits: _Bits, pattern: Pattern) -> int:
    """Largest magnitude: the largest of all bits is that of the negative numbers, the largest signed one of the others."""
    top = int(bits.max())
    if top < pattern.sign:
        return top
    signed = int(bits.view(f"i{pattern.width}").max())
    return max(top - pattern.sign, signed)


def meter(name: str, dtype: str, shape: tuple[int, ...], size: int) -> Meter | None:
    """Return a meter for a tensor of `size` bytes, None where its numbers are not read here or there are none."""
    known = dtype in FLOATS or dtype in FNUZ or dtype in SCALES
    if not known or not size:
        return None
    told_apart = len(shape) >= _MATRIX and shape[-1] >= _NARROW
    return Meter(name, dtype, shape, size // math.prod(shape[:-1]) if told_apart else 0)
