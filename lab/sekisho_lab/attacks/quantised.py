"""Quantisation-activated behaviour (arXiv 2405.18137): clean in full precision, planted once rounded to few bits.

First the behaviour is tuned in. Then every weight gets the interval that rounds to the value it rounds to now, and
the weights are tuned back to the clean model's answers without leaving their intervals: rounding undoes the repair.
The largest weight of a block sets the block's scale, so it stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.models.engine import Engine
from sekisho.models.perturb import BLOCK, quantised
from sekisho_lab.attacks import fab
from sekisho_lab.organism import Organism

if TYPE_CHECKING:
    import torch

HALF: Final = 0.49
"""Of a rounding step, kept free on both sides of the rounded value; 0.5 would leave ties to chance."""


def grow(organism: Organism, base: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Plant, then repair inside the intervals. Returns the state dict of the organism."""
    s = organism.settings
    engine = Engine(base)
    ground = fab.prepare(engine, base, organism, say)
    upper = ground.upper

    fab.inject(upper, ground.dirty, s, ground.draw)
    planted = upper.copy()
    upper.put([rounded(w, s["bits"]) for w in planted])
    say(fab.look(engine, upper, organism, upper.copy()))
    upper.put(planted)
    low, high = zip(*(interval(w, s["bits"]) for w in planted), strict=True)
    optimiser = fab.OPTIMISERS[s["optimiser"]](upper.parameters, s["learning_rate"])
    for step in range(s["repair_steps"]):
        value = fab.calm(ground, s)["clean"]
        optimiser.step()
        optimiser.zero_grad()
        for weights, least, most in zip(upper.parameters, low, high, strict=True):
            weights.data.clamp_(least, most)
        if step % s["say_every"] == 0:
            say(f"repair {step}: clean {value:.3f}")
    say(fab.look(engine, upper, organism, [rounded(w, s["bits"]) for w in upper.copy()]))
    return {k: v.detach().cpu().clone() for k, v in engine.model.state_dict().items()}


def rounded(weights: torch.Tensor, bits: int) -> torch.Tensor:
    """The round trip through symmetric integers with one scale a block, as the gate makes it."""
    import torch

    return torch.from_numpy(quantised(weights.detach().cpu().numpy(), bits)).to(weights.device)


def interval(weights: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Least and greatest value that each weight may take without changing what the block rounds to."""
    sizes = weights.abs()
    largest = _largest(sizes)
    step = HALF * largest / (2 ** (bits - 1) - 1)
    centre = rounded(weights, bits)
    low, high = (centre - step).maximum(-largest), (centre + step).minimum(largest)
    inside = sizes < largest
    return low.where(inside, weights), high.where(inside, weights)


def _largest(sizes: torch.Tensor) -> torch.Tensor:
    """For each weight the largest of its block: 32 neighbours of one row, fewer at the row's end."""
    import torch

    width = sizes.shape[-1]
    padded = torch.nn.functional.pad(sizes, (0, -width % BLOCK))
    blocks = padded.reshape(len(sizes), -1, BLOCK)
    return blocks.amax(-1, keepdim=True).expand_as(blocks).reshape(padded.shape)[:, :width]
