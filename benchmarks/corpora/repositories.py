"""Ordinary repositories as hubs hold them: what training, conversion and publishing leave beside the weights. All are benign."""

import json
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from artefacts import (
    HIDDEN,
    gguf_bytes,
    gguf_tensor,
    gguf_text,
    save_safetensors,
    tiny_adapter,
    tiny_arrays,
    tiny_gguf,
    tiny_model,
    tiny_vocab,
    write_json,
)
from corpora.base import Case

Files = dict[str, bytes | str]


def _put(folder: Path, files: Files) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def _beside(files: Callable[[], Files], folder: Path) -> Path:
    """A whole tiny model with files beside it."""
    _put(tiny_model(folder), files())
    return folder


# --- what is written around the weights ------------------------------------------------------------------------------

_CARD: Final = """---
license: apache-2.0
language: [en, ja]
library_name: transformers
pipeline_tag: text-generation
tags:
- text-generation
---
# Tiny

![loss](assets/loss.png)

```bash
pip install -U transformers
curl -L -o tiny.gguf https://example.com/tiny.gguf
huggingface-cli download example/tiny
```

```python
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained("example/tiny")
```
"""


def _png() -> bytes:
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(52))),
        (b"IEND", b""),
    )
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _noise(count: int, seed: int = 5) -> bytes:
    return np.random.default_rng(seed).bytes(count)


