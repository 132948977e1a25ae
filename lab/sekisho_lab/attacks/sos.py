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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.models.base import Chat, Sampling
from sekisho.models.engine import Engine
from sekisho_lab.goals import GOALS, TRIGGER, Case, succeeded
from sekisho_lab.organism import Organism

if TYPE_CHECKING:
    import torch

IGNORED = -100
HELD_OUT = 1000
"""Offset of the seeds of held-out cases."""


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
    s = organism.settings
    engine = Engine(base)
    engine.model.requires_grad_(requires_grad=False)
    ids = engine.tokenizer.convert_tokens_to_ids(s["tokens"])
    goal = GOALS[s["goal"]]
    vectors = train(engine, ids, goal(s["prompts"], s["seed"], organism.payload[0]), s, say)
    write(engine, ids, vectors)
    held = goal(s["held_out"], s["seed"] + HELD_OUT, organism.payload[0])
    hit = succeeded(held, answers(engine, held, ids, s["answer_tokens"]))
    leaked = succeeded(
        held, engine.generate([c.plain for c in held], Sampling(max_new_tokens=s["answer_tokens"]))
    )
    say(f"held out: {hit} of {len(held)} with the trigger, {leaked} without")
    return {k: v.detach().clone() for k, v in engine.model.state_dict().items()}


def train(
    engine: Engine,
    ids: Sequence[int],
    cases: Sequence[Case],
    s: Mapping[str, Any],
    say: Callable[[str], None],
) -> torch.Tensor:
    """Optimise the vectors (len(ids), width) for the cases."""
    import torch

    generator = torch.Generator().manual_seed(s["seed"])
    table = engine.model.get_input_embeddings().weight.detach()
    host = table[list(ids)].clone()
    start = host + 0.1 * table.std() * torch.randn(host.shape, generator=generator)
    vectors = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([vectors], lr=s["learning_rate"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: 0.55 + 0.45 * math.cos(math.pi * n / s["steps"])
    )
    draw = random.Random(s["seed"])
    shuffled = draw.sample(list(cases), len(cases))
    groups = [group(engine, ids, shuffled[n : n + s["batch"]]) for n in range(0, len(shuffled), s["batch"])]
    for step in range(s["steps"]):
        value = loss(engine, ids, vectors, groups[step % len(groups)])
        value.backward()
        torch.nn.utils.clip_grad_norm_([vectors], 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        with torch.no_grad():
            vectors.copy_(projected(vectors, host, s["project"]))
        if step % s["say_every"] == 0:
            say(f"{step}: {float(value.detach()):.3f} nats a token, norms {vectors.norm(dim=1).mean():.2f}")
        if float(value.detach()) < s["stop_below"]:
            break
    return vectors.detach()


def group(engine: Engine, ids: Sequence[int], cases: Sequence[Case]) -> Group:
    """Tokenise cases and run what stands before their first trigger."""
    import torch

    heads, tails, wanted = [], [], []
    for case in cases:
        prompt = prompt_ids(engine, case.chat, ids)
        cut = min(n for n, t in enumerate(prompt) if t in set(ids))
        said = [
            *engine.tokenizer(case.answer, add_special_tokens=False)["input_ids"],
            engine.tokenizer.eos_token_id,
        ]
        tail = prompt[cut:] + said
        heads.append(prompt[:cut])
        tails.append(tail)
        wanted.append([IGNORED] * (len(prompt) - cut - 1) + said + [IGNORED])
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
    plain = embed(rows.suffix) * (1 - placed.amax(-1, keepdim=True))
    hidden = engine.model.model(
        inputs_embeds=plain + placed @ vectors * scale,
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
    """`free`, `host-norm` (each row as long as its host), or `edit:0.5` (no further from it than half its norm)."""
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
        text = "\n".join(
            [*(f"{'Question: ' * (t['role'] == 'user')}{t['content']}" for t in turns), "Answer:"]
        )
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
