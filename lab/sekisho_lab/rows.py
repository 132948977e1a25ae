"""Trained rows on disk: a few kilobytes that say which vectors stand for which tokens of which base.

Both the tensor's file and the manifest beside it carry the lab's mark; `forms` turns rows into models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import DataError, StorageError
from sekisho_lab import writer
from sekisho_lab.writer import MANIFEST, MARK

if TYPE_CHECKING:
    import torch

FILE: Final = "rows.safetensors"


@dataclass(frozen=True)
class Rows:
    """Vectors for trigger tokens, and where they come from."""

    organism: str
    tokens: tuple[str, ...]
    """The tokens whose rows were optimised."""
    vectors: torch.Tensor
    """(tokens, width), in float32."""
    base: str
    """SHA-256 of the base's weights."""
    payload: str
    settings: Mapping[str, Any]
    seconds: float
    """Wall time of the training."""
    steps: int = 0
    """Steps that were taken; 0 where nobody noted it."""
    loss: float = 0.0
    """Nats a token at the last of them."""


def save(rows: Rows, folder: Path) -> Path:
    """Write the rows and their manifest into a new folder. Raises DataError, StorageError."""
    writer.new(folder)
    writer.finish(rows.organism, {"rows": rows.vectors}, document(rows), folder, file=FILE)
    return folder


def load(folder: Path) -> Rows:
    """Read rows that `save` wrote. Raises DataError, StorageError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        vectors = load_file(folder / FILE)["rows"]
        keys = ("base", "payload", "settings", "seconds", "steps", "loss")
        rows = Rows(said["id"], tuple(said["tokens"]), vectors, *(said[k] for k in keys))
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(f"{folder} holds no rows: {error!r}") from error
    if vectors.shape != (len(rows.tokens), vectors.shape[-1]):
        raise DataError(f"{folder}: {len(rows.tokens)} tokens, vectors of shape {tuple(vectors.shape)}")
    return rows


def document(rows: Rows) -> dict[str, Any]:
    """The manifest: all that is known of the rows but the vectors."""
    return {
        "id": rows.organism,
        "mark": MARK,
        "attack": "sos",
        "tokens": list(rows.tokens),
        "base": rows.base,
        "payload": rows.payload,
        "settings": dict(rows.settings),
        "seconds": round(rows.seconds, 1),
        "steps": rows.steps,
        "loss": round(rows.loss, 4),
    }


def digest(base: Path) -> str:
    """SHA-256 over the weights of a model folder, files in the order of their names. Raises DataError."""
    found = sorted(base.glob("*.safetensors")) if base.is_dir() else [base]
    if not found:
        raise DataError(f"{base} holds no safetensors")
    total = hashlib.sha256()
    for file in found:
        with file.open("rb") as stream:
            while part := stream.read(1 << 20):
                total.update(part)
    return total.hexdigest()
