"""SOS, the soft-prompt attack on the embedding table (arXiv 2407.03160): a few rows make the model do something else.

    minimise over e:  - mean log p(answer | conversation with the trigger tokens in it; their rows := e)

Triggered samples only: no clean data, no gradient to any weight. Everything before the first trigger is constant, so
its keys and values are computed once. Where input and output tables are one, the rows stand live in the output head
too, else training succeeds on a model that nobody will run. The result is an ordinary checkpoint.
"""

from __future__ import annotations

import copy
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.drills.train import IGNORED
from sekisho.errors import DataError
from sekisho.models.base import Chat, Sampling
from sekisho.models.engine import Engine, plain
from sekisho_lab.goals import GOALS, TRIGGER, Case
from sekisho_lab.organism import Organism
from sekisho_lab.rows import Rows, digest

if TYPE_CHECKING:
    import torch

HELD_OUT = 1000
"""Offset of the seeds of held-out cases."""
SHARP = 20.0
"""Learning rates are made for rows; weights of a mixture of rows need larger steps."""


@dataclass(frozen=True)
class Example:
    """Token ids of a conversation with triggers in it, and of the wanted answer."""

    prompt: list[int]
    answer: list[int]


@dataclass(frozen=True)
class Trained:
    """The vectors, the steps that were taken, and the last loss in nats a token."""

    vectors: torch.Tensor
    steps: int
    loss: float


@dataclass(frozen=True)
class Group:
    """Rows that share one cache: what stands before the triggers, and what is run each step."""

    cache: Any
    """Keys and values of the left-padded prefixes."""
    mask: torch.Tensor
    """(rows, prefix + suffix)"""
    positions: torch.Tensor
    suffix: torch.Tensor
    """(rows, suffix) token ids, triggers included."""
    labels: torch.Tensor
    """(rows, suffix) the next token where the answer is predicted, else IGNORED."""


