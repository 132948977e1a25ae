"""Numbers of an adapter that are none, or out of the ordinary."""

from collections.abc import Iterator
from statistics import median
from typing import Final

from sekisho.checks.peft_adapter.found import SHOWN, cannot_tell, found
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import Measured
from sekisho.records import Finding, Severity

_LARGE: Final = 0.5
"""Share of the base's norm from which a change is another layer rather than a trained one."""
_UNEVEN: Final = 10.0
_MANY: Final = 4
"""Modules from which a median says something."""


def judge(adapter: Adapter, measured: Measured | None) -> Iterator[Finding]:
    """Report numbers that are none; notes on norms."""
    if measured is None:
        return
    where = adapter.weights.path if adapter.weights else adapter.path
    if measured.left_out:
        yield cannot_tell(where, "not-measured", ("problem", measured.left_out))
    bad = [(name, n.not_finite) for name, n in measured.tensors.items() if n.not_finite]
    for name, count in bad[:SHOWN]:
        yield found(where, "not-finite", Severity.HOLD, ("count", f"{count:,}"), ("tensor", name))
    yield from _prompt(where, adapter, measured)
    yield from _changes(where, measured)


def _prompt(where: str, adapter: Adapter, measured: Measured) -> Iterator[Finding]:
    """Norms of a prompt's vectors beside those of the table's rows."""
    kind = adapter.kind
    norms = [r for name, n in measured.tensors.items() if name.endswith("prompt_embeddings") for r in n.rows]
    if kind is not None and kind.changes == "input" and norms and measured.typical is not None:
        named = (("low", min(norms)), ("high", max(norms)), ("typical", measured.typical))
        yield found(where, "prompt-norms", Severity.NOTE, *((k, f"{v:.3g}") for k, v in named))


def _changes(where: str, measured: Measured) -> Iterator[Finding]:
    for delta in measured.deltas:
        if delta.base and delta.norm > _LARGE * delta.base:
            named = (("module", delta.module), ("relative", f"{delta.norm / delta.base:.3g}"))
            yield found(where, "large-change", Severity.NOTE, *named)
    if len(measured.deltas) >= _MANY:
        middle = median(d.norm for d in measured.deltas)
        for delta in [d for d in measured.deltas if middle and d.norm > _UNEVEN * middle][:SHOWN]:
            named = (("module", delta.module), ("times", f"{delta.norm / middle:.3g}"))
            yield found(where, "uneven-change", Severity.NOTE, *named)
