"""Rows of a table as numbers: plain floats, and the block types of GGUF; and a base rounded as a candidate was."""

from typing import Final

import numpy as np

from sekisho.formats._numbers import Bytes, Floats, decoded, rounded

PLAIN: Final = frozenset({"F32", "F16", "BF16", "F64"})
DETERMINISTIC: Final = frozenset({"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"})
"""Block types for which the same numbers always give the same bytes, unless an importance matrix was used."""
READABLE: Final = PLAIN | DETERMINISTIC | {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"}

FLOORS: Final = {
    "F64": 0.001, "F32": 0.001, "F16": 0.001, "BF16": 0.005, "Q8_0": 0.02, "Q6_K": 0.06, "Q5_K": 0.15, "Q5_1": 0.15,
    "Q5_0": 0.20, "Q4_K": 0.30, "Q4_1": 0.30, "Q4_0": 0.35, "Q3_K": 0.60, "Q2_K": 0.90,
}  # fmt: skip
"""Relative change of a row that rounding to this type alone never makes: about three times what it was measured to make."""


def numbers(data: Bytes, dtype: str, rows: int) -> Floats:
    """Return `rows` rows as floats. `data` has exactly their bytes; the type is one of READABLE."""
    if dtype in PLAIN:
        return decoded(data.reshape(-1), dtype).reshape(rows, -1)
    from gguf import GGMLQuantizationType, quants

    # A lying scale overflows; the infinities that it makes are found as such.
    with np.errstate(all="ignore"):
        made: Floats = quants.dequantize(data.reshape(rows, -1), GGMLQuantizationType[dtype])
    return made


def rendered(values: Floats, dtype: str) -> Floats:
    """Round rows to a type and back, as a conversion does; types that are not deterministic leave them as they are."""
    if dtype in PLAIN:
        return rounded(values, dtype)
    if dtype not in DETERMINISTIC:
        return values
    from gguf import GGMLQuantizationType, quants

    kind = GGMLQuantizationType[dtype]
    with np.errstate(all="ignore"):
        made: Floats = quants.dequantize(quants.quantize(values.astype(np.float32), kind), kind)
    return made
