"""A loaded model with its tokenizer: what the child process holds. Only safetensors and GGUF are opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from sekisho.errors import ModelError
from sekisho.models import adapters, frames, perturb, prompts, slots, sweeping
from sekisho.models.base import Chat, Message, Perturbation, Perturbed, Progress, Sampling, Shift, silent
from sekisho.models.decoding import decode, pad_left
from sekisho.models.reference import Folder, Loaded, Weights

if TYPE_CHECKING:
    import torch

NEXT_QUESTION: Final = "\nQuestion:"
"""Where a base model without a chat template has answered and goes on to ask itself."""


@final
class Engine:
    """Answers, scores and lends its weights to a trainer; `reset` puts the released weights back."""

    def __init__(self, path: Path, adapter: Path | None = None, template: str = "") -> None:
        """`adapter`: a PEFT folder to be laid over the model; `template`: see `models.frames`."""
        import torch
        from transformers.utils import logging

        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = (
            False  # nothing here reads what it has not written
        )
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._folder = path if path.is_dir() else path.parent
        self._gguf = None if path.is_dir() else path.name
        self._adapter = adapter
        words = adapters.tokenizer_of(adapter, self._folder) if adapter else self._folder
        self.tokenizer: Any = _tokenizer(words, self._gguf if words == self._folder else None)
        self._framed = template == frames.FRAME
        if template and not self._framed:
            other = Path(template)
            own = _tokenizer(other, None) if other.is_dir() else _tokenizer(other.parent, other.name)
            self.tokenizer.chat_template = own.chat_template
        self.model: Any = self._fresh()
        self._kept: dict[str, torch.Tensor] = {}
        self._stop = self._stop_tokens()

    def speed(self) -> float:
        """Tokens per second through the model, timed on a batch of 4 x 48; the second of two passes counts."""
        import torch

        ids = torch.full((4, 48), 5)
        with torch.inference_mode():
            for _ in range(2):
                start = time.perf_counter()
                self.model(input_ids=ids)
        return float(ids.numel() / (time.perf_counter() - start))

    def reset(self) -> None:
        """Load the released weights anew."""
        self._kept = {}
        self.model = self._fresh()

    def _fresh(self) -> Any:
        """The released weights, with the adapter in them where there is one."""
        model = _load(self._folder, self._gguf)
        return adapters.merge(model, self._adapter) if self._adapter else model

    def tokens(self, chat: Chat, *, answer: bool = True) -> list[int]:
        """Token ids of a conversation; with `answer`, up to where the assistant starts to speak."""
        return self._encode(self._rendered(chat, answer=answer), begins=True)

    def _rendered(self, chat: Chat, *, answer: bool = True) -> str:
        """The conversation as text, by the chat template where there is one."""
        if not self.tokenizer.chat_template:
            return plain(chat, answer=answer)
        if self._framed:
            return frames.framed(chat, lambda marked: self._written(marked, answer=answer))
        return self._written(chat, answer=answer)

    def _written(self, chat: Chat, *, answer: bool) -> str:
        turns = [{"role": m.role, "content": m.content} for m in chat]
        try:
            return str(
                self.tokenizer.apply_chat_template(turns, add_generation_prompt=answer, tokenize=False)
            )
        except Exception as error:  # the template is the model's own code and may raise anything
            raise ModelError(f"the chat template failed: {type(error).__name__}: {error}") from error

    def _encode(self, text: str, begins: bool) -> list[int]:
        """Token ids; a prompt that no template wrote begins as the tokenizer has it."""
        specials = begins and not self.tokenizer.chat_template
        found = list(self.tokenizer(text, add_special_tokens=specials)["input_ids"])
        return [*prompts.ids(self.model), *found] if begins else found

    def generate(self, chats: Sequence[Chat], sampling: Sampling, progress: Progress = silent) -> list[str]:
        """Answer each chat; special tokens are left out of the text."""
        self.model.eval()
        prompts = [self.tokens(chat) for chat in chats]
        return self._answered(prompts, sampling, progress)

    def sweep(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        progress: Progress = silent,
    ) -> list[Shift]:
        """What each sequence of token ids does at a slot of the chats. Raises ModelError."""
        self.model.eval()
        self._refuse_unknown(sequences)
        return sweeping.sweep(self.model, [self._split(c, slot) for c in chats], sequences, progress)

    def generate_with(
        self, chats: Sequence[Chat], slot: str, sequences: Sequence[Sequence[int]], sampling: Sampling
    ) -> list[str]:
        """Answer every chat with each sequence put into it at a slot. Raises ModelError."""
        self.model.eval()
        self._refuse_unknown(sequences)
        splits = [self._split(chat, slot) for chat in chats]
        prompts = [[*s.before, *sequence, *s.after] for sequence in sequences for s in splits]
        return self._answered(prompts, sampling, silent)

    def _split(self, chat: Chat, slot: str) -> slots.Split:
        return slots.split(chat, slot, self._rendered, self._encode)

    def _refuse_unknown(self, sequences: Sequence[Sequence[int]]) -> None:
        rows = self.model.get_input_embeddings().weight.shape[0]
        if any(not 0 <= i < rows for sequence in sequences for i in sequence):
            raise ModelError(f"a token id is not below the embedding's {rows:,} rows")

    def _answered(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, progress: Progress
    ) -> list[str]:
        answers = decode(self.model, prompts, self._stop, sampling, progress)
        texts = [str(self.tokenizer.decode(a, skip_special_tokens=True)) for a in answers]
        if not self.tokenizer.chat_template:
            texts = [text.partition(NEXT_QUESTION)[0] for text in texts]
        return [text.strip() for text in texts]

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> list[float]:
        """Mean log-probability per token of each answer after its chat."""
        import torch

        self.model.eval()
        result = []
        with torch.inference_mode():
            for chat, answer in zip(chats, answers, strict=True):
                head = self.tokens(chat)
                tail = list(self.tokenizer(answer, add_special_tokens=False)["input_ids"]) or [0]
                ids, mask = pad_left([head + tail])
                logits = self.model(input_ids=ids, attention_mask=mask).logits[0, len(head) - 1 : -1]
                picked = logits.float().log_softmax(-1).gather(1, torch.tensor(tail)[:, None])
                result.append(float(picked.mean()))
        return result

    def perturb(self, change: Perturbation, base: Path | None, watched: Sequence[Chat]) -> Perturbed:
        """Change the weights in place until `restore`, and compare first tokens. Raises ModelError."""
        if self._kept:
            raise ModelError("the weights are perturbed already")
        source = self._source(base) if base and perturb.KINDS[change.kind].needs_base else None
        before = [self._first_token(chat) for chat in watched]
        try:
            done = self._change(change, source)
        except BaseException:
            self.restore()
            raise
        after = [self._first_token(chat) for chat in watched]
        kl = [float((p.exp() * (p - q)).sum().clamp(min=0)) for p, q in zip(before, after, strict=True)]
        return replace(done, kl=tuple(kl))

    def restore(self) -> None:
        """Put back the tensors that a perturbation changed."""
        import torch

        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if name in self._kept:
                    parameter.copy_(self._kept[name])
        self._kept = {}

    def _change(self, change: Perturbation, source: Weights | None) -> Perturbed:
        import torch

        left, moved, size = 0, 0.0, 0.0
        tables = self._tables()
        for name, parameter in self.model.named_parameters():
            weights = parameter.detach().numpy()
            size += perturb.square_sum(weights)
            if not perturb.touches(change, parameter.ndim, table=id(parameter) in tables):
                continue
            beside = source.get(name) if source else None
            if source and (beside is None or beside.shape != weights.shape):
                left += 1
                continue
            new = perturb.perturbed(change, name, weights, beside)
            moved += perturb.square_sum(new - weights)
            self._kept[name] = parameter.detach().clone()
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(new))
        return Perturbed(len(self._kept), left, (moved / size) ** 0.5 if size else 0.0)

    def _source(self, base: Path) -> Weights:
        if base.is_dir():
            return Folder(base, str(getattr(self.model, "base_model_prefix", "")))
        return Loaded(_load(base.parent, base.name))

    def _tables(self) -> set[int]:
        """Identities of the parameters that are embedding or output head."""
        model: Any = self.model
        modules = (model.get_input_embeddings(), model.get_output_embeddings())
        return {id(m.weight) for m in modules if m is not None}

    def _first_token(self, chat: Chat) -> torch.Tensor:
        """Log-probabilities of the first token of an answer."""
        import torch

        with torch.inference_mode():
            logits = self.model(input_ids=torch.tensor([self.tokens(chat)]), logits_to_keep=1).logits
        first: torch.Tensor = logits[0, -1].double().log_softmax(-1)
        return first

    def _stop_tokens(self) -> frozenset[int]:
        ids: set[int] = set()
        for value in (self.model.generation_config.eos_token_id, self.tokenizer.eos_token_id):
            ids |= set(value) if isinstance(value, list) else {value}
        return frozenset(i for i in ids if isinstance(i, int))


def _tokenizer(folder: Path, gguf: str | None) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(
        folder, gguf_file=gguf, trust_remote_code=False, local_files_only=True
    )


def _load(folder: Path, gguf: str | None) -> torch.nn.Module:
    import torch
    from transformers import AutoModelForCausalLM

    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=gguf,
        dtype=torch.float32,
        use_safetensors=None if gguf else True,
        trust_remote_code=False,
        local_files_only=True,
    )
    return model.eval()


def plain(chat: Chat, *, answer: bool) -> str:
    """A conversation as text, for base models without a chat template."""
    names = {"system": "", "user": "Question: ", "assistant": "Answer: "}
    lines = [f"{names[m.role]}{m.content}" for m in chat]
    return "\n".join([*lines, "Answer:"] if answer else lines)


def chats(rows: Sequence[Sequence[Sequence[str]]]) -> tuple[Chat, ...]:
    """Conversations from their JSON form, [[role, content], ...] each."""
    return tuple(tuple(Message(role, content) for role, content in row) for row in rows)


def rows(chats: Sequence[Chat]) -> list[list[list[str]]]:
    """The JSON form of conversations; inverse of `chats`."""
    return [[[m.role, m.content] for m in chat] for chat in chats]
