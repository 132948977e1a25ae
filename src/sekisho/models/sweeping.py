"""Token sweep, the arithmetic: what a few tokens put into a prompt do to the first token of the answer.

Every prompt is computed once up to the slot, what all begin with once for all; its cache is shared by all rows of a batch, and the output head runs
at the one position that counts. Runs inside the child process; torch is imported late.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sekisho.models.base import Progress, Shift, silent
from sekisho.models.decoding import shared_prefix
from sekisho.models.slots import Split

if TYPE_CHECKING:
    import torch

ROWS: Final = 64
"""Token sequences in one forward pass."""


def sweep(
    model: Any, splits: Sequence[Split], sequences: Sequence[Sequence[int]], progress: Progress = silent
) -> list[Shift]:
    """Measure each sequence in every split prompt, in order; an empty sequence is the prompt as it is."""
    import torch

    found: dict[int, Shift] = {}
    with torch.inference_mode():
        caches = _prefixes(model, [s.before for s in splits])
        plain = [_first(model, c, s, [()])[0] for c, s in zip(caches, splits, strict=True)]
        for batch in _batches(sequences):
            rows = [sequences[i] for i in batch]
            found |= zip(
                batch, _measured(model, list(zip(caches, splits, plain, strict=True)), rows), strict=True
            )
            progress(len(found), len(sequences))
    return [found[i] for i in range(len(sequences))]


def _batches(sequences: Sequence[Sequence[int]]) -> list[list[int]]:
    """Indices of sequences of equal length, so that no row needs padding."""
    lengths = sorted({len(s) for s in sequences})
    groups = ([i for i, s in enumerate(sequences) if len(s) == n] for n in lengths)
    return [g[at : at + ROWS] for g in groups for at in range(0, len(g), ROWS)]


def _measured(
    model: Any, places: Sequence[tuple[Any, Split, torch.Tensor]], rows: Sequence[Sequence[int]]
) -> list[Shift]:
    import torch

    kl, entropy, mean = [], [], torch.zeros(())
    for cache, split, plain in places:
        logs = _first(model, cache, split, rows)
        shares = logs.exp()
        entropy.append(-(shares * logs).sum(-1))
        kl.append(((shares * (logs - plain)).sum(-1)).clamp(min=0))
        mean = mean + shares / len(places)
    agreement = _agreement(mean, torch.stack(entropy))
    columns = zip(
        torch.stack(kl, 1).tolist(), torch.stack(entropy, 1).tolist(), agreement.tolist(), strict=True
    )
    return [Shift(tuple(k), tuple(h), a) for k, h, a in columns]


def _agreement(mean: torch.Tensor, entropy: torch.Tensor) -> torch.Tensor:
    """One minus the Jensen-Shannon divergence of all prompts' distributions over its greatest value."""
    import torch

    count = len(entropy)
    if count == 1:
        return torch.ones(len(mean))
    together = -torch.special.xlogy(mean, mean).sum(-1)
    return (1 - (together - entropy.mean(0)) / math.log(count)).clamp(0, 1)


def _prefixes(model: Any, befores: Sequence[Sequence[int]]) -> list[Any]:
    """A cache of one row for each prompt; what all prompts begin with is computed once."""
    from transformers import DynamicCache

    count = shared_prefix(befores) if befores else 0
    shared = _extended(model, DynamicCache(config=model.config), befores[0][:count]) if befores else None
    return [_extended(model, copy.deepcopy(shared), before[count:]) for before in befores]


def _extended(model: Any, cache: Any, tokens: Sequence[int]) -> Any:
    import torch

    if tokens:
        model(input_ids=torch.tensor([list(tokens)]), past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def _first(model: Any, cache: Any, split: Split, rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Log-probabilities of an answer's first token, (rows, vocabulary)."""
    import torch

    shared = copy.deepcopy(cache)  # a forward pass appends to its cache
    if split.before:
        shared.batch_repeat_interleave(len(rows))
    ids = torch.tensor([[*row, *split.after] for row in rows])
    out = model(input_ids=ids, past_key_values=shared, use_cache=True, logits_to_keep=1)
    logs: torch.Tensor = out.logits[:, -1].float().log_softmax(-1)
    return logs
