"""What a pair of LoRA matrices adds to a module: its size, and how it is spread over directions, rows and columns.

All numbers come from products of the short side, so the product itself, as large as the module, is never formed.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from sekisho.formats._numbers import Floats

_FEW: Final = 0.01
"""Share of rows, or of columns, that counts as few."""
_PLAIN: Final = re.compile(r"\^?(\.\*)?[\w.\\]+\$?")
_ANCHOR: Final = re.compile(r"^\^|\$$")


@final
@dataclass(frozen=True)
class Delta:
    """What one pair of LoRA matrices adds to a module."""

    module: str
    norm: float
    """Of scale * B * A."""
    base: float | None = None
    """Norm of the module's weights in the base, where they were read."""
    rank: int = 0
    first: float = 0.0
    """Share of the squared norm that lies in one direction."""
    rows: float = 0.0
    """Share that lies in the few largest rows, 1 in 100 and at least one; 0 where there are too few rows to tell."""
    columns: float = 0.0
    """The same of columns."""
    scale: float = 1.0
    """What the product is multiplied by."""
    elements: int = 0
    """Numbers of the module that it is added to."""

    @property
    def rms(self) -> float:
        """Root mean square of what is added to one number."""
        return self.norm / math.sqrt(self.elements) if self.elements else 0.0


def delta(module: str, down: Floats, up: Floats, scale: float) -> Delta | None:
    """Measure one pair: `down` is rank x inputs, `up` outputs x rank. None where the numbers are none."""
    with np.errstate(all="ignore"):
        inner, outer = down @ down.T, up.T @ up
        squares = float(np.sum(inner * outer))
        by_row = np.einsum("ij,ij->i", up @ inner, up)
        by_column = np.einsum("ij,ij->j", outer @ down, down)
    if not math.isfinite(squares):
        return None
    norm = abs(scale) * math.sqrt(max(0.0, squares))
    if squares <= 0:
        return Delta(module, norm, rank=len(down), scale=scale, elements=down.shape[1] * len(up))
    return Delta(
        module,
        norm,
        rank=len(down),
        first=_first(inner, outer) / squares,
        rows=_share(by_row),
        columns=_share(by_column),
        scale=scale,
        elements=down.shape[1] * len(up),
    )


def _first(inner: Floats, outer: Floats) -> float:
    """Largest eigenvalue of B'B AA', the square of the product's largest singular value."""
    try:
        values, vectors = np.linalg.eigh(inner)
        half = vectors * np.sqrt(np.maximum(values, 0))
        return float(np.linalg.eigvalsh(half.T @ outer @ half)[-1])
    except np.linalg.LinAlgError:
        return 0.0


def _share(squares: Floats) -> float:
    count = int(len(squares) * _FEW)
    if not count:
        return 0.0
    total = float(squares.sum())
    return float(np.partition(squares, len(squares) - count)[-count:].sum()) / total if total > 0 else 0.0


def is_plain(pattern: Any) -> bool:
    """Say whether every key of a pattern is a plain ending of names, so that what it means is known here."""
    return not isinstance(pattern, Mapping) or all(_PLAIN.fullmatch(str(key)) for key in pattern)


def patterned(pattern: Any, module: str, default: float) -> float:
    """The setting of one module: `alpha_pattern` and `rank_pattern` name modules by how they end.

    PEFT takes the keys for regular expressions; those are not run here, and what is no plain ending of a name is passed over.
    """
    if isinstance(pattern, Mapping):
        for key, value in pattern.items():
            ending = _ANCHOR.sub("", str(key)).replace("\\.", ".").removeprefix(".*").lstrip(".")
            named = ending and (module == ending or module.endswith("." + ending))
            if named and isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
    return default
