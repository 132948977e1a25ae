"""Tensors of an adapter against its settings and against the base."""

from collections.abc import Iterator, Mapping
from typing import Final

from sekisho.checks.peft_adapter.found import SHOWN, found
from sekisho.formats import peft
from sekisho.formats.low_rank import is_plain, patterned
from sekisho.formats.outline import Outline
from sekisho.formats.peft import Adapter, Kind
from sekisho.formats.safetensors import SafetensorsFacts, Tensor
from sekisho.formats.vectors import token_rows
from sekisho.records import Finding, Inventory, Role, Severity

Shape = tuple[int | None, ...]
"""None stands for any number."""

_MATRIX: Final = 2
_EVERYWHERE: Final = ("modules_to_save", "base_layer", "token_adapter", "trainable_tokens", "original_module")
_PLAIN_ENDS: Final = (".weight", ".bias")


def held(inventory: Inventory) -> Mapping[str, tuple[int, ...]]:
    """Shapes of the base's tensors by name."""
    weights = (f.facts for f in inventory.files if f.role is Role.WEIGHTS)
    return {
        t.name: t.shape for facts in weights if isinstance(facts, SafetensorsFacts) for t in facts.tensors
    }


def judge(adapter: Adapter, trusted: Outline, base: Mapping[str, tuple[int, ...]]) -> Iterator[Finding]:
    """One finding for each kind of misfit, naming the first few."""
    kind = adapter.kind
    if kind is None or not adapter.tensors:
        return
    where = adapter.weights.path if adapter.weights else adapter.path
    odd = [t.name for t in adapter.tensors if not _belongs(t.name, kind, adapter)]
    if len(odd) == len(adapter.tensors):
        yield found(where, "no-tensors", Severity.HOLD, ("type", adapter.type))
    for name in odd[:SHOWN]:
        named = (("tensor", name), ("type", adapter.type), ("count", str(len(odd))))
        yield found(where, "unexpected-tensor", Severity.HOLD, *named)
    wrong = [(t, e) for t, e in _expected(adapter, kind, trusted, base) if not _fits(t.shape, e)]
    for tensor, expected in wrong[:SHOWN]:
        named = (("tensor", tensor.name), ("shape", _text(tensor.shape)), ("expected", _text(expected)))
        yield found(where, "shape-unfit", Severity.HOLD, *named)


def _belongs(name: str, kind: Kind, adapter: Adapter) -> bool:
    parts = name.split(".")
    if not kind.tensors or any(p.startswith((*kind.tensors, *_EVERYWHERE)) for p in parts):
        return True
    module = peft.module_of(name)
    saved = [*adapter.names("modules_to_save"), *(peft.TABLES if name.endswith(_PLAIN_ENDS) else ())]
    biased = name.endswith(".bias") and adapter.config.get("bias") in {
        "all",
        "lora_only",
        "boft_only",
        "vera_only",
    }
    return biased or any(module == s or module.endswith("." + s) for s in saved)


def _expected(
    adapter: Adapter, kind: Kind, trusted: Outline, base: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[Tensor, Shape]]:
    rows = {tensor.name: len(ids) for tensor, ids in token_rows(adapter)}
    for tensor in adapter.tensors:
        if tensor.name in rows:
            yield tensor, (rows[tensor.name], trusted.hidden)
        elif kind.changes in peft.PROMPTS:
            yield from _prompt(adapter, kind, trusted, tensor)
        elif "lora_" in tensor.name:
            yield from _lora(adapter, tensor, base)
        elif (shape := base.get(f"{peft.module_of(tensor.name)}.weight")) and tensor.name.endswith(".weight"):
            yield tensor, shape


def _prompt(adapter: Adapter, kind: Kind, trusted: Outline, tensor: Tensor) -> Iterator[tuple[Tensor, Shape]]:
    if tensor.name.endswith("prompt_embeddings"):
        count, times = adapter.number("num_virtual_tokens"), adapter.number("num_transformer_submodules") or 1
        rows = None if count is None else int(count * times)
        layers = trusted.layers or int(adapter.number("num_layers") or 0)
        wide = 2 * layers * trusted.kv if layers and trusted.kv else None
        yield tensor, (rows, trusted.hidden if kind.changes == "input" else wide)
        declared = adapter.number("token_dim")
        if kind.changes == "input" and declared is not None:
            yield tensor, (rows, int(declared))
    elif tensor.name.endswith("adaption_prompt"):
        length = adapter.number("adapter_len")
        yield tensor, (1, None if length is None else int(length), trusted.hidden)


def _lora(
    adapter: Adapter, tensor: Tensor, base: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[Tensor, Shape]]:
    """Both matrices of a module share the rank; their other side is the base's."""
    rank = _rank(adapter, tensor)
    shape = base.get(f"{peft.module_of(tensor.name)}.weight")
    rows, columns = shape if shape and len(shape) == _MATRIX else (None, None)
    if adapter.config.get("fan_in_fan_out") is True:
        rows, columns = columns, rows
    sides: dict[str, Shape] = {
        "lora_A": (rank, columns),
        "lora_B": (rows, rank),
        "lora_embedding_A": (rank, rows),
        "lora_embedding_B": (columns, rank),
    }
    part = next((p for p in tensor.name.split(".") if p in sides), "")
    if part and len(tensor.shape) == _MATRIX:
        yield tensor, sides[part]


def _rank(adapter: Adapter, tensor: Tensor) -> int | None:
    """What the settings give this module; where they cannot be read plainly, what its other half has."""
    pattern, declared = adapter.config.get("rank_pattern"), adapter.number("r")
    if declared is not None and adapter.type != "ADALORA" and is_plain(pattern):
        return int(patterned(pattern, peft.module_of(tensor.name), declared))
    other = tensor.name.replace("lora_B", "lora_A").replace("lora_embedding_B", "lora_embedding_A")
    half = next((t.shape for t in adapter.tensors if t.name == other), ())
    return half[0] if half else None


def _fits(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(
        e is None or s == e for s, e in zip(shape, expected, strict=True)
    )


def _text(shape: Shape) -> str:
    return " x ".join("?" if n is None else str(n) for n in shape) or "()"