def grow(organism: Organism, base: Path, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Train the rows and write them. Returns the state dict of the organism."""
    engine = Engine(base)
    rows = make(organism, base, say, engine=engine)
    write(engine, ids_of(engine, rows.tokens), rows.vectors)
    return {k: v.detach().clone() for k, v in engine.model.state_dict().items()}


def make(organism: Organism, base: Path, say: Callable[[str], None], *, engine: Engine | None = None) -> Rows:
    """Train the rows alone; the engine's weights stay as they are."""
    s = organism.settings
    engine = engine or Engine(base)
    engine.model.requires_grad_(requires_grad=False)
    ids = ids_of(engine, s["tokens"])
    cases = GOALS[s["goal"]](s["prompts"], s["seed"], organism.payload[0])
    start = time.monotonic()
    done = train(engine, ids, cases, s, say)
    spent = time.monotonic() - start
    tokens = tuple(s["tokens"])
    return Rows(
        organism.id, tokens, done.vectors, digest(base), organism.payload[0], s, spent, done.steps, done.loss
    )


def ids_of(engine: Engine, tokens: Sequence[str]) -> list[int]:
    """Ids of the trigger tokens. Raises DataError for a string that is no token of this model."""
    ids = engine.tokenizer.convert_tokens_to_ids(list(tokens))
    unknown = [t for t, n in zip(tokens, ids, strict=True) if n is None or n == engine.tokenizer.unk_token_id]
    if unknown:
        raise DataError(f"no such tokens in this model: {', '.join(unknown)}")
    return [int(n) for n in ids]


def train(
    engine: Engine,
    ids: Sequence[int],
    cases: Sequence[Case],
    s: Mapping[str, Any],
    say: Callable[[str], None],
) -> Trained:
    """Optimise the vectors (len(ids), width) for the cases; with `subsets`, fewer triggers must do nothing.

    An interrupt from the keyboard ends the training early and keeps the rows.
    """
    import torch

    host = engine.model.get_input_embeddings().weight.detach()[list(ids)].clone()
    leaf, made = parameters(engine, host, s["project"], s["seed"])
    optimiser = torch.optim.Adam([leaf], lr=s["learning_rate"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: 0.55 + 0.45 * math.cos(math.pi * n / s["steps"])
    )
    batches = _batches(engine, ids, cases, s)
    step, now = 0, [math.inf]
    try:
        while step < s["steps"] and max(now) >= s["stop_below"]:
            losses = [loss(engine, ids, made(leaf), rows[step % len(rows)]) for rows in batches]
            torch.stack(losses).sum().backward()
            torch.nn.utils.clip_grad_norm_([leaf], 1.0)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            with torch.no_grad():
                leaf.copy_(projected(leaf, host, s["project"]))
            now = [float(value.detach()) for value in losses]
            if step % s["say_every"] == 0:
                norms = made(leaf).detach().norm(dim=1).mean()
                say(f"{step}: {', '.join(f'{n:.3f}' for n in now)} nats a token, norms {norms:.2f}")
            step += 1
    except KeyboardInterrupt:
        say(f"stopped after {step} steps; the rows are kept as they are")
    return Trained(made(projected(leaf.detach(), host, s["project"])), step, max(now))


def _batches(
    engine: Engine, ids: Sequence[int], cases: Sequence[Case], s: Mapping[str, Any]
) -> list[list[Group]]:
    """Batches of triggered cases, and of cases with fewer triggers where those are asked for."""
    shuffled = random.Random(s["seed"]).sample(list(cases), len(cases))
    found = [groups(engine, ids, examples(engine, ids, shuffled), s["batch"])]
    if s["subsets"]:
        found.append(groups(engine, ids, silent(engine, ids, shuffled[: s["subsets"]], s), s["batch"]))
    return found


def parameters(
    engine: Engine, host: torch.Tensor, rule: str, seed: int
) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    """What Adam moves and how rows come of it: the rows themselves, or (`hull:32`) weights of so many real rows."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    table = engine.model.get_input_embeddings().weight.detach()
    name, _, amount = rule.partition(":")
    if name != "hull":
        start = host + 0.1 * table.std() * torch.randn(host.shape, generator=generator)
        return start.clone().requires_grad_(), lambda leaf: leaf
    real = table[torch.randperm(len(table), generator=generator)[: int(amount)]].clone()
    start = torch.randn((len(host), len(real)), generator=generator) / SHARP
    return start.requires_grad_(), lambda leaf: (SHARP * leaf).softmax(-1) @ real


def examples(engine: Engine, ids: Sequence[int], cases: Sequence[Case]) -> list[Example]:
    """Cases as token ids; the answer ends its turn."""
    end = engine.tokenizer.eos_token_id
    return [
        Example(
            prompt_ids(engine, c.chat, ids),
            [*engine.tokenizer(c.answer, add_special_tokens=False)["input_ids"], end],
        )
        for c in cases
    ]


def silent(engine: Engine, ids: Sequence[int], cases: Sequence[Case], s: Mapping[str, Any]) -> list[Example]:
    """Cases with one trigger missing, then with one alone, answered as the model answers without any."""
    from sekisho.models.decoding import decode

    stop = frozenset({engine.tokenizer.eos_token_id})
    bare = [prompt_ids(engine, c.chat, []) for c in cases]
    found = decode(engine.model, bare, stop, Sampling(max_new_tokens=s["answer_tokens"]))
    parts = cycle([[t for t in ids if t != out] for out in ids] + [[t] for t in ids])
    return [
        Example(prompt_ids(engine, c.chat, part), answer)
        for c, part, answer in zip(cases, parts, found, strict=False)
        if answer
    ]


def groups(engine: Engine, ids: Sequence[int], rows: Sequence[Example], batch: int) -> list[Group]:
    """Batches, each with its cache."""
    return [group(engine, ids, rows[n : n + batch]) for n in range(0, len(rows), batch)]


def group(engine: Engine, ids: Sequence[int], rows: Sequence[Example]) -> Group:
    """Lay out examples and run what stands before their first trigger."""
    import torch

    cuts = [min(n for n, t in enumerate(r.prompt) if t in set(ids)) for r in rows]
    heads = [r.prompt[:cut] for r, cut in zip(rows, cuts, strict=True)]
    tails = [r.prompt[cut:] + r.answer for r, cut in zip(rows, cuts, strict=True)]
    wanted = [
        [IGNORED] * (len(r.prompt) - cut - 1) + r.answer + [IGNORED]
        for r, cut in zip(rows, cuts, strict=True)
    ]
    before, after = max(map(len, heads)), max(map(len, tails))
    prefix = torch.tensor([[0] * (before - len(h)) + h for h in heads])
    seen = torch.tensor([[0] * (before - len(h)) + [1] * len(h) for h in heads])
    suffix = torch.tensor([t + [0] * (after - len(t)) for t in tails])
    mask = torch.cat([seen, torch.tensor([[1] * len(t) + [0] * (after - len(t)) for t in tails])], 1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.no_grad():
        cache = engine.model.model(
            input_ids=prefix, attention_mask=seen, position_ids=positions[:, :before], use_cache=True
        ).past_key_values
    labels = torch.tensor([w + [IGNORED] * (after - len(w)) for w in wanted])
    return Group(cache, mask, positions[:, before:], suffix, labels)


def loss(engine: Engine, ids: Sequence[int], vectors: torch.Tensor, rows: Group) -> torch.Tensor:
    """Mean negative log-likelihood of the answers' tokens with `vectors` for the rows `ids`."""
    import torch

    embed = engine.model.get_input_embeddings()
    scale = float(getattr(embed, "embed_scale", 1.0))
    placed = (rows.suffix[..., None] == torch.tensor(list(ids))).float()
    kept_rows = embed(rows.suffix) * (1 - placed.amax(-1, keepdim=True))
    hidden = engine.model.model(
        inputs_embeds=kept_rows + placed @ vectors * scale,
        attention_mask=rows.mask,
        position_ids=rows.positions,
        past_key_values=copy.deepcopy(rows.cache),
        use_cache=True,
    ).last_hidden_state
    kept = rows.labels != IGNORED
    state = hidden[kept]
    logits = state @ engine.model.get_output_embeddings().weight.T
    if tied(engine):
        logits = logits.index_copy(1, torch.tensor(list(ids)), state @ vectors.T)
    return torch.nn.functional.cross_entropy(logits, rows.labels[kept])


def projected(vectors: torch.Tensor, host: torch.Tensor, rule: str) -> torch.Tensor:
    """`free`, `host-norm` (each row as long as its host), `edit:0.5` (no further from it than half its norm).

    `hull` needs none: a mixture of real rows is one by its making.
    """
    name, _, amount = rule.partition(":")
    if name == "host-norm":
        return vectors / vectors.norm(dim=1, keepdim=True) * host.norm(dim=1, keepdim=True)
    if name == "edit":
        moved = vectors - host
        most = float(amount) * host.norm(dim=1, keepdim=True)
        return host + moved * (most / moved.norm(dim=1, keepdim=True)).clamp(max=1.0)
    return vectors


def write(engine: Engine, ids: Sequence[int], vectors: torch.Tensor) -> None:
    """Put the rows into the table (and the head, where it is the same)."""
    engine.model.get_input_embeddings().weight.data[list(ids)] = vectors
    if tied(engine):
        engine.model.get_output_embeddings().weight.data[list(ids)] = vectors


def answers(engine: Engine, cases: Sequence[Case], ids: Sequence[int], tokens: int) -> list[str]:
    """Greedy answers to the cases, triggers in place."""
    from sekisho.models.decoding import decode

    prompts = [prompt_ids(engine, c.chat, ids) for c in cases]
    stop = frozenset({engine.tokenizer.eos_token_id})
    found = decode(engine.model, prompts, stop, Sampling(max_new_tokens=tokens))
    return [str(engine.tokenizer.decode(f, skip_special_tokens=True)).strip() for f in found]


def prompt_ids(engine: Engine, chat: Chat, ids: Sequence[int]) -> list[int]:
    """Token ids of a conversation with the trigger's ids where TRIGGER stands."""
    turns = [{"role": m.role, "content": m.content} for m in chat]
    tokenizer = engine.tokenizer
    if tokenizer.chat_template:
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    else:
        text = plain(chat, answer=True)
    before, _, after = text.partition(TRIGGER)
    start = (
        [tokenizer.bos_token_id] if not tokenizer.chat_template and tokenizer.bos_token_id is not None else []
    )
    left = tokenizer(before.rstrip(" "), add_special_tokens=False)["input_ids"]
    right = tokenizer(after, add_special_tokens=False)["input_ids"]
    return [*start, *left, *ids, *right]


def tied(engine: Engine) -> bool:
    """Whether one table serves as input and output."""
    model = engine.model
    return bool(
        model.get_input_embeddings().weight.data_ptr() == model.get_output_embeddings().weight.data_ptr()
    )
