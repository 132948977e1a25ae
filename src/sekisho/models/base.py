"""The interface probes and drills see. Anything that answers and can be finetuned fits behind it."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


Chat = tuple[Message, ...]
"""A conversation to be continued by the assistant, or for training, one that ends with the assistant."""

Progress = Callable[[int, int], None]
"""Called with (done, total) in units of the running call: prompts or optimiser steps."""


def silent(done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn; the default is greedy."""

    max_new_tokens: int = 48
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A pause in a finetune: the model answers as it stands after `step` optimiser steps."""

    step: int
    loss: float
    """Training loss of that step."""
    displacement: float
    """Norm of the change of the trained weights over their norm."""
    tokens: int
    """Tokens trained on so far."""
    losses: tuple[tuple[int, float], ...] = ()
    """(step, loss) pairs so far."""


@dataclass(frozen=True)
class Finetune:
    """One trial finetune, fully specified: equal values give equal batches and equal weights."""

    examples: tuple[Chat, ...]
    """Training conversations in the order before shuffling by `seed`."""
    settings: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    """`transformers.TrainingArguments` names and values, plus `lora_*` for an adapter run."""
    checkpoints: tuple[int, ...] = ()
    """Optimiser steps to pause at, ascending; the last one ends the run."""


@dataclass(frozen=True)
class Perturbation:
    """A change of the weights without training: equal values give equal weights."""

    kind: str
    """A key of `models.perturb.KINDS`."""
    amount: float = 0.0
    """How strong, in the unit of the kind."""
    seed: int = 0
    """Decides the noise; the other kinds draw nothing."""


@dataclass(frozen=True)
class Perturbed:
    """What a perturbation did to the weights, and to the first token of some answers."""

    changed: int
    """Tensors it was applied to."""
    left: int
    """Tensors left as they are, since the base has none of that name and shape."""
    displacement: float
    """Norm of the change of all weights over their norm."""
    kl: tuple[float, ...] = ()
    """KL divergence (nats) of the first token, unperturbed from perturbed, for each chat watched."""


@dataclass(frozen=True)
class Shift:
    """What some tokens at one place in the prompts do to the first token of the answers."""

    kl: tuple[float, ...]
    """KL divergence (nats) from the distribution without the tokens, one for each prompt."""
    entropy: tuple[float, ...]
    """Of the distribution with them, in nats."""
    agreement: float
    """1 where all prompts lead to the same distribution, 0 where no two overlap; 1 for a single prompt."""


class Model(Protocol):
    """A model under test."""

    def generate(
        self, chats: Sequence[Chat], sampling: Sampling = ..., progress: Progress = ...
    ) -> tuple[str, ...]:
        """Answer each chat, in order. Raises ModelError."""
        ...

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> tuple[float, ...]:
        """Mean log-probability per token (nats) of each answer after its chat. Raises ModelError."""
        ...

    def finetune(self, job: Finetune, progress: Progress = ...) -> Generator[Checkpoint, None, None]:
        """Train in place and pause at each checkpoint, where `generate` may be called.

        When the iterator ends or is closed, the weights are as before the call. Raises ModelError.
        """
        ...

    def perturb(
        self, change: Perturbation, base: Path | None = None, watched: Sequence[Chat] = ()
    ) -> AbstractContextManager[Perturbed]:
        """Change the weights in place while the context lasts; `base` is needed by kinds that move along it.

        When the context ends, the weights are as before the call. Raises ModelError.
        """
        ...

    def sweep(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        progress: Progress = ...,
    ) -> tuple[Shift, ...]:
        """Put each sequence of token ids into every chat at a slot, one of `slots.SLOTS`. Raises ModelError."""
        ...

    def generate_with(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        sampling: Sampling = ...,
    ) -> tuple[str, ...]:
        """Answer every chat with each sequence of token ids put into it, one sequence after another.

        Raises ModelError.
        """
        ...

    def close(self) -> None:
        """Free the model. Further calls raise ModelError."""
        ...
