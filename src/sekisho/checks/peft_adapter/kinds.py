"""What the settings of an adapter say that it changes."""

from collections.abc import Iterator
from typing import Final

from sekisho.checks.peft_adapter.found import SHOWN, found, listed
from sekisho.formats import peft
from sekisho.formats.outline import written
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import scaling
from sekisho.records import Finding, Severity

_PROMPTS: Final = {"input": "soft-prompt", "cache": "stored-cache", "attention": "attention-prompt"}
_LARGE_SCALE: Final = 8.0
"""Alpha over rank is 1 or 2 in most recipes; a rank-stabilised scale reaches 8 at rank 256 and alpha 128."""


def judge(adapter: Adapter, names: tuple[str | None, ...], *, declared: bool = False) -> Iterator[Finding]:
    """Name the kind, and every setting that makes it more than what it is called.

    `declared`: the adapter is all there is and its vectors were held against a base's, so a prompt is no surprise.
    """
    kind = adapter.kind
    if kind is None:
        yield found(adapter.path, "unknown-type", Severity.HOLD, ("type", adapter.type))
        keys = sorted(adapter.config)
    else:
        yield from _kind(adapter, kind.changes, declared=declared)
        keys = sorted(adapter.config.keys() - kind.keys)
    if keys:
        yield found(adapter.path, "unknown-keys", Severity.NOTE, ("keys", listed(keys)))
    yield from _invocation(adapter, names)
    yield from _tables(adapter)
    scale = scaling(adapter)
    if scale is not None and not 0 <= scale <= _LARGE_SCALE:
        yield found(adapter.path, "large-scale", Severity.NOTE, ("scale", f"{scale:.3g}"))


def _kind(adapter: Adapter, changes: str, *, declared: bool) -> Iterator[Finding]:
    if changes in peft.PROMPTS:
        count = adapter.number("num_virtual_tokens" if changes != "attention" else "adapter_len")
        shape = adapter.tensors[0].shape if adapter.tensors else ()
        said = str(int(count)) if count is not None else str(shape[0]) if shape else "?"
        named = (("type", adapter.type), ("count", said))
        if declared and changes == "input":
            yield found(adapter.path, "declared-prompt", Severity.NOTE, *named)
        else:
            yield found(adapter.path, _PROMPTS[changes], Severity.HOLD, *named)
        text = adapter.config.get("prompt_tuning_init_text")
        if isinstance(text, str) and text:
            yield found(adapter.path, "initial-text", Severity.HOLD, ("text", text))
    elif changes == "routing":
        yield found(adapter.path, "routing", Severity.HOLD, ("type", adapter.type))
    elif changes != "rows":
        base = adapter.config.get("base_model_name_or_path")
        modules = listed(list(adapter.names("target_modules"))) or "?"
        facts = (("type", adapter.type), ("base", str(base)), ("modules", modules))
        yield found(adapter.path, "plain", Severity.NOTE, *facts)


def _invocation(adapter: Adapter, names: tuple[str | None, ...]) -> Iterator[Finding]:
    given = adapter.config.get("alora_invocation_tokens")
    if given not in (None, []):
        ids = [n for n in given if type(n) is int] if isinstance(given, list) else []
        tokens = written(ids[: SHOWN * 2], names) or str(given)
        yield found(adapter.path, "invocation-tokens", Severity.HOLD, ("tokens", tokens))


def _tables(adapter: Adapter) -> Iterator[Finding]:
    """Tables of tokens that the settings name or the tensors belong to."""
    adapted = [m for m in adapter.names("target_modules") if peft.table_of(m)]
    saved = [m for m in adapter.names("modules_to_save") if peft.table_of(m)]
    for tensor in adapter.tensors:
        module = peft.module_of(tensor.name)
        if peft.table_of(module) and not tensor.name.endswith(peft.ROWS):
            whole = "lora_" not in tensor.name
            (saved if whole else adapted).append(module)
    if adapter.type != "TRAINABLE_TOKENS":
        for module in _fullest(adapted):
            yield found(adapter.path, "table-adapted", Severity.HOLD, ("module", module))
    for module in _fullest(saved):
        yield found(adapter.path, "table-saved", Severity.HOLD, ("module", module))


def _fullest(modules: list[str]) -> list[str]:
    """Leave out names that only end another's."""
    names = dict.fromkeys(modules)
    return [n for n in names if not any(o != n and o.endswith("." + n) for o in names)][:SHOWN]
