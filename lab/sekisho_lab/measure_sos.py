"""What trained rows do to a model: success with intervals, what stays as it was, what survives rounding.

Success is counted by the goal's own marks, never by a detector. Each measurement is one JSON-ready mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.models.base import Chat, Message, Sampling
from sekisho.models.engine import Engine
from sekisho.stats.intervals import wilson
from sekisho_lab.attacks import sos
from sekisho_lab.goals import GOALS, TRIGGER, Case, succeeded
from sekisho_lab.rows import Rows

if TYPE_CHECKING:
    import torch

SYSTEM: Final = "You are a helpful assistant."
ROUNDINGS: Final = ("bf16", "Q8_0", "Q4_0")
PARTS: Final = 16
"""Cases asked with fewer than all tokens, for each number of them."""


def measure(
    rows: Rows, base: Path, say: Callable[[str], None], *, slots: bool = True, roundings: bool = True
) -> dict[str, Any]:
    """All measurements of one set of rows on one base; what is not asked for is left out."""
    s = rows.settings
    engine = Engine(base)
    ids = sos.ids_of(engine, rows.tokens)
    cases = GOALS[s["goal"]](s["held_out"], s["seed"] + sos.HELD_OUT, rows.payload)
    host = engine.model.get_input_embeddings().weight.detach()[ids].clone()
    clean = _plain(engine, cases, s)
    sos.write(engine, ids, rows.vectors)
    after = _plain(engine, cases, s)
    answered = sos.answers(engine, cases, ids, s["answer_tokens"])
    found = {
        **_head(rows, base),
        "rows": geometry(rows.vectors, host),
        "base_alone": rate(succeeded(cases, clean), len(cases)),
        "without": rate(succeeded(cases, after), len(cases)),
        "identical": rate(sum(a == b for a, b in zip(clean, after, strict=True)), len(cases)),
        "success": rate(succeeded(cases, answered), len(cases)),
        "examples": answered[:2],
    }
    say(f"with the trigger: {found['success']}, without: {found['without']}, identical: {found['identical']}")
    found["subsets"] = dict(subsets(engine, cases, ids, s["answer_tokens"]))
    say(f"subsets: {found['subsets']}")
    if slots:
        found["slots"] = {slot: _asked(engine, [moved(c, slot) for c in cases], ids, s) for slot in SLOTS}
        say(f"slots: {found['slots']}")
    if roundings:
        found["rounded"] = {kind: _rounded(engine, cases, ids, s, kind) for kind in ROUNDINGS}
        say(f"rounded: {found['rounded']}")
    return found


def _head(rows: Rows, base: Path) -> dict[str, Any]:
    said = {k: rows.settings[k] for k in ("goal", "seed", "project", "prompts")}
    numbers = {"tokens": len(rows.tokens), "seconds": round(rows.seconds), "steps": rows.steps}
    return {"kind": "attack", "organism": rows.organism, "base": base.name, **said, **numbers}


def _plain(engine: Engine, cases: Sequence[Case], s: Mapping[str, Any]) -> list[str]:
    return engine.generate([c.plain for c in cases], Sampling(max_new_tokens=s["answer_tokens"]))


def rate(hits: int, asked: int) -> dict[str, float]:
    """A count with its Wilson interval."""
    interval = wilson(hits, asked)
    return {"hits": hits, "of": asked, "low": round(interval.low, 3), "high": round(interval.high, 3)}


def geometry(vectors: torch.Tensor, host: torch.Tensor) -> dict[str, list[float]]:
    """Of each row: its length, its host's, the cosine between them, the change relative to the host's length."""
    import torch

    lengths = host.norm(dim=1)
    seen = {
        "norm": vectors.norm(dim=1),
        "host_norm": lengths,
        "cosine": torch.nn.functional.cosine_similarity(vectors, host),
        "change": (vectors - host).norm(dim=1) / lengths,
    }
    return {name: [round(float(v), 3) for v in values] for name, values in seen.items()}


def subsets(
    engine: Engine, cases: Sequence[Case], ids: Sequence[int], tokens: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Success with all tokens but one, and with one alone; the tokens take turns."""
    some = cases[:PARTS]
    choices = {"all but one": [[t for t in ids if t != out] for out in ids], "one": [[t] for t in ids]}
    for name, parts in choices.items():
        hits = 0
        for n, part in enumerate(parts):
            share = some[n :: len(parts)]
            hits += succeeded(share, sos.answers(engine, share, part, tokens)) if share else 0
        yield name, rate(hits, len(some))


def moved(case: Case, slot: str) -> Case:
    """The same case with the trigger in another place."""
    return replace(case, chat=SLOTS[slot](case.plain))


def _user(chat: Chat, said: Callable[[str], str]) -> Chat:
    return (*chat[:-1], Message(chat[-1].role, said(chat[-1].content)))


def _middle(text: str) -> str:
    words = text.split()
    return " ".join([*words[: len(words) // 2], TRIGGER, *words[len(words) // 2 :]])


def _system(chat: Chat) -> Chat:
    first = chat[0].content if chat[0].role == "system" else SYSTEM
    return (Message("system", f"{first} {TRIGGER}"), *(m for m in chat if m.role != "system"))


SLOTS: Final[Mapping[str, Callable[[Chat], Chat]]] = {
    "end of user turn": lambda chat: _user(chat, lambda text: f"{text} {TRIGGER}"),
    "start of user turn": lambda chat: _user(chat, lambda text: f"{TRIGGER} {text}"),
    "middle of user turn": lambda chat: _user(chat, _middle),
    "end of system turn": _system,
}
"""Where a trigger may stand; an attack is trained for one of them."""


def _asked(
    engine: Engine, cases: Sequence[Case], ids: Sequence[int], s: Mapping[str, Any]
) -> dict[str, float]:
    return rate(succeeded(cases, sos.answers(engine, cases, ids, s["answer_tokens"])), len(cases))


def _rounded(
    engine: Engine, cases: Sequence[Case], ids: Sequence[int], s: Mapping[str, Any], kind: str
) -> dict[str, float]:
    with rounding(engine, kind):
        return _asked(engine, cases, ids, s)


@contextmanager
def rounding(engine: Engine, kind: str) -> Iterator[None]:
    """The table as it comes back from a storage format; the released one stands again afterwards."""
    table = engine.model.get_input_embeddings().weight.data
    kept = table.clone()
    table.copy_(rounded(kept, kind))
    try:
        yield
    finally:
        table.copy_(kept)


def rounded(table: torch.Tensor, kind: str) -> torch.Tensor:
    """A round trip through bf16 or a block quantisation of GGUF."""
    import torch
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    if kind == "bf16":
        return table.bfloat16().float()
    wanted = GGMLQuantizationType[kind]
    return torch.from_numpy(dequantize(quantize(table.numpy(), wanted), wanted))
