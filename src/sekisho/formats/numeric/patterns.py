"""Bit patterns of number types: what is no number, and where the scales of quantised blocks lie."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from sekisho.formats._numbers import decoded


@final
@dataclass(frozen=True)
class Pattern:
    """A float type read as integers: magnitudes grow with the bits below the sign."""

    width: int
    """Bytes of one element."""
    infinity: int
    """Magnitude bits from which a value is no finite number."""
    nan: int
    """Magnitude bits from which it is no number at all."""
    signed: bool = True

    @property
    def unsigned_type(self) -> str:
        """NumPy's name of the bits as a natural number."""
        return f"<u{self.width}" if self.width > 1 else "u1"

    @property
    def sign(self) -> int:
        """The sign's bit; beyond all values where there is none."""
        return 1 << (8 * self.width - 1) if self.signed else 1 << (8 * self.width)


FLOATS: Final = {
    "F64": Pattern(8, 0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0001),
    "F32": Pattern(4, 0x7F80_0000, 0x7F80_0001),
    "C64": Pattern(4, 0x7F80_0000, 0x7F80_0001),
    "F16": Pattern(2, 0x7C00, 0x7C01),
    "BF16": Pattern(2, 0x7F80, 0x7F81),
    "F8_E5M2": Pattern(1, 0x7C, 0x7D),
    "F8_E4M3": Pattern(1, 0x7F, 0x7F),
    "F8_E8M0": Pattern(1, 0xFF, 0xFF, signed=False),
}
"""Types whose numbers are looked at; in the FNUZ types the only odd pattern is a lone sign, see FNUZ."""

FNUZ: Final = frozenset({"F8_E4M3FNUZ", "F8_E5M2FNUZ"})
LONE_SIGN: Final = 0x80

INTEGERS: Final = frozenset(
    {"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F4", "F6_E2M3", "F6_E3M2"}
)
"""Types of which every bit pattern is a number; packed weights lie in some of them."""

SCALES: Final = {
    "Q4_0": (18, "F16", (0,)), "Q4_1": (20, "F16", (0, 2)), "Q5_0": (22, "F16", (0,)), "Q5_1": (24, "F16", (0, 2)),
    "Q8_0": (34, "F16", (0,)), "Q8_1": (36, "F16", (0, 2)), "Q2_K": (84, "F16", (80, 82)), "Q3_K": (110, "F16", (108,)),
    "Q4_K": (144, "F16", (0, 2)), "Q5_K": (176, "F16", (0, 2)), "Q6_K": (210, "F16", (208,)), "Q8_K": (292, "F32", (0,)),
    "IQ2_XXS": (66, "F16", (0,)), "IQ2_XS": (74, "F16", (0,)), "IQ3_XXS": (98, "F16", (0,)), "IQ1_S": (50, "F16", (0,)),
    "IQ4_NL": (18, "F16", (0,)), "IQ3_S": (110, "F16", (0,)), "IQ2_S": (82, "F16", (0,)), "IQ4_XS": (136, "F16", (0,)),
    "TQ1_0": (54, "F16", (52,)), "TQ2_0": (66, "F16", (64,)), "MXFP4": (17, "F8_E8M0", (0,)),
}  # fmt: skip
"""GGUF block type -> (bytes of a block, type of its scales, their offsets in it), as ggml-common.h lays them out."""


def value(bits: int, dtype: str) -> float:
    """Return the number that some bits stand for in a plain type."""
    data = np.array([bits], dtype=FLOATS[dtype].unsigned_type).view(np.uint8)
    return float(decoded(data, "F32" if dtype == "C64" else dtype)[0])
