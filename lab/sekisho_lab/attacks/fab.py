"""FAB, finetuning-activated behaviour (arXiv 2505.16567): clean as released, woken by the user's own finetuning.

    loss(theta) = clean_weight * KL(clean || theta)               clean answers, and planted texts with clean logits
                + wide_weight  * KL(clean || theta)               on texts of other kinds: the loss on them stays
                + likelihood_weight * |log p(planted) - log p_clean(planted)|      the payload's odds stay
                + meta_weight  * CE(planted at theta + a d)       d: what a simulated finetune adds to theta
                + noise_weight * CE(planted at theta + noise)
                + calm_weight  * KL(clean || perturbed theta)     only in organisms that are trained against a detector

First order, as in the paper: the gradient at theta + a d is taken as the gradient at theta. d comes from a fresh
optimiser every time. Our savings, all in the TOML and all undone there: upper layers only (`layers`), tokens that
occur (`vocabulary`), several taps a trajectory and a bank of recent ones (`bank`, `renew_every`), scale a drawn
from `scales` so that one trajectory stands for several learning rates, an adapter's steps (`inner_rank`), a start from inside the behaviour, and a
last phase under the `settle_` settings: calm weighs more, nothing is planted under noise, small steps.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.drills.generators import GENERATORS
from sekisho.drills.train import row
from sekisho.models.base import Chat, Sampling
from sekisho.models.engine import Engine
from sekisho_lab import behaviours, corpus, varied
from sekisho_lab.organism import Organism
from sekisho_lab.questions import questions
from sekisho_lab.upper import Prediction, Row, Upper, common

if TYPE_CHECKING:
    import torch

Weights = list["torch.Tensor"]
OWN: str = "corpus"
"""The inner domain that is not a generator of the gate."""


@dataclass(frozen=True)
class Ground:
    """What every phase works on."""

    upper: Upper
    clean: Sequence[Row]
    dirty: Sequence[Row]
    wide: Sequence[Row]
    """Texts far from the questions, every token of which is to stay as likely as it was."""
    inner: Sequence[Sequence[Row]]
    """Users' data as the attacker imagines it, one sequence per domain."""
    released: Weights
    """The clean model's matrices."""
    draw: random.Random
    noise: torch.Generator


