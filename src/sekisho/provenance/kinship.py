"""Do these weights come from those? Cosines of sampled rows, matrix by matrix, and the shape of the token table.

Sampled cosines between unrelated matrices of n numbers scatter by 1/sqrt(n) around 0, between a model and its finetune
they stay near 1; the thresholds stand between (docs/adr, measured on two real models and made variants). The table's
Gram matrix does not change when channels are permuted or rotated, so a re-parameterised copy still shows. A student
trained on answers alone (distillation) shares no weights and is not seen. Equality is of the sample, not of all bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from sekisho.formats._numbers import Floats, rounded
from sekisho.formats.rows import quants
from sekisho.provenance import samples
from sekisho.records import Inventory

PAIRED: Final = 0.5
"""Share of either model's matrices that must have a partner, or nothing is concluded."""
LEAST: Final = 4
"""Matrices that must have a partner."""
CLOSE: Final = 0.9
"""Cosine of a matrix that light training moved; 0.9 is a change of about half its norm."""
MOST: Final = 0.9
"""Share of matrices that must be close in a finetune."""
RELATED: Final = 0.3
"""Median cosine above which weights have a common ancestor; unrelated ones measure below 0.02."""
STRANGE: Final = 0.1
"""Median cosine below which position by position nothing is shared."""
SAME_TABLE: Final = 0.95
"""Correlation of Gram entries of the token tables that only a common origin reaches."""
_TOKENS: Final = 384
_FLOORS: Final = {**quants.FLOORS, "F8_E4M3": 0.08, "F8_E5M2": 0.16, "F8_E4M3FNUZ": 0.08, "F8_E5M2FNUZ": 0.16}
"""Relative change that rounding to a type alone never makes."""
_PLAIN: Final = frozenset({"F64", "F32", "F16", "BF16"})


class Kinship(StrEnum):
    """What the weights say."""

    EXACT_COPY = "exact-copy"
    """Every sampled number is equal, or is the other one rounded."""
    QUANTIZED_COPY = "quantized-copy"
    """The difference is what rounding to the narrower type makes; a slight finetune beneath it cannot be told."""
    FINE_TUNE = "fine-tune"
    SAME_LINEAGE = "same-lineage"
    """A common ancestor: trained far, partly replaced, or re-parameterised."""
    UNRESOLVED = "unresolved"
    """Between kin and stranger."""
    NO_MATCH = "no-match"
    INSUFFICIENT = "insufficient"
    """Too little can be compared to say anything."""


@dataclass(frozen=True)
class Result:
    """The verdict with the numbers it stands on."""

    verdict: Kinship
    reason: str
    """Stable code: `equal`, `rounding`, `close`, `far`, `table`, `partly`, `strange`, `between`, `shapes`, `few`, `unreadable`."""
    paired: int = 0
    matrices: int = 0
    """Of the candidate."""
    cosine: float = 0.0
    """Median over paired matrices; 0 where none is."""
    lowest: float = 0.0
    close: float = 0.0
    """Share of paired matrices with a cosine of at least CLOSE."""
    change: float = 0.0
    """Median sine: the relative change apart from scale."""
    table: float = 0.0
    """Correlation of the token tables' Gram entries; 0 where it could not be made."""
    norms: float = 0.0
    """Correlation of the matrices' mean squares over the depth, each kind of matrix apart; 0 where it could not be made."""


@dataclass(frozen=True)
class _Pair:
    name: str
    mine: Floats
    theirs: Floats
    dtypes: tuple[str, str]

    @property
    def cosine(self) -> float:
        return _cosine(self.mine, self.theirs)

    @property
    def equal(self) -> bool:
        """Equal, or either is the other rounded to its type."""
        a, b = self.dtypes
        if np.array_equal(self.mine, self.theirs):
            return True
        if not {a, b} <= _PLAIN:
            return False
        return np.array_equal(self.mine, rounded(self.theirs, a)) or np.array_equal(
            rounded(self.mine, b), self.theirs
        )


def compare(candidate: Inventory, base: Inventory) -> Result:
    """Compare two models. Raises OSError where a file cannot be read."""
    mine, theirs = samples.model(candidate), samples.model(base)
    total = len(mine.matrices) + mine.unreadable
    if not mine.matrices or not theirs.matrices:
        return Result(Kinship.INSUFFICIENT, "unreadable", matrices=total)
    names = _partners(mine, theirs)
    if not names and _others(mine, theirs):
        return Result(Kinship.NO_MATCH, "shapes", matrices=total)
    if len(names) < LEAST or len(names) < PAIRED * max(total, len(theirs.matrices)):
        reason = "unreadable" if mine.unreadable or mine.problem else "few"
        return Result(Kinship.INSUFFICIENT, reason, paired=len(names), matrices=total)
    pairs = [_pair(mine.matrices[n], theirs.matrices[n]) for n in names]
    return _judge(pairs, _table(mine, theirs), total)


def _partners(mine: samples.Model, theirs: samples.Model) -> list[str]:
    """Names in both with the same width; added rows do not matter."""
    shared = mine.matrices.keys() & theirs.matrices.keys()
    return sorted(n for n in shared if mine.matrices[n].width == theirs.matrices[n].width)


