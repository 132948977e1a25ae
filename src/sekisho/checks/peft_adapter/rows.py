"""Rows of single tokens that an adapter puts in place of the base's."""

from collections.abc import Iterator
from typing import Any, Final

from sekisho.checks.peft_adapter.found import SHOWN, found
from sekisho.formats.outline import written
from sekisho.formats.peft import Adapter
from sekisho.formats.vectors import Measured, token_rows
from sekisho.records import Finding, Severity

_NOISE: Final = 0.005
"""Three times what rounding to bfloat16 changes in a row."""


def judge(adapter: Adapter, measured: Measured | None, names: tuple[str | None, ...]) -> Iterator[Finding]:
    """Name the tokens, and how far their rows are from the base's where there is one."""
    ids, held = _ids(adapter), sum(t.shape[0] for t, _ in token_rows(adapter) if t.shape)
    if not ids and not held and adapter.type != "TRAINABLE_TOKENS":
        return
    named = (("count", str(len(ids) or held)), ("tokens", written(ids[:SHOWN], names) or "?"))
    yield found(adapter.path, "token-rows", Severity.HOLD, *named)
    for token in [n for n in ids if names and not 0 <= n < len(names)][:SHOWN]:
        yield found(
            adapter.path, "token-outside", Severity.HOLD, ("id", str(token)), ("rows", str(len(names)))
        )
    if measured is None or not measured.changed:
        return
    rows = {c.token: c for c in measured.changed}
    changed = sorted((c for c in rows.values() if not c.relative <= _NOISE), key=lambda c: -c.relative)
    if not changed:
        yield found(adapter.path, "rows-equal", Severity.NOTE, ("count", str(len(rows))))
        return
    facts = (
        ("count", str(len(rows))),
        ("changed", str(len(changed))),
        ("largest", f"{changed[0].relative:.3g}"),
        ("tokens", written([c.token for c in changed[:SHOWN]], names)),
    )
    yield found(adapter.path, "rows-changed", Severity.HOLD, *facts)


def _ids(adapter: Adapter) -> list[int]:
    given = (adapter.config.get("token_indices"), adapter.config.get("trainable_token_indices"))
    return list(dict.fromkeys(n for value in given for n in _flat(value)))


def _flat(value: Any) -> Iterator[int]:
    for part in value.values() if isinstance(value, dict) else [value]:
        yield from (n for n in part if type(n) is int) if isinstance(part, list) else ()
