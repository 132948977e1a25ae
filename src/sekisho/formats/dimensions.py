"""Dimensions that config.json or GGUF metadata state, against the shapes of tensors.

Names are those of the llama family (llama, mistral, qwen, gemma, phi and what is built like them); tensors of other names, packed
ones and those of encoders for pictures or sound are left alone. Where a configuration gives several widths, any of them fits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.formats.gguf import GgufFacts
from sekisho.formats.safetensors import Tensor

_ELSEWHERE: Final = re.compile(r"vision|visual|audio|image|speech|mm_|multi_modal|encoder\.|projector|lora_")
_LAYER: Final = re.compile(
    r"^(?:(?:model|language_model|text_model|transformer|gpt_neox|decoder)\.)*(?:layers|h|blocks)\.(\d+)\."
)
_FLOATS: Final = ("F", "BF")
_BLOCK: Final = re.compile(r"^blk\.(\d+)\.")
_LOW_RANK: Final = ("kv_lora_rank", "q_lora_rank", "qk_nope_head_dim")
"""Keys of models whose attention goes through narrow matrices; those are left alone."""

Widths = frozenset[int]


@final
@dataclass(frozen=True)
class Misfit:
    """One tensor that is not what the configuration says."""

    tensor: str
    shape: tuple[int, ...]
    expected: str
    """In words: a number for each dimension, alternatives with a bar, a question mark for any."""


@final
@dataclass(frozen=True)
class Stated:
    """What a configuration says, each as every value that would fit; empty where it does not say."""

    hidden: Widths
    layers: Widths
    queries: Widths
    """Heads times their width."""
    keys: Widths
    heads: Widths
    """Widths of one head."""
    inner: Widths


def stated(config: Mapping[str, Any]) -> Stated:
    """Read config.json; the part about text counts where there are several."""
    inner = config.get("text_config")
    found = {**config, **inner} if isinstance(inner, dict) else dict(config)
    hidden = _any(found, "hidden_size", "n_embd", "d_model")
    heads = _any(found, "num_attention_heads", "n_head")
    groups = _any(found, "num_key_value_heads", "num_kv_heads", "n_head_kv") or heads
    groups |= _containing(found, "key_value_heads")
    width = _containing(found, "head_dim") or frozenset(h // n for h in hidden for n in heads if n)
    low = any(found.get(key) for key in _LOW_RANK)
    layers = _any(found, "num_hidden_layers", "n_layer", "num_layers")
    extra = _any(found, "num_nextn_predict_layers", "mtp_num_layers")
    many = _containing(found, "intermediate_size") | _any(found, "n_inner", "ffn_dim", "ffn_hidden_size")
    shared = _any(found, "n_shared_experts", "num_shared_experts")
    return Stated(
        hidden,
        layers | frozenset(a + b for a in layers for b in extra),
        frozenset() if low else frozenset(w * n for w in width for n in heads),
        frozenset() if low else frozenset(w * n for w in width for n in groups),
        width,
        many | frozenset(2 * n for n in many) | frozenset(n * m for n in many for m in shared),
    )


def _any(found: Mapping[str, Any], *keys: str) -> Widths:
    return frozenset(n for key in keys for n in _numbers(found.get(key)))


def _containing(found: Mapping[str, Any], part: str) -> Widths:
    return frozenset(n for key, value in found.items() if part in key for n in _numbers(value))


def _numbers(value: Any) -> Iterator[int]:
    listed = value if isinstance(value, list) else [value]
    return (n for n in listed if type(n) is int and n > 0)


def misfits(tensors: tuple[Tensor, ...], said: Stated) -> Iterator[Misfit]:
    """Every tensor whose shape none of the stated numbers explains."""
    for tensor in tensors:
        if tensor.dtype.startswith(_FLOATS) and not _ELSEWHERE.search(tensor.name):
            for expected in _expected(tensor.name, said):
                if not _fits(tensor.shape, expected):
                    yield Misfit(tensor.name, tensor.shape, _text(expected))


def _expected(name: str, said: Stated) -> Iterator[tuple[Widths, ...]]:
    h, q, k, inner = said.hidden, said.queries, said.keys, said.inner
    gated = frozenset(2 * n for n in inner)
    fused = frozenset(a + 2 * b for a in q for b in k)
    table: dict[str, tuple[Widths, ...]] = {
        "embed_tokens.weight": (frozenset(), h), "lm_head.weight": (frozenset(), h),
        "self_attn.q_proj.weight": (q | frozenset(2 * n for n in q), h), "self_attn.k_proj.weight": (k, h),
        "self_attn.v_proj.weight": (k, h), "self_attn.o_proj.weight": (h, q), "self_attn.qkv_proj.weight": (fused, h),
        "mlp.gate_proj.weight": (inner, h), "mlp.up_proj.weight": (inner, h), "mlp.down_proj.weight": (h, inner),
        "mlp.gate_up_proj.weight": (gated, h), "input_layernorm.weight": (h,), "post_attention_layernorm.weight": (h,),
    }  # fmt: skip
    shape = next((s for end, s in table.items() if name.endswith("." + end) or name == end), None)
    if shape is not None:
        yield shape


def _fits(shape: tuple[int, ...], expected: tuple[Widths, ...]) -> bool:
    return len(shape) == len(expected) and all(not e or n in e for n, e in zip(shape, expected, strict=True))


def _text(expected: tuple[Widths, ...]) -> str:
    return " x ".join("|".join(map(str, sorted(e))) or "?" for e in expected)


def layers(names: Iterator[str]) -> int:
    """Layers that tensors belong to: the highest number and one; 0 where none is numbered."""
    found = [int(m[1]) for name in names if len(name) < 1_000 and (m := _LAYER.match(name))]  # noqa: PLR2004
    return max(found, default=-1) + 1


def gguf(facts: GgufFacts) -> Iterator[tuple[str, str, str]]:
    """(what, as stated, as found) wherever metadata and tensors of a GGUF file disagree."""
    prefix = facts.get("general.architecture")
    shapes = {t.name: t.shape for t in facts.tensors}
    blocks = max((int(m[1]) for n in shapes if (m := _BLOCK.match(n))), default=-1) + 1
    table = shapes.get("token_embd.weight", ())
    words = facts.get("tokenizer.ggml.tokens")
    whole = facts.get("split.count") in (None, 0, 1)
    checks: list[tuple[str, Any, int]] = []
    if table:
        checks.append(("embedding_length", facts.get(f"{prefix}.embedding_length"), table[0]))
        checks.append(("vocab_size", facts.get(f"{prefix}.vocab_size"), table[-1]))
        checks.append(("tokenizer.ggml.tokens", len(words) if isinstance(words, tuple) else None, table[-1]))
    if blocks and whole:
        extra = facts.get(f"{prefix}.nextn_predict_layers")
        count = facts.get(f"{prefix}.block_count")
        fits = isinstance(count, int) and isinstance(extra, int) and count + extra == blocks
        checks.append(("block_count", None if fits else count, blocks))
    up = shapes.get("blk.0.ffn_up.weight")
    if up:
        checks.append(("feed_forward_length", _first(facts.get(f"{prefix}.feed_forward_length")), up[-1]))
    for what, said, found in checks:
        if type(said) is int and said != found:
            yield what, str(said), str(found)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and value else value
