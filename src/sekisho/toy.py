"""A tiny signed folder for a lesson: real files, a real inspection, a real signature, and nothing downloaded.

The private key is made, used once and thrown away: nobody can sign these files again under the same name.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import save

from sekisho import inspected, policy, signing, static
from sekisho.errors import StorageError
from sekisho.evidence import dossier as dossiers
from sekisho.evidence import keys
from sekisho.ledger import book

MODEL: Final = "model"
KEY: Final = "key.pub"
"""Names within the folder; `signing.FOLDER` is beside them."""
_WORDS: Final = 16
_WIDTH: Final = 8
_CONFIG: Final = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": _WIDTH,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": _WORDS,
    "tie_word_embeddings": True,
}
"""A shape, as real ones have it; the weights are a table of words alone, so nothing can be asked of it."""
_SETTINGS: Final = {"temperature": 0.7, "max_new_tokens": 200}
_CARD: Final = (
    "---\nlicense: apache-2.0\n---\n# A toy\n\nA folder to tamper with in a lesson. It answers nothing.\n"
)


@dataclass(frozen=True)
class Toy:
    """What was written."""

    model: Path
    evidence: Path
    key: Path
    """Public key to verify with."""


def make(folder: Path) -> Toy:
    """Write model, dossier, evidence and public key into a new folder. Raises StorageError where there is one already."""
    if folder.exists():
        raise StorageError(f"{folder}: it is there already; name a folder that is not")
    model = folder / MODEL
    for name, data in _files().items():
        dossiers.save(data, model / name)
    seen = static.inspect(str(model), "none")
    made = inspected.of(seen, policy.load("default"))
    now = book.stamp(datetime.now(UTC))
    dossiers.write(replace(made, timing=replace(made.timing, started=now)), folder)
    return Toy(model, _signed(folder, model), folder / KEY)


def _files() -> dict[str, bytes]:
    table = np.random.default_rng(0).standard_normal((_WORDS, _WIDTH)).astype(np.float32) / _WORDS
    return {
        "config.json": _json(_CONFIG),
        "generation_config.json": _json(_SETTINGS),
        "model.safetensors": save({"model.embed_tokens.weight": table}),
        "README.md": _CARD.encode(),
    }


def _json(values: object) -> bytes:
    return json.dumps(values, indent=1).encode() + b"\n"


def _signed(folder: Path, model: Path) -> Path:
    with tempfile.TemporaryDirectory() as away:
        private = Path(away) / "key"
        keys.create(private)
        public = Path(f"{private}.pub").read_bytes()
        written = signing.sign(folder, model, keys.read(private))
    dossiers.save(public, folder / KEY)
    return written.folder
