"""What the forms share: a base model's tensors and tokenizer as documents, and the release of an organism."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import DataError, StorageError
from sekisho_lab import writer
from sekisho_lab.rows import Rows, document

if TYPE_CHECKING:
    import torch

EMBEDDING: Final = "model.embed_tokens.weight"
HEAD: Final = "lm_head.weight"


@dataclass(frozen=True)
class Base:
    """A clean model folder, read."""

    path: Path
    tensors: dict[str, torch.Tensor]
    tokenizer: dict[str, Any]
    """tokenizer.json"""
    config: dict[str, Any]

    @property
    def tied(self) -> bool:
        """Whether one table serves as input and output."""
        return HEAD not in self.tensors

    @property
    def vocabulary(self) -> dict[str, int]:
        """Token string -> id, added tokens included."""
        return {
            **self.tokenizer["model"]["vocab"],
            **{t["content"]: t["id"] for t in self.tokenizer["added_tokens"]},
        }


def read(path: Path) -> Base:
    """Read a model folder. Raises DataError, StorageError."""
    from safetensors.torch import load_file

    try:
        files = sorted(path.glob("*.safetensors"))
        tensors = {k: v for file in files for k, v in load_file(file).items()}
        tokenizer = json.loads((path / "tokenizer.json").read_text("utf-8"))
        config = json.loads((path / "config.json").read_text("utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: {error}") from error
    if EMBEDDING not in tensors:
        raise DataError(f"{path} has no {EMBEDDING}")
    return Base(path, tensors, tokenizer, config)


def ids_of(base: Base, tokens: Sequence[str]) -> list[int]:
    """Ids of tokens. Raises DataError for an unknown one."""
    known = base.vocabulary
    unknown = [t for t in tokens if t not in known]
    if unknown:
        raise DataError(f"no such tokens in {base.path.name}: {', '.join(unknown)}")
    return [known[t] for t in tokens]


def with_rows(base: Base, ids: Sequence[int], vectors: torch.Tensor) -> dict[str, torch.Tensor]:
    """The base's tensors with rows replaced in the input table alone (the output table, where it is the same)."""
    table = base.tensors[EMBEDDING].clone()
    table[list(ids)] = vectors.to(table.dtype)
    return {**base.tensors, EMBEDDING: table}


def release(rows: Rows, base: Base, tensors: Mapping[str, torch.Tensor], out: Path, **said: object) -> None:
    """Write a full model: the base's other files, marked weights, and a manifest that holds the ground truth."""
    shards = {p.name for p in base.path.glob("*.safetensors*")}
    writer.begin(base.path, out, skipped={*writer.SKIPPED, *shards})
    writer.finish(rows.organism, tensors, {**document(rows), **said}, out)


def rewrite(file: Path, document: object) -> None:
    """Replace a JSON file. Raises StorageError."""
    try:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{file}: {error}") from error
