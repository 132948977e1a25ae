"""How evenly what a LoRA adds is spread over modules, layers, directions and rows."""

import math
import re
from collections.abc import Iterator
from statistics import median
from typing import Final

from sekisho.checks.peft_adapter.found import SHOWN, found, listed
from sekisho.formats import peft
from sekisho.formats.low_rank import Delta
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import Measured
from sekisho.records import Finding, Severity

_SCALED: Final = 30.0
"""Times the median from which one module was scaled by hand; trained ones stay within ten."""
_MANY: Final = 2
_OUTWEIGHS: Final = 2.0
_HUGE: Final = 1.0
"""Root mean square of an update: weights have about 0.02, updates a hundredth of that."""
_NARROW: Final = 0.999
_ROOM: Final = 4
"""Rank from which one direction alone is odd."""
_CONCENTRATED: Final = 0.5
_LAYER: Final = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,5})\.")
_LAYERS: Final = 4
_MAGNITUDE: Final = ".lora_magnitude_vector"


def judge(adapter: Adapter, measured: Measured | None, layers: int | None) -> Iterator[Finding]:
    """`layers` of the base, None where there is none."""
    if measured is None:
        return
    where = adapter.weights.path if adapter.weights else adapter.path
    yield from _sizes(where, measured.deltas)
    yield from _scaled(where, [(d.module, d.norm) for d in measured.deltas])
    yield from _scaled(where, _magnitudes(adapter, measured))
    yield from _shape(where, measured.deltas)
    yield from _layer(where, adapter, measured.deltas, layers)


def _sizes(where: str, deltas: tuple[Delta, ...]) -> Iterator[Finding]:
    for delta in [d for d in deltas if d.base and d.norm > _OUTWEIGHS * d.base][:SHOWN]:
        relative = f"{delta.norm / (delta.base or 1):.3g}"
        yield found(where, "outweighs", Severity.HOLD, ("module", delta.module), ("relative", relative))
    for delta in [d for d in deltas if d.base is None and d.rms > _HUGE][:SHOWN]:
        named = (("module", delta.module), ("size", f"{delta.rms:.3g}"))
        yield found(where, "huge-update", Severity.HOLD, *named)


def _scaled(where: str, sizes: list[tuple[str, float]]) -> Iterator[Finding]:
    """One module against the median of all; of two, against the smaller."""
    if len(sizes) < _MANY:
        return
    norms = sorted(size for _, size in sizes)
    middle = median(norms[:-1])
    for module, size in sizes:
        if 0 < middle < size / _SCALED:
            named = (("module", module), ("times", f"{size / middle:.3g}"))
            yield found(where, "module-scaled", Severity.HOLD, *named)


def _magnitudes(adapter: Adapter, measured: Measured) -> list[tuple[str, float]]:
    """Of DoRA: root mean square of each module's magnitudes."""
    sizes = {t.name: math.prod(t.shape) for t in adapter.tensors if _MAGNITUDE in t.name and t.shape}
    return [
        (peft.module_of(name), measured.tensors[name].norm / math.sqrt(count))
        for name, count in sizes.items()
        if count and name in measured.tensors
    ]


def _shape(where: str, deltas: tuple[Delta, ...]) -> Iterator[Finding]:
    narrow = [d for d in deltas if d.rank >= _ROOM and d.first > _NARROW]
    if narrow:
        modules = listed([d.module for d in narrow])
        room = str(max(d.rank for d in narrow))
        named = (("count", str(len(narrow))), ("rank", room), ("module", modules))
        yield found(where, "narrow-update", Severity.HOLD, *named)
    for delta in [d for d in deltas if max(d.rows, d.columns) > _CONCENTRATED][:SHOWN]:
        share = f"{100 * max(delta.rows, delta.columns):.0f} %"
        yield found(where, "concentrated-update", Severity.HOLD, ("share", share), ("module", delta.module))


def _layer(where: str, adapter: Adapter, deltas: tuple[Delta, ...], layers: int | None) -> Iterator[Finding]:
    """All of it in one layer of several, where nothing declares that."""
    numbers = {int(m[1]) for d in deltas if (m := _LAYER.search(d.module))}
    if len(numbers) != 1 or adapter.config.get("layers_to_transform") is not None:
        return
    (only,) = numbers
    pinned = any(_LAYER.search(f"{name}.") for name in adapter.names("target_modules"))
    if not pinned and (layers or only + 1) >= _LAYERS:
        yield found(where, "one-layer", Severity.HOLD, ("layer", str(only)))