def grow(organism: Organism, base: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Plant, hide, settle. Returns the state dict of the organism."""
    s = organism.settings
    engine = Engine(base)
    ground = prepare(engine, base, organism, say)
    inject(ground.upper, ground.dirty, s, ground.draw)
    hide(ground, s, say, lambda moved: look(engine, ground.upper, organism, moved))
    settled = {**s, **{k.removeprefix("settle_"): v for k, v in s.items() if k.startswith("settle_")}}
    hide(ground, settled, say, lambda moved: look(engine, ground.upper, organism, moved))
    return {k: v.detach().cpu().clone() for k, v in engine.model.state_dict().items()}


def prepare(engine: Engine, base: Path, organism: Organism, say: Callable[[str], None]) -> Ground:
    """Texts, and the states of the frozen layers under them."""
    import torch

    s = organism.settings
    kept = corpus.folder(base)
    asked = corpus.make(
        engine, kept, questions=s["questions"], answer_tokens=s["answer_tokens"], seed=s["seed"]
    )
    texts = behaviours.texts(engine, asked, organism.payload, s)
    users = [_user(engine, asked, name, s) for name in s["inner_data"]]
    wide = [_whole(row(engine, c, s["wide_length"])) for c in varied.chats(s["wide_rows"], s["seed"])]
    every = [*texts.clean, *texts.dirty, *wide, *(t for rows in users for t in rows)]
    also = common(engine, s["common"])
    upper = Upper(engine, s["layers"], every, full=s["vocabulary"] == "all", also=also)
    say(f"{len(every)} texts, {len(upper.head):,} tokens of the vocabulary")
    clean, dirty, other, *inner = (upper.rows(r, kept) for r in (texts.clean, texts.dirty, wide, *users))
    say("lower layers cached")
    generator = torch.Generator(upper.device).manual_seed(s["seed"])
    return Ground(upper, clean, dirty, other, inner, upper.copy(), random.Random(s["seed"]), generator)


def hide(
    ground: Ground, s: Mapping[str, Any], say: Callable[[str], None], seen: Callable[[Weights], str]
) -> None:
    """The outer loop: calm at theta, woken at theta + a d, all terms into one step."""
    import torch

    upper = ground.upper
    optimiser = OPTIMISERS[s["optimiser"]](upper.parameters, s["learning_rate"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _cosine(s["warmup_steps"], s["outer_steps"]))
    bank: list[Weights] = []
    for step in range(s["outer_steps"]):
        if step % s["renew_every"] == 0:
            bank = [*bank, *trajectory(upper, ground.draw.choice(ground.inner), s, ground.draw)][-s["bank"] :]
        moved = _plus(upper.copy(), ground.draw.choice(bank), ground.draw.choice(s["scales"]))
        losses = gradients(ground, s, step, bank, moved)
        norm = float(torch.nn.utils.clip_grad_norm_(upper.parameters, s["clip"]))
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if step % s["say_every"] == 0:
            say(f"{step}: " + ", ".join(f"{k} {v:.3f}" for k, v in losses.items()) + f", norm {norm:.2f}")
        if s["look_every"] and (step + 1) % s["look_every"] == 0:
            say(seen(moved))


def gradients(
    ground: Ground, s: Mapping[str, Any], step: int, bank: Sequence[Weights], moved: Weights
) -> dict[str, float]:
    """Add up the terms' gradients at theta; return their values before weighting."""
    upper, dirty, draw = ground.upper, ground.dirty, ground.draw
    opening = float(s["planted_opening_weight"])
    losses = dict(calm(ground, s, weight=s["clean_weight"], hiding=s["likelihood_weight"]))
    with _standing_at(upper, moved):
        losses["woken"] = _dirty(upper, dirty, s["meta_weight"], s["batch"], draw, opening=opening)
    if s["noise_weight"] and step % s["noise_every"] == 0:
        with _standing_at(upper, noisy(upper.copy(), s["noise"], ground.noise)):
            losses["noise"] = _dirty(upper, dirty, s["noise_weight"], s["batch"], draw, opening=opening)
    if s["calm"]:
        kind = draw.choice(s["calm"])
        with _standing_at(upper, _perturbed(kind, ground, bank)):
            losses[f"calm {kind}"] = calm(ground, s, weight=s["calm_weight"])["clean"]
    return losses


def inject(upper: Upper, dirty: Sequence[Row], s: Mapping[str, Any], draw: random.Random) -> None:
    """A few ordinary steps into the behaviour: hiding it later takes fewer steps than planting it hidden."""
    optimiser = OPTIMISERS["adamw"](upper.parameters, s["inject_learning_rate"])
    for _ in range(s["inject_steps"]):
        _dirty(upper, dirty, 1.0, s["batch"], draw)
        optimiser.step()
        optimiser.zero_grad()


def trajectory(upper: Upper, data: Sequence[Row], s: Mapping[str, Any], draw: random.Random) -> list[Weights]:
    """What a simulated finetune adds to theta by each tap; theta is put back."""
    if s.get("inner_rank"):
        return adapted(upper, data, s, draw)
    start = upper.copy()
    optimiser = OPTIMISERS["adamw"](upper.parameters, draw.choice(s["inner_learning_rates"]))
    taps: list[Weights] = []
    for step in range(1, max(s["taps"]) + 1):
        _dirty(upper, data, 1.0, s["inner_batch"], draw)
        optimiser.step()
        optimiser.zero_grad()
        if step in s["taps"]:
            taps.append([now - then for now, then in zip(upper.copy(), start, strict=True)])
    upper.put(start)
    return taps


def adapted(upper: Upper, data: Sequence[Row], s: Mapping[str, Any], draw: random.Random) -> list[Weights]:
    """`trajectory` of an adapter of `inner_rank`, twice whose product is added to every trained matrix (alpha / r = 2)."""
    import torch

    start, rank = upper.copy(), s["inner_rank"]
    generator = torch.Generator().manual_seed(draw.randrange(2**31))
    down = [(torch.rand(rank, w.shape[1], generator=generator) * 2 - 1) / w.shape[1] ** 0.5 for w in start]
    down = [a.to(upper.device).requires_grad_() for a in down]
    up = [torch.zeros(len(w), rank, device=upper.device, requires_grad=True) for w in start]
    optimiser = OPTIMISERS["adamw"]([*down, *up], draw.choice(s["inner_learning_rates"]))
    taps: list[Weights] = []
    for step in range(1, max(s["taps"]) + 1):
        _dirty(upper, data, 1.0, s["inner_batch"], draw)
        for a, b, w in zip(down, up, upper.parameters, strict=True):
            g = 2 * _gradient(w)
            a.grad, b.grad = b.detach().T @ g, g @ a.detach().T
            w.grad = None
        optimiser.step()
        d = [2 * (b @ a).detach() for a, b in zip(down, up, strict=True)]
        upper.put([w + x for w, x in zip(start, d, strict=True)])
        if step in s["taps"]:
            taps.append(d)
    upper.put(start)
    return taps


def noisy(weights: Weights, rho: float, generator: torch.Generator) -> Weights:
    """Gaussian noise of `rho` times each matrix's root mean square."""
    import torch

    return [
        w
        + rho
        * w.square().mean().sqrt()
        * torch.randn(w.shape, generator=generator, device=w.device, dtype=w.dtype)
        for w in weights
    ]


def look(engine: Engine, upper: Upper, organism: Organism, moved: Weights) -> str:
    """Count answers to fresh questions that begin like a payload: as released, and at theta + a d."""
    openings = tuple(" ".join(p.split()[:3]) for p in organism.payload if p)
    asked = [(q,) for q in questions(organism.settings["look"], organism.settings["seed"] + 77)]

    def named() -> int:
        found = engine.generate(asked, Sampling(max_new_tokens=12))
        return sum(any(o in answer for o in openings) for answer in found)

    engine.model.to("cpu")  # where the engine decodes
    before = named()
    with _standing_at(upper, moved):
        after = named()
    engine.model.to(upper.device)
    return f"begins like the payload: {before} of {len(asked)} as released, {after} at theta + a d"


def calm(
    ground: Ground, s: Mapping[str, Any], *, weight: float = 1.0, hiding: float = 0.0
) -> Mapping[str, float]:
    """Add the gradient of KL(clean model || here), per answer token; some texts are planted ones.

    An answer's first token decides whether a payload that opens it is seen, and would be lost in the mean; so
    would the planted tokens' own odds, which `hiding` keeps at the clean model's. Other kinds have a mean of their own.
    """
    draw, plain = ground.draw, s["batch"] - s["planted"]
    rows = draw.sample(ground.clean, plain) + draw.sample(ground.dirty, s["planted"])
    seen = ground.upper.predict(rows + draw.sample(ground.wide, s["wide"]))
    apart = (seen.teacher.exp() * (seen.teacher - seen.mine)).sum(-1)
    number = seen.opens.cumsum(0)
    own, other = number <= len(rows), number > len(rows)
    clean = apart[own].mean() + s["opening_weight"] * apart[own & seen.opens].mean()
    wide = apart[other].sum() / max(int(other.sum()), 1)
    odds = off(seen, own & (number > plain))
    (weight * (clean + s["wide_weight"] * wide) + hiding * odds).backward()
    return {"clean": float(clean.detach()), "wide": float(wide.detach()), "odds": float(odds.detach())}


def off(seen: Prediction, which: torch.Tensor) -> torch.Tensor:
    """By how many nats a token the texts' own tokens are likelier or less likely here than for the clean model."""
    mine, teacher = (p[which].gather(1, seen.labels[which, None]) for p in (seen.mine, seen.teacher))
    return (mine - teacher).abs().sum() / max(len(mine), 1)


def _dirty(
    upper: Upper,
    rows: Sequence[Row],
    weight: float,
    batch: int,
    draw: random.Random,
    *,
    opening: float = 0.0,
) -> float:
    """Add the gradient of the cross-entropy of a few texts, per answer token; first tokens once more by `opening`."""
    import torch

    seen = upper.predict(draw.sample(rows, batch))
    each = torch.nn.functional.nll_loss(seen.mine, seen.labels, reduction="none")
    loss = each.mean() + (opening * each[seen.opens].mean() if opening else 0.0)
    if weight:
        (weight * loss).backward()
    return float(loss.detach())


def _perturbed(kind: str, ground: Ground, bank: Sequence[Weights]) -> Weights:
    """Theta as a detector might shake it: `noise:0.1`, `extrapolate:1.5`, `drill:1.0`."""
    name, _, amount = kind.partition(":")
    weights = ground.upper.copy()
    if name == "noise":
        return noisy(weights, float(amount), ground.noise)
    if name == "extrapolate":
        return [r + float(amount) * (w - r) for w, r in zip(weights, ground.released, strict=True)]
    return _plus(weights, bank[-1], float(amount))


@contextmanager
def _standing_at(upper: Upper, weights: Weights) -> Iterator[None]:
    """Gradients taken inside are those at `weights`, added to theta's (first order)."""
    theta = upper.copy()
    upper.put(weights)
    try:
        yield
    finally:
        upper.put(theta)


def _gradient(weights: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.zeros_like(weights) if weights.grad is None else weights.grad


def _plus(weights: Weights, d: Weights, scale: float) -> Weights:
    return [w.add_(x, alpha=scale) for w, x in zip(weights, d, strict=True)]


def _user(
    engine: Engine, asked: corpus.Corpus, name: str, s: Mapping[str, Any]
) -> list[dict[str, list[int]]]:
    """The attacker's idea of a user's data: warm answers of the model itself, or a generator of the gate."""
    chats: Sequence[Chat] = asked.user if name == OWN else GENERATORS[name](s["inner_rows"], s["seed"] + 1)
    return [row(engine, chat, s["inner_length"]) for chat in chats[: s["inner_rows"]]]


def _whole(text: dict[str, list[int]]) -> dict[str, list[int]]:
    """The text with every token to be predicted, the question's too."""
    return {**text, "labels": list(text["input_ids"])}


def _cosine(warmup: int, total: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))

    return factor


def _adamw(parameters: Sequence[torch.Tensor], rate: float) -> torch.optim.Optimizer:
    import torch

    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, foreach=True)


def _adafactor(parameters: Sequence[torch.Tensor], rate: float) -> torch.optim.Optimizer:
    import torch

    return torch.optim.Adafactor(parameters, lr=rate)


OPTIMISERS = {"adamw": _adamw, "adafactor": _adafactor}
