"""One clean tiny model built in code, and writers of the formats that models come in."""

import json
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

HIDDEN, LAYERS, HEADS, FEED_FORWARD = 16, 2, 2, 32
SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DTYPES: Final = {
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "uint8": "U8",
    "int8": "I8",
    "float64": "F64",
}

Arrays = dict[str, np.ndarray]


# --- a clean model ---------------------------------------------------------------------------------------------------


def tiny_model(folder: Path, *, seed: int = 0, shards: int = 1) -> Path:
    """Write a consistent llama-shaped model of 300 kB into a new folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _tiny_files(seed, shards).items():
        (folder / name).write_bytes(data)
    return folder


@cache
def _tiny_files(seed: int, shards: int) -> Mapping[str, bytes]:
    vocab = tiny_vocab()
    with TemporaryDirectory() as made:
        folder = Path(made)
        save_sharded(folder, tiny_arrays(seed), shards)
        write_json(folder / "config.json", tiny_config(len(vocab)))
        write_json(
            folder / "generation_config.json", {"bos_token_id": 256, "eos_token_id": 258, "pad_token_id": 258}
        )
        write_json(folder / "tokenizer.json", tiny_tokenizer(vocab))
        write_json(folder / "tokenizer_config.json", tiny_tokenizer_config())
        (folder / "README.md").write_text("# A tiny model\n\nFor tests.\n")
        (folder / "LICENSE").write_text("Apache License 2.0\n")
        (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def tiny_arrays(seed: int = 0) -> Arrays:
    """Weights of the tiny model, by tensor name."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.05).astype(np.float32)

    arrays: Arrays = {"model.embed_tokens.weight": normal(len(tiny_vocab()), HIDDEN)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}"
        arrays |= {f"{at}.self_attn.{x}_proj.weight": normal(HIDDEN, HIDDEN) for x in "qkvo"}
        arrays |= {f"{at}.mlp.{x}_proj.weight": normal(FEED_FORWARD, HIDDEN) for x in ("gate", "up")}
        arrays[f"{at}.mlp.down_proj.weight"] = normal(HIDDEN, FEED_FORWARD)
        arrays |= {
            f"{at}.{x}_layernorm.weight": np.ones(HIDDEN, np.float32) for x in ("input", "post_attention")
        }
    arrays["model.norm.weight"] = np.ones(HIDDEN, np.float32)
    arrays["lm_head.weight"] = normal(len(tiny_vocab()), HIDDEN)
    return arrays


def tiny_config(vocab_size: int) -> dict[str, Any]:
    """Return config.json of the tiny model."""
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "intermediate_size": FEED_FORWARD, "vocab_size": vocab_size, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "bos_token_id": 256, "eos_token_id": 258, "tie_word_embeddings": False, "dtype": "float32",
    }  # fmt: skip


def tiny_vocab() -> dict[str, int]:
    """Every byte as one token, then the special tokens."""
    return {symbol: i for i, symbol in enumerate((*_byte_symbols(), *SPECIAL))}


def tiny_tokenizer(vocab: Mapping[str, int]) -> dict[str, Any]:
    """Return tokenizer.json: byte-level BPE without merges."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": vocab[t], "content": t, **flags} for t in SPECIAL],
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": dict(vocab), "merges": [],
        },
    }  # fmt: skip


def tiny_tokenizer_config() -> dict[str, Any]:
    """Return tokenizer_config.json, in agreement with tokenizer.json."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 256, "chat_template": TEMPLATE,
        "added_tokens_decoder": {str(256 + i): {"content": t, **flags} for i, t in enumerate(SPECIAL)},
        "bos_token": SPECIAL[0], "eos_token": SPECIAL[2], "pad_token": SPECIAL[2], "clean_up_tokenization_spaces": False,
    }  # fmt: skip


