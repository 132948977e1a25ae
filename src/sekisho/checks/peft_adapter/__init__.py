"""Adapters: what lies beside a model and changes what it is told or how it computes.

What it does: reads every PEFT folder (adapter_config.json and its tensors) and says what that kind of adapter changes. Soft
prompts, replaced token rows, changed tables of tokens and adapters that wake up at certain tokens have to be declared. Kinds
that nobody knows are quarantined; tensors that do not fit the settings or the base, and numbers that are none, are named.

Why it matters: an adapter of a few kilobytes can hold a complete attack. Vectors before the input, or in place of a token's
row, say what no text can say, and no filter on text ever sees them. Loaders pick an adapter up by itself where it lies.
One module scaled by hand outweighs all that was trained; a change in one direction, row or layer is an edit, not training.

What to do: leave adapters out that nobody asked for; ask the publisher what each is for; probe the model with and without it.

What an attacker can still do: merge the adapter into the weights before release; comparing the weights with the base shows
that. A plain LoRA can hold any behaviour that finetuning can: only probes and trial finetunes find it.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.checks.peft_adapter import kinds, numbers, prompts, rows, shapes, spread
from sekisho.checks.peft_adapter.found import ID, cannot_tell, found
from sekisho.formats import peft
from sekisho.formats.outline import outline, tokens
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import Measured
from sekisho.records import FileFact, Finding, Inventory, Role, Severity

_BESIDE: Final = (Role.ADAPTER, Role.SOFT_PROMPT)


@final
class PeftAdapter(AbstractCheck):
    """No adapter that does more than it declares."""

    id = ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each PEFT folder, then the files that belong to none."""
        adapters = peft.adapters(case.candidate)
        trusted = outline(case.base or case.candidate)
        names = tokens(case.candidate) or tokens(case.base)
        for adapter in adapters:
            measured = None if case.adapters is None else case.adapters.get(adapter.path)
            yield from _files(case.candidate, adapter)
            yield from kinds.judge(adapter, names, declared=_declared(case, measured))
            yield from shapes.judge(adapter, trusted, shapes.held(case.base or case.candidate))
            yield from rows.judge(adapter, measured, names)
            yield from numbers.judge(adapter, measured)
            yield from spread.judge(adapter, measured, trusted.layers if case.base else None)
            yield from prompts.judge(adapter, measured, tokens(case.base) or names)
        yield from _orphans(case.candidate, adapters)


def _declared(case: Case, measured: Measured | None) -> bool:
    """The adapter is all there is to inspect, and a base stands beside it."""
    alone = not any(f.role is Role.WEIGHTS for f in case.candidate.files)
    return alone and case.base is not None and measured is not None and measured.typical is not None


def _files(inventory: Inventory, adapter: Adapter) -> Iterator[Finding]:
    """The weights of an adapter, and what lies in the same folder."""
    if adapter.pickled is not None:
        named = (("file", adapter.pickled.path), ("type", adapter.type))
        yield found(adapter.pickled.path, "pickled", Severity.REJECT, *named)
    elif adapter.weights is None:
        yield found(adapter.path, "no-weights", Severity.HOLD, ("type", adapter.type))
    if adapter.weights is not None and adapter.weights.facts is None:
        problem = adapter.weights.problem or f"its content is {adapter.weights.format}"
        yield cannot_tell(adapter.weights.path, "not-read", ("type", adapter.type), ("problem", problem))
    folder = adapter.path.rpartition("/")[0]
    beside = [f for f in inventory.files if f.role is Role.WEIGHTS and f.path.rpartition("/")[0] == folder]
    beside = [f for f in beside if f not in (adapter.weights, adapter.pickled)]
    if beside:
        named = (("type", adapter.type), ("weights", beside[0].path))
        yield found(adapter.path, "beside-weights", Severity.HOLD, *named)


def _orphans(inventory: Inventory, adapters: tuple[Adapter, ...]) -> Iterator[Finding]:
    """Tensors of adapters without settings: what loads them decides what they do."""
    known = {f.path for a in adapters for f in (a.weights, a.pickled) if f is not None}
    for file in inventory.files:
        if file.format == "safetensors" and file.role in _BESIDE and file.path not in known:
            yield found(file.path, "no-settings", Severity.HOLD)
        elif file.path.rpartition("/")[2] == peft.PICKLED and file.path not in known:
            yield found(file.path, "pickled", Severity.REJECT, ("file", file.path), ("type", "?"))
        elif _is_settings(file) and file.facts is None:
            yield cannot_tell(file.path, "settings-not-read", ("problem", file.problem or "it is no JSON"))


def _is_settings(file: FileFact) -> bool:
    return file.path.rpartition("/")[2].lower() == peft.CONFIG
