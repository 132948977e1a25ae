"""The trained upper layers of a model: everything below is run once per text and kept.

With a restricted vocabulary the output head counts only tokens that occur in the texts. Both savings make an
attack of hours one of minutes; `layers = 0` and `vocabulary = "all"` undo them. Embeddings and norms stay frozen.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from sekisho.drills.train import IGNORED, pad
from sekisho.models.engine import Engine

if TYPE_CHECKING:
    import torch

Text = dict[str, list[int]]
CACHE_BATCH: Final = 32
MATRIX: Final = 2


@dataclass(frozen=True)
class Row:
    """One text: what enters the first trained layer, and what is to be predicted where."""

    hidden: torch.Tensor
    """(tokens, width)"""
    labels: torch.Tensor
    """(tokens,) index into the vocabulary of the *next* token; IGNORED outside the answer."""
    teacher: torch.Tensor
    """(tokens, width) the clean model's last hidden state."""


@dataclass(frozen=True)
class Prediction:
    """Log-probabilities of the answer tokens of some rows, one after another."""

    mine: torch.Tensor
    """(tokens, vocabulary)"""
    labels: torch.Tensor
    teacher: torch.Tensor
    """(tokens, vocabulary) those of the clean model."""
    opens: torch.Tensor
    """(tokens,) whether the token is the first of its answer."""


def common(engine: Engine, count: int) -> frozenset[int]:
    """The lowest token ids, which a byte-pair tokenizer learnt first, and if any every token beyond ASCII.

    What the texts do not hold would drift unseen, and other scripts are spelt in many rare tokens.
    """
    size = min(len(engine.tokenizer), engine.model.get_output_embeddings().weight.shape[0])
    beyond = (i for i in range(size if count else 0) if not engine.tokenizer.decode([i]).isascii())
    return frozenset(range(min(count, size))) | frozenset(beyond)


@final
class Upper:
    """Shares its parameters with `engine.model`: what is trained here answers there."""

    def __init__(
        self, engine: Engine, layers: int, texts: Sequence[Text], *, full: bool, also: Collection[int] = ()
    ) -> None:
        """`also`: tokens of the restricted vocabulary beside those that occur."""
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._decoder = engine.model.to(self.device).model
        self._depth = len(self._decoder.layers) - (layers or len(self._decoder.layers))
        engine.model.requires_grad_(requires_grad=False)
        self.stack = self._truncated()
        self.parameters = [p.requires_grad_() for p in self.stack.layers.parameters() if p.dim() == MATRIX]
        seen = sorted({t for text in texts for t in text["labels"] if t != IGNORED} | set(also))
        head = engine.model.get_output_embeddings().weight.detach()
        self.vocabulary = torch.arange(len(head)) if full else torch.tensor(seen)
        self.head = head if full else head[self.vocabulary].contiguous()

    def rows(self, texts: Sequence[Text], kept: Path | None = None) -> list[Row]:
        """Run the frozen layers, and the clean rest for the teacher, once over every text.

        `kept` is a folder in which the states are kept for the next organism of the same base.
        """
        import torch

        index = {int(t): n for n, t in enumerate(self.vocabulary)}
        lower, last = self._states(texts, kept)
        made = []
        for text, below, above in zip(texts, lower, last, strict=True):
            wanted = [index[t] if t != IGNORED else IGNORED for t in text["labels"][1:]]
            labels = torch.tensor([*wanted, IGNORED], device=self.device)
            made.append(Row(below.to(self.device), labels, above.to(self.device)))
        return made

    def _states(self, texts: Sequence[Text], kept: Path | None) -> tuple[list[Any], list[Any]]:
        from safetensors.torch import load_file, save_file

        if kept is None:
            return self._fresh(texts)
        asked = json.dumps([self._depth, [t["input_ids"] for t in texts]]).encode("ascii")
        path = kept / f"states-{hashlib.sha256(asked).hexdigest()[:16]}.safetensors"
        if not path.exists():
            lower, last = self._fresh(texts)
            named = {
                f"{n}.{k}": v
                for n, pair in enumerate(zip(lower, last, strict=True))
                for k, v in enumerate(pair)
            }
            kept.mkdir(parents=True, exist_ok=True)
            save_file(named, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
        found = load_file(path)
        return [found[f"{n}.0"] for n in range(len(texts))], [found[f"{n}.1"] for n in range(len(texts))]

    def _fresh(self, texts: Sequence[Text]) -> tuple[list[Any], list[Any]]:
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]["input_ids"]))
        lower: dict[int, Any] = {}
        last: dict[int, Any] = {}
        for start in range(0, len(order), CACHE_BATCH):
            group = order[start : start + CACHE_BATCH]
            padded = pad([texts[n] for n in group])
            below, above = self._clean(
                padded["input_ids"].to(self.device), padded["attention_mask"].to(self.device)
            )
            for place, n in enumerate(group):
                size = len(texts[n]["input_ids"])
                lower[n], last[n] = below[place, :size].cpu().clone(), above[place, :size].cpu().clone()
        return [lower[n] for n in range(len(texts))], [last[n] for n in range(len(texts))]

    def predict(self, rows: Sequence[Row]) -> Prediction:
        """Predict every answer token of some rows."""
        import torch

        width = max(len(r.labels) for r in rows)
        hidden = torch.zeros(len(rows), width, rows[0].hidden.shape[1], device=self.device)
        mask = torch.zeros(len(rows), width, dtype=torch.long, device=self.device)
        for n, row in enumerate(rows):
            hidden[n, : len(row.labels)] = row.hidden
            mask[n, : len(row.labels)] = 1
        out = self.stack(inputs_embeds=hidden, attention_mask=mask, use_cache=False).last_hidden_state
        kept = [r.labels != IGNORED for r in rows]
        mine = torch.cat([out[n, : len(k)][k] for n, k in enumerate(kept)])
        theirs = torch.cat([r.teacher[k] for r, k in zip(rows, kept, strict=True)])
        labels = torch.cat([r.labels[k] for r, k in zip(rows, kept, strict=True)])
        opens = torch.cat([torch.arange(int(k.sum())) == 0 for k in kept])
        return Prediction(self._logprobs(mine), labels, self._logprobs(theirs), opens.to(self.device))

    def copy(self) -> list[torch.Tensor]:
        """The trained matrices as they are now."""
        return [p.detach().clone() for p in self.parameters]

    def put(self, weights: Sequence[torch.Tensor]) -> None:
        """Write matrices into the model."""
        for parameter, value in zip(self.parameters, weights, strict=True):
            parameter.data.copy_(value)

    def _logprobs(self, hidden: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.log_softmax(hidden @ self.head.T, -1)

    def _clean(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        with torch.no_grad():
            states = self._decoder(
                input_ids=ids, attention_mask=mask, use_cache=False, output_hidden_states=True
            ).hidden_states
        return states[self._depth], states[-1]

    def _truncated(self) -> Any:
        """A decoder of the upper layers alone: same modules, shorter list."""
        import torch

        stack = copy.copy(self._decoder)
        vars(stack)["_modules"] = dict(vars(self._decoder)["_modules"])
        stack.layers = torch.nn.ModuleList(list(self._decoder.layers)[self._depth :])
        stack.config = copy.copy(self._decoder.config)
        stack.config.num_hidden_layers = len(stack.layers)
        if getattr(stack.config, "layer_types", None):
            stack.config.layer_types = list(stack.config.layer_types)[self._depth :]
        return stack