def _others(mine: samples.Model, theirs: samples.Model) -> bool:
    """Both have token tables, of different widths: no training makes one of the other."""
    one, two = (m.matrices.get(samples.EMBEDDING) for m in (mine, theirs))
    return bool(one and two and one.width != two.width)


def _pair(mine: samples.Matrix, theirs: samples.Matrix) -> _Pair:
    rows = samples.chosen(mine.name, min(mine.rows, theirs.rows), mine.width)
    return _Pair(
        mine.name, samples.numbers(mine, rows), samples.numbers(theirs, rows), (mine.dtype, theirs.dtype)
    )


def _judge(pairs: Sequence[_Pair], table: float, total: int) -> Result:
    cosines = np.array([p.cosine for p in pairs])
    middle, close = float(np.median(cosines)), float(np.mean(cosines >= CLOSE))
    changes = np.sqrt(np.clip(1 - cosines**2, 0, 1))
    verdict, reason = _verdict(pairs, changes, (middle, close, table))
    return Result(
        verdict, reason, paired=len(pairs), matrices=total, cosine=middle, lowest=float(cosines.min()), close=close,
        change=float(np.median(changes)), table=table, norms=_norms(pairs),
    )  # fmt: skip


def _verdict(
    pairs: Sequence[_Pair], changes: Floats, seen: tuple[float, float, float]
) -> tuple[Kinship, str]:
    middle, close, table = seen
    if all(p.equal for p in pairs):
        return Kinship.EXACT_COPY, "equal"
    if _is_rounding(pairs, changes):
        return Kinship.QUANTIZED_COPY, "rounding"
    if close >= MOST:
        return Kinship.FINE_TUNE, "close"
    if middle >= RELATED:
        return Kinship.SAME_LINEAGE, "partly" if middle >= CLOSE else "far"
    if table >= SAME_TABLE:
        return Kinship.SAME_LINEAGE, "table"
    if middle < STRANGE and close == 0:
        return Kinship.NO_MATCH, "strange"
    return Kinship.UNRESOLVED, "between"


def _is_rounding(pairs: Sequence[_Pair], changes: Floats) -> bool:
    """A narrower type on either side, and no matrix changed more than that type explains."""
    if all(set(p.dtypes) <= _PLAIN for p in pairs):
        return False
    floors = np.array([max(_FLOORS.get(d, 0.0) for d in p.dtypes) for p in pairs])
    return bool(np.all(changes <= np.maximum(floors, 1e-3)))


def _table(mine: samples.Model, theirs: samples.Model) -> float:
    """Correlation of the inner products of sampled tokens: the same whatever order or rotation the channels have."""
    one, two = (m.matrices.get(samples.EMBEDDING) for m in (mine, theirs))
    if one is None or two is None:
        return 0.0
    rows = min(one.rows, two.rows)
    if rows < _TOKENS // 4:
        return 0.0
    seeded = np.random.default_rng(rows).choice(rows, size=min(rows, _TOKENS), replace=False)
    picked = tuple(sorted(int(n) for n in seeded))
    grams = [_gram(samples.numbers(m, picked)) for m in (one, two)]
    return _correlation(grams[0], grams[1])


def _gram(rows: Floats) -> Floats:
    """Inner products of unit rows about their mean, above the diagonal."""
    wide = rows.astype(np.float64)
    with np.errstate(all="ignore"):
        centred = wide - wide.mean(axis=0)
        unit = np.nan_to_num(centred / np.linalg.norm(centred, axis=1, keepdims=True))
    inner: Floats = unit @ unit.T
    return inner[np.triu_indices(len(rows), 1)]


def _norms(pairs: Sequence[_Pair]) -> float:
    kinds: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        layer, _, part = pair.name.partition(":")
        if part and layer.isdigit():
            sizes = tuple(float(np.mean(x.astype(np.float64) ** 2)) for x in (pair.mine, pair.theirs))
            if all(0 < s < np.inf for s in sizes):
                kinds.setdefault(part, []).append((float(np.log(sizes[0])), float(np.log(sizes[1]))))
    curves = [np.array(v) - np.mean(v, axis=0) for v in kinds.values() if len(v) > 2]  # noqa: PLR2004 - a curve
    if not curves:
        return 0.0
    every = np.concatenate(curves)
    return _correlation(every[:, 0], every[:, 1])


def _correlation(a: Floats, b: Floats) -> float:
    x, y = a - a.mean(), b - b.mean()
    return _cosine(x, y)


def _cosine(a: Floats, b: Floats) -> float:
    """0 where it cannot be told."""
    x, y = a.reshape(-1).astype(np.float64), b.reshape(-1).astype(np.float64)
    with np.errstate(all="ignore"):
        sizes = float(x @ x) * float(y @ y)
        if not 0 < sizes < np.inf:
            return 1.0 if np.array_equal(x, y) else 0.0
        return max(-1.0, min(1.0, float(x @ y) / float(np.sqrt(sizes))))


def floats(result: Result) -> Mapping[str, str]:
    """The numbers as text with fixed digits, for a record without floats."""
    return {k: f"{getattr(result, k):.6f}" for k in ("cosine", "lowest", "close", "change", "table", "norms")}