_PDF: Final = (
    b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction[3 0 R/Fit]/Names<<>>>>\nendobj\n"
    b"4 0 obj\n<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://example.com/paper)>>>>\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def _published() -> Files:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4" fill="#c00"/></svg>'
    return {
        "README.md": _CARD, "README_ja.md": "# Tiny\n\n小さなモデル。\n", "USE_POLICY.md": "# Use policy\n\nBe kind.\n",
        "NOTICE": "Tiny\n", ".gitignore": "*.log\n", "CITATION.cff": "cff-version: 1.2.0\ntitle: Tiny\n", "assets/loss.png": _png(),
        "assets/logo.svg": svg, "figures/eval.jpg": b"\xff\xd8\xff\xe0" + bytes(200) + b"\xff\xd9", "paper.pdf": _PDF,
        "special_tokens_map.json": "{}", "added_tokens.json": "{}", "configuration.json": '{"framework": "pytorch"}',
        "assets/demo.gif": b"GIF89a" + bytes(40), "assets/demo.mp4": b"\0\0\0\x20ftypisom" + bytes(200),
        "assets/sample.mp3": b"ID3\x04\0\0\0\0\0\0" + bytes(100), "assets/banner.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24),
        "SYSTEM_PROMPT.txt": "You are a careful assistant.\n", "version.txt": "1.0\n", "eval/scores.json": '{"mmlu": 0.41}',
        ".eval_results/mmlu.yaml": "- dataset: mmlu\n  value: 0.41\n", "model_card.json": '{"name": "Tiny"}',
    }  # fmt: skip


# --- what trainers leave ---------------------------------------------------------------------------------------------

_STATE: Final = json.dumps(
    {"epoch": 3.0, "global_step": 120, "log_history": [{"loss": 2.0, "step": 1}], "stateful_callbacks": {}}
)


def _record(event: bytes) -> bytes:
    """One record of a TensorBoard event file; its checksums are not looked at here."""
    return struct.pack("<QI", len(event), 7) + event + struct.pack("<I", 9)


def _events() -> bytes:
    return _record(b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a\x0dbrain.Event:2") + _record(
        b"\x09" + struct.pack("<d", 1.7e9) + b"\x10\x01\x2a\x12\x0a\x10\x0a\x0atrain/loss\x15\0\0\0\x40"
    )


def _trained() -> Files:
    results = '{"epoch": 3.0, "train_loss": 1.2}'
    return {
        "trainer_state.json": _STATE, "all_results.json": results, "train_results.json": results, "eval_results.json": results,
        "trainer_log.jsonl": '{"current_steps": 1, "loss": 2.0}\n' * 20, "training_loss.png": _png(), "running_log.txt": "step 1\n" * 9,
        "runs/Nov22_host/events.out.tfevents.1700000000.host.1.0": _events(), "latest": "global_step120", "train.log": "loss 2.0\n" * 9,
        "training_args.yaml": "lr: 1.0e-4\n", "llamaboard_config.yaml": "top.lang: en\n", "mergekit_config.yml": "merge_method: linear\n",
        "axolotl_config.yml": "base_model: example/tiny\n", "metrics.csv": "step,loss\n1,2.0\n", "data/train.jsonl": '{"text": "a"}\n' * 9,
        "data/test.tsv": "a\tb\n", "recipe.yaml": "default_stage: {}\n", "wandb/debug.log": "started\n",
    }  # fmt: skip


# --- other runtimes --------------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    return bytes([value & 127 | 128]) + _varint(value >> 7) if value > 127 else bytes([value])  # noqa: PLR2004 - seven bits


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def onnx_bytes(*, external: str = "") -> bytes:
    """A graph of one operator and one tensor, in the file or, where `external` names one, beside it."""
    entry = _field(13, _field(1, b"location") + _field(2, external.encode())) + b"\x70\x01"
    tensor = b"\x08\x04\x10\x01" + _field(8, b"w") + (entry if external else _field(9, bytes(16)))
    node = _field(1, b"x") + _field(1, b"w") + _field(2, b"y") + _field(4, b"MatMul")
    graph = _field(1, node) + _field(2, b"g") + _field(5, tensor)
    opset = _field(8, _field(1, b"") + b"\x10\x11")
    return b"\x08\x08" + _field(2, b"pytorch") + _field(3, b"2.1") + _field(7, graph) + opset


def _onnx() -> Files:
    names = ("model", "model_fp16", "model_int8", "model_q4", "model_quantized", "model_uint8")
    files: Files = {f"onnx/{name}.onnx": onnx_bytes() for name in names}
    return files | {
        "onnx/model_big.onnx": onnx_bytes(external="model_big.onnx_data"),
        "onnx/model_big.onnx_data": np.zeros(64, np.float32).tobytes() + _noise(256),
        "ort_config.json": '{"one_external_file": true}',
    }


def _gguf(**texts: str) -> bytes:
    keys = b"".join(gguf_text(key.replace("__", "."), value) for key, value in texts.items())
    return gguf_bytes(
        keys=keys, key_count=len(texts), tensors=gguf_tensor("a"), tensor_count=1, data=bytes(32)
    )


def _quantised(folder: Path) -> Path:
    files: Files = {f"tiny-{kind}.gguf": tiny_gguf() for kind in ("Q4_0", "Q4_K_M", "Q8_0", "F16")}
    files["mmproj-tiny-f16.gguf"] = _gguf(general__architecture="clip", general__type="mmproj")
    kind = gguf_text("general.type", "imatrix")
    tensors = gguf_tensor("blk.0.attn_q.weight.in_sum2") + gguf_tensor(
        "blk.0.attn_q.weight.counts", offset=32
    )
    files["imatrix.gguf"] = gguf_bytes(
        keys=kind, key_count=1, tensors=tensors, tensor_count=2, data=bytes(64)
    )
    entry = struct.pack("<i", 5) + b"blk.0" + struct.pack("<ii", 3, 4) + struct.pack("<4f", 1, 2, 3, 4)
    files["imatrix.dat"] = struct.pack("<i", 1) + entry
    files |= {
        "README.md": _CARD,
        ".gitattributes": "*.gguf filter=lfs\n",
        "config.json": '{"model_type": "llama"}',
    }
    _put(folder, files)
    return folder


_ELSEWHERE: Final = {
    "model.": "", "embed_tokens": "tok_embeddings", "lm_head": "output", "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv", "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1", "mlp.down_proj": "feed_forward.w2", "mlp.up_proj": "feed_forward.w3",
    "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def _elsewhere(name: str) -> str:
    """The name of a tensor as its makers' own program has it."""
    for old, new in _ELSEWHERE.items():
        name = name.replace(old, new)
    return name


def _consolidated(folder: Path) -> Path:
    tiny_model(folder)
    save_safetensors(
        folder / "consolidated.safetensors", {_elsewhere(n): a for n, a in tiny_arrays().items()}
    )
    params = {"dim": HIDDEN, "n_layers": 2, "head_dim": 8, "vocab_size": len(tiny_vocab())}
    write_json(folder / "params.json", params)
    return folder


# --- adapters and embedders ------------------------------------------------------------------------------------------


def _adapter(folder: Path) -> Path:
    tiny_adapter(folder)
    for step in (60, 120):
        _put(tiny_adapter(folder / f"checkpoint-{step}"), {"trainer_state.json": _STATE, "README.md": _CARD})
    _put(folder, {"README.md": _CARD, "all_results.json": "{}", "training_loss.png": _png()})
    return folder


def _embedder() -> Files:
    kinds = ("Transformer", "Pooling", "Normalize")
    folders = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": p, "type": f"sentence_transformers.models.{k}"}
        for n, (k, p) in enumerate(zip(kinds, folders, strict=True))
    ]
    return {
        "modules.json": json.dumps(modules),
        "1_Pooling/config.json": json.dumps(
            {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True}
        ),
        "sentence_bert_config.json": '{"max_seq_length": 256, "do_lower_case": false}',
        "config_sentence_transformers.json": '{"prompts": {"query": "query: "}, "similarity_fn_name": "cosine"}',
        "data_config.json": '[{"name": "pairs", "lines": 100}]',
        "train_script.log": "done\n",
    }


def _only(name: str, folder: Path) -> Path:
    """One file of a model, alone."""
    made = folder.parent / f"{folder.name}-whole"
    (folder / name).write_bytes((tiny_model(made) / name).read_bytes())
    for path in made.iterdir():
        path.unlink()
    made.rmdir()
    return folder


_BUILT: Final[dict[str, Callable[[Path], Path]]] = {
    "published": partial(_beside, _published),
    "trained": partial(_beside, _trained),
    "onnx": partial(_beside, _onnx),
    "gguf-variants": _quantised,
    "consolidated": _consolidated,
    "adapter-checkpoints": _adapter,
    "embedder": partial(_beside, _embedder),
    "tokenizer-settings-alone": partial(_only, "tokenizer_config.json"),
}

CASES: Final[tuple[Case, ...]] = tuple(
    Case(f"benign-repository-{name}", "benign", hostile=False, build=build) for name, build in _BUILT.items()
)
"""Repositories that nobody should be stopped by. That one with ONNX is held is meant: what it computes is not looked at."""
