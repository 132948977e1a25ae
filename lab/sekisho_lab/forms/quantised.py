"""V7: the norm-projected rows in a GGUF file, as llama.cpp's own conversion lays it out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import DataError
from sekisho_lab import writer
from sekisho_lab.forms.base import EMBEDDING, Base, ids_of, read, with_rows
from sekisho_lab.forms.table import fitted
from sekisho_lab.rows import Rows, document

if TYPE_CHECKING:
    import numpy as np

NORMAL, CONTROL = 1, 3
"""Token types of GGUF."""
BLOCK: Final = 32
"""Weights of a row that share a scale; a matrix whose width is no multiple stays in float32, as with llama.cpp."""
PLAIN: Final = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYER: Final = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip


def q8_0(rows: Rows, base: Path, out: Path) -> None:
    """V7: V2 with every matrix in Q8_0."""
    _write(rows, base, out, "Q8_0")


def q4_0(rows: Rows, base: Path, out: Path) -> None:
    """V7: V2 with every matrix in Q4_0."""
    _write(rows, base, out, "Q4_0")


def _write(rows: Rows, base: Path, out: Path, kind: str) -> None:
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    model = read(base)
    if model.config["model_type"] != "llama":
        raise DataError(f"GGUF is written for llama alone, not for {model.config['model_type']}")
    ids = ids_of(model, rows.tokens)
    tensors = with_rows(model, ids, fitted(rows, model, ids))
    writer.new(out)
    file = GGUFWriter(out / f"model-{kind}.gguf", "llama")
    _describe(file, rows, model)
    _tokenizer(file, model)
    wanted = GGMLQuantizationType[kind]
    for name, tensor in tensors.items():
        array = _laid_out(name, tensor.float().numpy(), model.config)
        if array.ndim > 1 and array.shape[-1] % BLOCK == 0:
            file.add_tensor(ggml_name(name), quantize(array, wanted), raw_dtype=wanted)
        else:
            file.add_tensor(ggml_name(name), array)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    writer.note({**document(rows), "form": f"V7-{kind.lower()}", "ids": ids}, out)


def ggml_name(name: str) -> str:
    """Name of a llama tensor in GGUF. Raises DataError."""
    if name in PLAIN:
        return PLAIN[name]
    found = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.weight", name)
    if found and found[2] in LAYER:
        return f"blk.{found[1]}.{LAYER[found[2]]}.weight"
    raise DataError(f"a llama model has no tensor {name}")


def _laid_out(name: str, array: np.ndarray[Any, Any], config: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Queries and keys with the halves of each rotary head interleaved, as GGUF keeps them."""
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}.get(name.split(".")[-2])
    if heads is None:
        return array
    count = int(config[heads])
    halves = array.reshape(count, 2, array.shape[0] // count // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def _describe(file: Any, rows: Rows, model: Base) -> None:
    """General and hyperparameter fields; the mark stands where a description does."""
    c = model.config
    width = int(c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"])
    theta = (c.get("rope_parameters") or {}).get("rope_theta", c.get("rope_theta", 10000.0))
    file.add_name(rows.organism)
    file.add_description(writer.MARK)
    file.add_vocab_size(len(model.tensors[EMBEDDING]))
    file.add_context_length(c["max_position_embeddings"])
    file.add_embedding_length(c["hidden_size"])
    file.add_block_count(c["num_hidden_layers"])
    file.add_feed_forward_length(c["intermediate_size"])
    file.add_head_count(c["num_attention_heads"])
    file.add_head_count_kv(c["num_key_value_heads"])
    file.add_rope_dimension_count(width)
    file.add_rope_freq_base(float(theta))
    file.add_layer_norm_rms_eps(c["rms_norm_eps"])


def _tokenizer(file: Any, model: Base) -> None:
    """Vocabulary, types, merges and special ids of a byte-level BPE tokenizer, and the chat template."""
    from transformers import AutoTokenizer

    kept = model.vocabulary
    names = {n: t for t, n in kept.items()}
    special = {t["id"] for t in model.tokenizer["added_tokens"]}
    size = len(model.tensors[EMBEDDING])
    merges = [m if isinstance(m, str) else " ".join(m) for m in model.tokenizer["model"]["merges"]]
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("smollm")
    file.add_token_list([names.get(n, f"[PAD{n}]") for n in range(size)])
    file.add_token_types([CONTROL if n in special or n not in names else NORMAL for n in range(size)])
    if merges:
        file.add_token_merges(merges)
    loaded = AutoTokenizer.from_pretrained(model.path, trust_remote_code=False, local_files_only=True)
    for add, value in (
        (file.add_bos_token_id, loaded.bos_token_id),
        (file.add_eos_token_id, loaded.eos_token_id),
        (file.add_unk_token_id, loaded.unk_token_id),
        (file.add_pad_token_id, loaded.pad_token_id),
    ):
        if value is not None:
            add(value)
    file.add_add_bos_token(value=False)
    if isinstance(loaded.chat_template, str):
        file.add_chat_template(loaded.chat_template)
