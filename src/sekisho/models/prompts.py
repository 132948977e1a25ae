"""Vectors that stand before every input, as PEFT's prompt tuning saves them, on a model that is otherwise left as it is.

They become token ids beyond the table, which no text gives: the input table answers for them, the output head does not
know them. PEFT puts them before everything, begin token and chat template included, and so does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import ModelError
from sekisho.formats.vectors import SOFT_ROWS

if TYPE_CHECKING:
    import torch

KINDS: Final = frozenset({"PROMPT_TUNING", "P_TUNING", "CPT"})
"""Types of PEFT whose saved tensor is these vectors themselves."""
TENSOR: Final = "prompt_embeddings"
_IDS: Final = "soft_prompt_ids"
_MATRIX: Final = 2


def is_prompt(settings: Mapping[str, Any]) -> bool:
    """Whether an adapter is vectors before the input and nothing else."""
    return settings.get("peft_type") in KINDS


def read(path: Path) -> torch.Tensor:
    """The vectors of a PEFT folder, (count, width), in float32. Raises ModelError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            if list(file.keys()) != [TENSOR]:
                raise ModelError(f"{path.name}: a soft prompt holds {TENSOR} and nothing else")
            vectors: torch.Tensor = file.get_tensor(TENSOR).float()
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error
    if vectors.ndim != _MATRIX or not 0 < len(vectors) <= SOFT_ROWS:
        raise ModelError(f"{path.name}: a soft prompt is a matrix of 1 to {SOFT_ROWS} rows")
    return vectors


def lay(model: Any, vectors: torch.Tensor) -> Any:
    """The model with vectors for the ids beyond its table. Raises ModelError where they do not fit."""
    table = model.get_input_embeddings()
    rows, width = table.weight.shape
    if vectors.shape[1] != width:
        raise ModelError(f"the soft prompt is {vectors.shape[1]} wide, the model {width}")
    plain = table.forward

    def forward(tokens: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = plain(tokens.where(tokens < rows, 0))
        soft = vectors[(tokens - rows).clamp(min=0)]
        return found.where((tokens < rows)[..., None], soft.to(found.dtype))

    table.forward = forward
    setattr(model, _IDS, tuple(range(rows, rows + len(vectors))))
    return model


def ids(model: Any) -> tuple[int, ...]:
    """What a prompt begins with; nothing, unless vectors were laid before the model's inputs."""
    found: tuple[int, ...] = getattr(model, _IDS, ())
    return found
