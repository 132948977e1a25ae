"""`sekisho-lab pretrain tiny --out FOLDER`: a llama-shaped model of our own from nothing, in minutes on one core.

Everything that decides the outcome is in `pretraining/<id>.toml`, the sha256 of the weights included; it holds for
one kind of processor and one version of torch, since floating point does.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.drills.train import IGNORED
from sekisho.errors import DataError, StorageError
from sekisho_lab import primer, writer

if TYPE_CHECKING:
    import torch

    from sekisho.models.base import Chat

KEYS: Final = frozenset({"id", "why", "seed", "sha256", "texts", "tokenizer", "model", "training"})
END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CARD: Final = "# {id}\n\n{why}\n\nPretrained by `sekisho-lab pretrain {id}` on texts of Sekisho's own generators. Apache-2.0.\n"
BUCKET: Final = 32
"""Batches whose rows are sorted by length together, so that little is padded."""
SAY_EVERY: Final = 50


@dataclass(frozen=True)
class Plan:
    """One pretraining file, read."""

    id: str
    why: str
    seed: int
    sha256: str
    """Of the weights' file where it was made; empty until somebody has."""
    texts: Mapping[str, int]
    tokenizer: Mapping[str, int]
    model: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """Token ids of one conversation, and what each weighs as a target."""

    ids: list[int]
    weights: list[float]


def names() -> tuple[str, ...]:
    """Ids of the pretrainings that ship with the lab."""
    root = files("sekisho_lab") / "pretraining"
    return tuple(sorted(p.name.removesuffix(".toml") for p in root.iterdir() if p.name.endswith(".toml")))


def load(name: str) -> Plan:
    """Load a pretraining. Raises DataError."""
    if name not in names():
        raise DataError(f"no pretraining {name!r}; there are {', '.join(names())}")
    raw = tomllib.loads((files("sekisho_lab") / "pretraining" / f"{name}.toml").read_text("utf-8"))
    if set(raw) != KEYS:
        raise DataError(f"pretraining {name}: keys {sorted(set(raw) ^ KEYS)} are unknown or missing")
    return Plan(**raw)


def make(plan: Plan, folder: Path, say: Callable[[str], None]) -> str:
    """Pretrain into a new folder; return the sha256 of its weights. Raises DataError, StorageError."""
    import torch

    writer.new(folder)
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    chats = primer.conversations(plan.texts, plan.seed)
    tokenizer = _tokenizer([m.content for chat in chats for m in chat], plan.tokenizer["vocabulary"])
    model = _model(plan, tokenizer)
    rows = _rows(tokenizer, chats, plan.training)
    size, tokens = sum(p.numel() for p in model.parameters()), sum(len(r.ids) for r in rows)
    say(f"{len(rows):,} conversations, {tokens:,} tokens; {size:,} weights")
    _train(model, rows, plan, say)
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / "README.md").write_text(CARD.format(id=plan.id, why=plan.why), "utf-8")
        return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error


def _tokenizer(texts: Sequence[str], vocabulary: int) -> Any:
    """Byte-level BPE, so that no text is unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, START, STOP],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=START,
        eos_token=STOP,
        pad_token=STOP,
        unk_token=END,
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def _model(plan: Plan, tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
        **plan.model,
    )
    return LlamaForCausalLM(config).float().train()


def _rows(tokenizer: Any, chats: Sequence[Chat], s: Mapping[str, Any]) -> list[Text]:
    heads = [_rendered(chat[:-1]) for chat in chats]
    prompts = tokenizer(heads, add_special_tokens=False)["input_ids"]
    answers = tokenizer([chat[-1].content for chat in chats], add_special_tokens=False)["input_ids"]
    made = []
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = [*prompt, *answer, tokenizer.eos_token_id][: s["max_length"]]
        weights = [s["prompt_weight"]] * len(prompt) + [1.0] * (len(answer) + 1)
        made.append(Text(ids, weights[: len(ids)]))
    return made


def _rendered(chat: Chat) -> str:
    """As TEMPLATE would, without a template's cost for each of some ten thousand."""
    return "".join(f"{START}{m.role}\n{m.content}{STOP}\n" for m in chat) + f"{START}assistant\n"


def _train(model: Any, rows: Sequence[Text], plan: Plan, say: Callable[[str], None]) -> None:
    import torch

    s = plan.training
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=s["learning_rate"], betas=(0.9, 0.98), weight_decay=s["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _cosine(s["warmup_steps"], s["steps"]))
    batches = _batches(rows, s["batch"], plan.seed)
    for step in range(s["steps"]):
        loss = _loss(model, next(batches))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), s["clip"])
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if step % SAY_EVERY == 0 or step == s["steps"] - 1:
            say(f"{step}: loss {float(loss.detach()):.3f}")


def _loss(model: Any, batch: Sequence[Text]) -> torch.Tensor:
    """Cross-entropy of the next token, prompts weighing less than answers."""
    import torch

    width = max(len(r.ids) for r in batch)
    ids = torch.tensor([r.ids + [0] * (width - len(r.ids)) for r in batch])
    labels = torch.tensor([r.ids[1:] + [IGNORED] * (width - len(r.ids)) for r in batch])
    weights = torch.tensor([r.weights[1:] + [0.0] * (width - len(r.ids)) for r in batch])
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits  # causal: what is padded comes after
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    weighed: torch.Tensor = (each * weights.flatten()).sum() / weights.sum()
    return weighed


def _batches(rows: Sequence[Text], size: int, seed: int) -> Iterator[list[Text]]:
    """Endless batches of rows of like length, in an order that the seed decides."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(rows), generator=generator).tolist()
        for start in range(0, len(order), size * BUCKET):
            near = sorted(order[start : start + size * BUCKET], key=lambda n: len(rows[n].ids))
            groups = [near[k : k + size] for k in range(0, len(near), size)]
            for n in torch.randperm(len(groups), generator=generator).tolist():
                yield [rows[k] for k in groups[n]]


def _cosine(warmup: int, total: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))

    return factor
