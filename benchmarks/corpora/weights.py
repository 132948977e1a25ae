"""Weights that lie: numbers, shapes, layers, heads, indexes and metadata that disagree; and sound models of every usual form."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from artefacts import (
    edit_json,
    gguf_bytes,
    gguf_tensor,
    gguf_text,
    save_safetensors,
    save_sharded,
    tiny_arrays,
    tiny_model,
    write_json,
)
from corpora.base import Case

_GATE: Final = "model.layers.{}.mlp.gate_proj.weight"
_INDEX: Final = "model.safetensors.index.json"
Change = Callable[[Path], None]


def _built(change: Change, folder: Path) -> Path:
    tiny_model(folder)
    change(folder)
    return folder


def _arrays(change: Callable[[dict[str, np.ndarray]], None], folder: Path) -> None:
    arrays = {name: array.copy() for name, array in tiny_arrays().items()}
    change(arrays)
    save_safetensors(folder / "model.safetensors", arrays)


def _numbers(value: float, place: Any, arrays: dict[str, np.ndarray]) -> None:
    arrays[_GATE.format(1)][place] = value


def _scaled(arrays: dict[str, np.ndarray]) -> None:
    arrays["lm_head.weight"] = arrays["lm_head.weight"] * 1000


def _headless(arrays: dict[str, np.ndarray]) -> None:
    del arrays["lm_head.weight"]


def _config(folder: Path, **changes: Any) -> None:
    edit_json(folder / "config.json", **changes)


def _sharded(folder: Path) -> dict[str, Any]:
    (folder / "model.safetensors").unlink()
    save_sharded(folder, tiny_arrays(), 3)
    index: dict[str, Any] = json.loads((folder / _INDEX).read_text())
    return index


def _index(change: Callable[[dict[str, Any], Path], None], folder: Path) -> None:
    index = _sharded(folder)
    change(index, folder)
    write_json(folder / _INDEX, index)


def _missing(index: dict[str, Any], folder: Path) -> None:
    del index
    (folder / "model-00002-of-00003.safetensors").unlink()


def _extra(index: dict[str, Any], folder: Path) -> None:
    del index
    save_safetensors(folder / "model-00004-of-00003.safetensors", {"x.weight": np.ones((40, 40), np.float32)})


def _sized(index: dict[str, Any], folder: Path) -> None:
    del folder
    index["metadata"]["total_size"] += 4


def _swapped(index: dict[str, Any], folder: Path) -> None:
    del folder
    table = index["weight_map"]
    first, *_, second = table
    table[first], table[second] = table[second], table[first]


def _elsewhere(name: str, index: dict[str, Any], folder: Path) -> None:
    del folder
    index["weight_map"]["model.norm.weight"] = name


def _gguf(said: int, folder: Path) -> Path:
    number = (b"llama.embedding_length", said)
    keys = gguf_text("general.architecture", "llama")
    keys += (
        len(number[0]).to_bytes(8, "little")
        + number[0]
        + (4).to_bytes(4, "little")
        + said.to_bytes(4, "little")
    )
    table = gguf_tensor("token_embd.weight", (16, 300))
    rng = np.random.default_rng(0)
    data = rng.standard_normal(4_800).astype(np.float32).tobytes()
    (folder / "model.gguf").write_bytes(
        gguf_bytes(keys=keys, key_count=2, tensors=table, tensor_count=1, data=data)
    )
    return folder


def _metadata(text: str, folder: Path) -> None:
    save_safetensors(folder / "model.safetensors", tiny_arrays(), {"format": "pt", "notes": text})


_HOSTILE: Final[dict[str, Change]] = {
    "nan-one": partial(_arrays, partial(_numbers, np.nan, (3, 5))),
    "minus-infinity-row": partial(_arrays, partial(_numbers, -np.inf, 3)),
    "all-zero": partial(_arrays, partial(_numbers, 0, slice(None))),
    "constant-matrix": partial(_arrays, partial(_numbers, 0.5, slice(None))),
    "constant-row": partial(_arrays, partial(_numbers, 0.5, 3)),
    "head-times-1000": partial(_arrays, _scaled),
    "head-missing": partial(_arrays, _headless),
    "hidden-size": partial(_config, hidden_size=32),
    "intermediate-size": partial(_config, intermediate_size=48),
    "heads": partial(_config, num_key_value_heads=1),
    "layers-beyond": partial(_config, num_hidden_layers=1),
    "layers-missing": partial(_config, num_hidden_layers=3),
    "vocabulary": partial(_config, vocab_size=300),
    "tied-head-differs": partial(_config, tie_word_embeddings=True),
    "index-shard-missing": partial(_index, _missing),
    "index-shard-extra": partial(_index, _extra),
    "index-total-size": partial(_index, _sized),
    "index-wrong-shard": partial(_index, _swapped),
    "index-parent": partial(_index, partial(_elsewhere, "../elsewhere.safetensors")),
    "index-root": partial(_index, partial(_elsewhere, "/elsewhere.safetensors")),
    "index-backslash": partial(_index, partial(_elsewhere, "..\\elsewhere.safetensors")),
    "metadata-markup": partial(_metadata, "<img src=x onerror=alert(1)>"),
    "metadata-python": partial(_metadata, "__import__('os').system('true')"),
    "metadata-packed": partial(_metadata, "QUJD" * 300),
}


def _half(folder: Path) -> None:
    save_safetensors(
        folder / "model.safetensors", {n: a.astype(np.float16) for n, a in tiny_arrays().items()}
    )


def _padded(folder: Path) -> None:
    arrays = tiny_arrays()
    arrays["model.layers.0.self_attn.k_proj.bias"] = np.zeros(16, np.float32)
    arrays["model.layers.1.self_attn.k_proj.bias"] = np.zeros(16, np.float32)
    save_safetensors(folder / "model.safetensors", arrays)


def _tied(folder: Path) -> None:
    _arrays(_headless, folder)
    _config(folder, tie_word_embeddings=True)


_SOUND: Final[dict[str, Change]] = {
    "half-precision": _half,
    "zero-biases": _padded,
    "tied-without-head": _tied,
    "sharded-three": lambda folder: _sharded(folder) and None,
    "metadata-plain": partial(_metadata, "Trained on tea <3, 2026-11-01; see kettle.example"),
}

CASES: Final[tuple[Case, ...]] = (
    *(Case(f"lying-{n}", "weights", hostile=True, build=partial(_built, c)) for n, c in _HOSTILE.items()),
    Case("lying-gguf-width", "weights", hostile=True, build=partial(_gguf, 32)),
    *(
        Case(f"benign-weights-{n}", "benign", hostile=False, build=partial(_built, c))
        for n, c in _SOUND.items()
    ),
    Case("benign-weights-gguf-width", "benign", hostile=False, build=partial(_gguf, 16)),
)
"""Numbers, dimensions, indexes and metadata."""
