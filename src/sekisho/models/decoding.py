"""Batched autoregressive decoding: sorted by length, finished answers leave the batch at once.

Runs inside the child process; torch is imported late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sekisho.models.base import Progress, Sampling, silent

if TYPE_CHECKING:
    import torch

BATCH: Final = 64
"""Rows decoded together; on a CPU a step reads all weights once, however many rows share it."""
COMPACT_BELOW: Final = 0.75
"""The cache is rewritten without finished rows once fewer than this share is still going."""


def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    stop: frozenset[int],
    sampling: Sampling,
    progress: Progress = silent,
) -> list[list[int]]:
    """Continue each prompt (token ids) until a token of `stop` or the limit; the stop token is left out."""
    import torch

    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    answers: list[list[int]] = [[] for _ in prompts]
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            for row, tokens in zip(
                rows, _batch(model, [prompts[i] for i in rows], stop, sampling), strict=True
            ):
                answers[row] = tokens
            progress(min(start + BATCH, len(order)), len(order))
    return answers


def _batch(
    model: Any, prompts: list[Sequence[int]], stop: frozenset[int], sampling: Sampling
) -> list[list[int]]:
    import torch

    shared = shared_prefix(prompts)
    cache = _prefill(model, prompts[0][:shared], len(prompts))
    step, mask = pad_left([p[shared:] for p in prompts])
    mask = torch.cat([mask.new_ones(len(prompts), shared), mask], 1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]
    answers: list[list[int]] = [[] for _ in prompts]
    alive = list(range(len(prompts)))
    draw = _Drawer(sampling)
    for _ in range(sampling.max_new_tokens):
        out = model(
            input_ids=step,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        token = draw(out.logits[:, -1].float())
        drawn = zip(alive, token.tolist(), strict=True)
        going = [s for s, (row, t) in enumerate(drawn) if row >= 0 and t not in stop]
        for slot in going:
            answers[alive[slot]].append(int(token[slot]))
        if not going:
            break
        alive = [row if slot in set(going) else -1 for slot, row in enumerate(alive)]
        step, positions = token[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], 1)
        if len(going) < COMPACT_BELOW * len(alive):
            kept = torch.tensor(going)
            cache.batch_select_indices(kept)
            step, mask, positions = step[kept], mask[kept], positions[kept]
            alive = [alive[slot] for slot in going]
    return answers


def _prefill(model: Any, prefix: Sequence[int], rows: int) -> Any:
    """A cache of the prefix that all rows share, computed once and copied to each row."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    if prefix:
        ids = torch.tensor([list(prefix)])
        model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache.batch_repeat_interleave(rows)
    return cache


def shared_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """Number of leading tokens that all prompts share, leaving each at least one of its own."""
    shortest = min(len(p) for p in prompts) - 1
    first = prompts[0]
    for n in range(shortest):
        if any(p[n] != first[n] for p in prompts):
            return n
    return max(shortest, 0)


def pad_left(prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both (rows, longest), padded on the left with 0."""
    import torch

    width = max(len(p) for p in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(list(prompt))
        mask[row, width - len(prompt) :] = 1
    return ids, mask


class _Drawer:
    """Picks the next token of every row, greedily or by seeded sampling."""

    def __init__(self, sampling: Sampling) -> None:
        import torch

        self._temperature = sampling.temperature
        self._generator = torch.Generator().manual_seed(sampling.seed)

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        import torch

        if self._temperature == 0:
            return logits.argmax(-1)
        weights = (logits / self._temperature).softmax(-1)
        return torch.multinomial(weights, 1, generator=self._generator)[:, 0]
