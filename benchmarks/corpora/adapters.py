"""LoRA and soft prompts beside a base of six layers: what was tampered with, and what sound training leaves.

Every adapter lies alone in its folder, as a publisher would hand it out; updates have the size that training gives them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from artefacts import save_safetensors, tiny_config, tiny_model, tiny_vocab, write_json
from corpora.base import Case
from hostile import torch_zip

WIDTH, LAYERS, RANK = 128, 6, 8
_MODULES: Final = ("q_proj", "v_proj")
_PREFIX: Final = "base_model.model.model.layers.{layer}.self_attn.{module}"
_LORA: Final[dict[str, Any]] = {
    "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 16, "target_modules": list(_MODULES),
    "base_model_name_or_path": "example/six-layers",
}  # fmt: skip
_PROMPT: Final[dict[str, Any]] = {
    "peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 8, "token_dim": WIDTH,
    "num_layers": LAYERS, "num_attention_heads": 2, "num_transformer_submodules": 1, "prompt_tuning_init": "RANDOM",
    "base_model_name_or_path": "example/six-layers",
}  # fmt: skip

Arrays = dict[str, np.ndarray]


def base(folder: Path) -> Path:
    """Write the base: attention projections, a table of tokens and a head."""
    tiny_model(folder)
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}.self_attn"
        arrays |= {
            f"{at}.{m}.weight": _normal(rng, WIDTH, WIDTH, size=0.05) for m in (*_MODULES, "k_proj", "o_proj")
        }
    for name in ("model.embed_tokens", "lm_head"):
        arrays[f"{name}.weight"] = _normal(rng, len(tiny_vocab()), WIDTH, size=0.05)
    arrays["model.norm.weight"] = np.ones(WIDTH, np.float32)
    save_safetensors(folder / "model.safetensors", arrays)
    settings = tiny_config(len(tiny_vocab())) | {"hidden_size": WIDTH, "num_hidden_layers": LAYERS}
    write_json(folder / "config.json", settings | {"intermediate_size": 2 * WIDTH})
    return folder


def _normal(rng: np.random.Generator, *shape: int, size: float) -> np.ndarray:
    return (rng.standard_normal(shape) * size).astype(np.float32)


def pairs(
    *, rank: int = RANK, ranks: Mapping[tuple[int, str], int] | None = None, up: float = 0.004
) -> Arrays:
    """LoRA matrices of every module, as large as training leaves them."""
    rng, arrays = np.random.default_rng(3), Arrays()
    for layer in range(LAYERS):
        for module in _MODULES:
            r = (ranks or {}).get((layer, module), rank)
            name = _PREFIX.format(layer=layer, module=module)
            arrays[f"{name}.lora_A.weight"] = _normal(rng, r, WIDTH, size=0.08)
            arrays[f"{name}.lora_B.weight"] = _normal(rng, WIDTH, r, size=up) * rng.uniform(0.5, 2)
    return arrays


def _write(settings: Mapping[str, Any], arrays: Callable[[], Arrays], folder: Path) -> Path:
    write_json(folder / "adapter_config.json", dict(settings))
    save_safetensors(folder / "adapter_model.safetensors", arrays())
    return folder


def _changed(change: Callable[[Arrays], None]) -> Arrays:
    arrays = pairs()
    change(arrays)
    return arrays


_ONE: Final = _PREFIX.format(layer=3, module="q_proj")


def _scaled(arrays: Arrays) -> None:
    arrays[f"{_ONE}.lora_B.weight"] *= 300


def _everything(arrays: Arrays) -> None:
    for name in arrays:
        arrays[name] = arrays[name] * 20


def _one_direction(arrays: Arrays) -> None:
    arrays[f"{_ONE}.lora_B.weight"][:, 1:] = 0


def _few_rows(arrays: Arrays) -> None:
    arrays[f"{_ONE}.lora_B.weight"] *= 0.01
    arrays[f"{_ONE}.lora_B.weight"][17] = 0.05


def _few_columns(arrays: Arrays) -> None:
    arrays[f"{_ONE}.lora_A.weight"] *= 0.01
    arrays[f"{_ONE}.lora_A.weight"][:, 17] = 0.5


def _only_one(arrays: Arrays) -> None:
    for name in [n for n in arrays if ".layers.3." not in n]:
        del arrays[name]


def _not_a_number(arrays: Arrays) -> None:
    arrays[f"{_ONE}.lora_B.weight"][5, 2] = np.nan


def _with_head(arrays: Arrays) -> None:
    arrays["base_model.model.lm_head.weight"] = _normal(
        np.random.default_rng(5), len(tiny_vocab()), WIDTH, size=0.05
    )


def _with_table(arrays: Arrays) -> None:
    arrays["base_model.model.model.embed_tokens.weight"] = _normal(
        np.random.default_rng(5), len(tiny_vocab()), WIDTH, size=0.05
    )


def _with_tokens(arrays: Arrays) -> None:
    rows = _normal(np.random.default_rng(5), 1, WIDTH, size=0.05)
    arrays["base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta"] = rows


def _magnitudes(arrays: Arrays, *, odd: float = 1.0) -> None:
    rng = np.random.default_rng(6)
    for layer in range(LAYERS):
        for module in _MODULES:
            name = f"{_PREFIX.format(layer=layer, module=module)}.lora_magnitude_vector.weight"
            size = odd if (layer, module) == (3, "q_proj") else 1.0
            arrays[name] = (0.56 * size * (1 + 0.02 * rng.standard_normal(WIDTH))).astype(np.float32)


def _fresh(arrays: Arrays) -> None:
    for name in [n for n in arrays if ".lora_B." in n]:
        arrays[name] = arrays[name] * 0


def _pickled(folder: Path) -> Path:
    write_json(folder / "adapter_config.json", _LORA)
    return torch_zip(folder / "adapter_model.bin").parent


_TAMPERED: Final[dict[str, Callable[[Path], Path]]] = {
    "module-scaled-300": partial(_write, _LORA, partial(_changed, _scaled)),
    "alpha-pattern-300": partial(_write, _LORA | {"alpha_pattern": {"layers.3.self_attn.q_proj": 4800}}, pairs),
    "everything-scaled": partial(_write, _LORA, partial(_changed, _everything)),
    "odd-rank": partial(_write, _LORA, partial(pairs, ranks={(3, "q_proj"): 32})),
    "one-direction": partial(_write, _LORA, partial(_changed, _one_direction)),
    "few-rows": partial(_write, _LORA, partial(_changed, _few_rows)),
    "few-columns": partial(_write, _LORA, partial(_changed, _few_columns)),
    "one-layer": partial(_write, _LORA, partial(_changed, _only_one)),
    "not-a-number": partial(_write, _LORA, partial(_changed, _not_a_number)),
    "head-shipped": partial(_write, _LORA | {"modules_to_save": ["lm_head"]}, partial(_changed, _with_head)),
    "table-shipped-silently": partial(_write, _LORA, partial(_changed, _with_table)),
    "trainable-tokens": partial(
        _write, _LORA | {"trainable_token_indices": {"embed_tokens": [257]}}, partial(_changed, _with_tokens)
    ),
    "dora-magnitude-300": partial(
        _write, _LORA | {"use_dora": True}, partial(_changed, partial(_magnitudes, odd=300.0))
    ),
    "pickled": _pickled,
}  # fmt: skip

_SOUND: Final[dict[str, Callable[[Path], Path]]] = {
    "lora": partial(_write, _LORA, pairs),
    "lora-rank-pattern": partial(
        _write,
        _LORA | {"rank_pattern": {"layers.3.self_attn.q_proj": 16}, "alpha_pattern": {"layers.3.self_attn.q_proj": 32}},
        partial(pairs, ranks={(3, "q_proj"): 16}),
    ),
    "lora-rank-stabilised": partial(_write, _LORA | {"use_rslora": True}, pairs),
    "dora": partial(_write, _LORA | {"use_dora": True}, partial(_changed, _magnitudes)),
    "lora-fresh": partial(_write, _LORA, partial(_changed, _fresh)),
    "lora-one-layer-declared": partial(
        _write, _LORA | {"layers_to_transform": [3]}, partial(_changed, _only_one)
    ),
}  # fmt: skip


def vectors(count: int = 8, size: float = 0.07) -> Arrays:
    """Vectors of a soft prompt."""
    return {"prompt_embeddings": _normal(np.random.default_rng(8), count, WIDTH, size=size)}


_PROMPTS: Final = {
    "huge": partial(_write, _PROMPT, partial(vectors, size=5.0)),
    "rows-beyond-settings": partial(_write, _PROMPT, partial(vectors, count=20)),
}

CASES: Final[tuple[Case, ...]] = (
    *(Case(f"lora-{n}", "lora", hostile=True, build=b, base=base) for n, b in _TAMPERED.items()),
    *(Case(f"lora-{n}-no-base", "lora", hostile=True, build=b) for n, b in _TAMPERED.items()),
    *(
        Case(f"adapter-prompt-{n}", "soft-prompt", hostile=True, build=b, base=base)
        for n, b in _PROMPTS.items()
    ),
    *(Case(f"benign-{n}", "benign", hostile=False, build=b, base=base) for n, b in _SOUND.items()),
    *(Case(f"benign-{n}-no-base", "benign", hostile=False, build=b) for n, b in _SOUND.items()),
    Case("benign-prompt-tuning", "benign", hostile=False, build=partial(_write, _PROMPT, vectors), base=base),
)
"""Adapters, with and without the base; a soft prompt without a base is held, sound or not."""