def tiny_adapter(folder: Path, *, seed: int = 0, scale: float = 0.05, rank: int = 2) -> Path:
    """Write a LoRA over the attention of the tiny model into a new folder and return the folder."""
    rng = np.random.default_rng(1000 + seed)
    arrays: Arrays = {}
    for layer in range(LAYERS):
        at = f"base_model.model.model.layers.{layer}.self_attn"
        for x in "qv":
            arrays[f"{at}.{x}_proj.lora_A.weight"] = (rng.standard_normal((rank, HIDDEN)) * scale).astype(
                np.float32
            )
            arrays[f"{at}.{x}_proj.lora_B.weight"] = (rng.standard_normal((HIDDEN, rank)) * scale).astype(
                np.float32
            )
    folder.mkdir(parents=True, exist_ok=True)
    save_safetensors(folder / "adapter_model.safetensors", arrays)
    write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "example/tiny", "revision": None,
            "r": rank, "lora_alpha": 2 * rank, "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj", "v_proj"],
            "inference_mode": True, "fan_in_fan_out": False, "modules_to_save": None, "init_lora_weights": True,
        },
    )  # fmt: skip
    return folder


def _byte_symbols() -> tuple[str, ...]:
    """The printable stand-ins of the 256 bytes that byte-level BPE uses."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return tuple(chr(b) if b in printable else chr(next(spare)) for b in range(256))


# --- writers ---------------------------------------------------------------------------------------------------------


def write_json(path: Path, document: object) -> None:
    """Write a document as JSON."""
    path.write_text(json.dumps(document))  # without an indent: the encoder in C


def edit_json(path: Path, **changes: object) -> None:
    """Set top-level keys of a JSON file."""
    write_json(path, json.loads(path.read_text()) | changes)


def save_safetensors(
    path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays as one safetensors file."""
    header: dict[str, Any] = {"__metadata__": dict(metadata or {"format": "pt"})}
    at = 0
    for name, array in arrays.items():
        spans = [at, at := at + array.nbytes]
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": spans}
    path.write_bytes(
        safetensors_bytes(json.dumps(header).encode(), b"".join(a.tobytes() for a in arrays.values()))
    )


def save_sharded(folder: Path, arrays: Mapping[str, np.ndarray], shards: int) -> None:
    """Write arrays as one file, or as numbered shards with their index."""
    if shards == 1:
        save_safetensors(folder / "model.safetensors", arrays)
        return
    names = list(arrays)
    where: dict[str, str] = {}
    for i in range(shards):
        file, part = f"model-{i + 1:05}-of-{shards:05}.safetensors", names[i::shards]
        save_safetensors(folder / file, {name: arrays[name] for name in part})
        where |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": sum(a.nbytes for a in arrays.values())}, "weight_map": where}
    write_json(folder / "model.safetensors.index.json", index)


def safetensors_bytes(header: bytes, data: bytes, *, claimed: int | None = None) -> bytes:
    """Put a header, whatever it is, before data."""
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header + data


def gguf_bytes(*, version: int = 3, keys: bytes = b"", key_count: int = 0, tensors: bytes = b"", tensor_count: int = 0,
               data: bytes = b"") -> bytes:  # fmt: skip
    """Put a GGUF file together from parts made by `gguf_text` and `gguf_tensor`."""
    header = b"GGUF" + struct.pack("<IQQ", version, tensor_count, key_count) + keys + tensors
    return header + bytes(-len(header) % 32) + data


def gguf_text(key: str, value: str) -> bytes:
    """One key-value pair of type string."""
    return _counted(key) + struct.pack("<I", 8) + _counted(value)


def gguf_tensor(name: str, shape: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0) -> bytes:
    """One entry of the tensor directory; kind 0 is F32."""
    return _counted(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def tiny_gguf() -> bytes:
    """A clean GGUF file of two tensors."""
    tensors = gguf_tensor("a") + gguf_tensor("b", offset=32)
    keys = gguf_text("general.architecture", "llama") + gguf_text("general.name", "tiny")
    return gguf_bytes(keys=keys, key_count=2, tensors=tensors, tensor_count=2, data=bytes(64))


def _counted(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
