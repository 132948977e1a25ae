"""Vectors of a soft prompt against the base's rows."""

import math
from collections.abc import Iterator
from typing import Final

from sekisho.checks.peft_adapter.found import found
from sekisho.formats.outline import written
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import Measured
from sekisho.records import Finding, Severity

_LONG: Final = 10.0
_SHORT: Final = 0.05
"""Times the norm of a typical row, beyond which a vector is no trained one."""
_DRAWN: Final = (0.5, 1.5)
"""Times the root of the width; at 64 wide the longest of 10,000 drawn vectors has 1.4."""
_SHOWN: Final = 32
_SPELT: Final = 0.5
"""Share of vectors that are tokens from which the prompt is a text."""


def _drawn(adapter: Adapter, norms: list[float]) -> bool:
    """Say whether vectors are as long as freshly drawn ones, from which PEFT starts: the root of their width."""
    width = next(
        (t.shape[-1] for t in adapter.tensors if t.name.endswith("prompt_embeddings") and t.shape), 0
    )
    low, high = (times * math.sqrt(width) for times in _DRAWN)
    return low <= min(norms) <= max(norms) <= high


def judge(adapter: Adapter, measured: Measured | None, names: tuple[str | None, ...]) -> Iterator[Finding]:
    """Sizes out of the ordinary, and prompts that are plain text under another name."""
    if measured is None or adapter.kind is None or adapter.kind.changes != "input":
        return
    where = adapter.weights.path if adapter.weights else adapter.path
    norms = [r for name, n in measured.tensors.items() if name.endswith("prompt_embeddings") for r in n.rows]
    typical = measured.typical
    usual = typical and (
        _SHORT * typical <= min(norms, default=0) <= max(norms, default=0) <= _LONG * typical
    )
    if norms and typical and not usual and not _drawn(adapter, norms):
        sizes = (("low", min(norms)), ("high", max(norms)), ("typical", typical))
        yield found(where, "prompt-size", Severity.HOLD, *((k, f"{v:.3g}") for k, v in sizes))
    spelt = [n for n in measured.spelt if n >= 0]
    if spelt and len(spelt) >= _SPELT * len(measured.spelt):
        named = (("count", str(len(spelt))), ("all", str(len(measured.spelt))))
        yield found(where, "prompt-text", Severity.HOLD, *named, ("tokens", written(spelt[:_SHOWN], names)))
