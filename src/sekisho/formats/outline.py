"""The outline of a model that several checks hold other files against: its widths, its table of tokens, its tokens."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.formats import peft
from sekisho.formats import tokenizer as tokenizers
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.tokenizer import AddedToken, TokenizerFacts
from sekisho.records import FileFact, Inventory, Role

_HIDDEN: Final = ("hidden_size", "n_embd", "d_model", "dim", "embedding_length")
_LAYERS: Final = ("num_hidden_layers", "n_layer", "num_layers", "block_count")
_HEADS: Final = ("num_attention_heads", "n_head")
_MATRIX: Final = 2
_GGUF_TABLE: Final = "token_embd.weight"


@final
@dataclass(frozen=True)
class Outline:
    """What the files say; None where none of them does."""

    hidden: int | None = None
    layers: int | None = None
    kv: int | None = None
    """Width of one layer's keys."""
    vocabulary: int | None = None
    """`vocab_size` of config.json."""
    rows: int | None = None
    """Rows of the table of input tokens."""
    table: str = ""
    """Name of that table's tensor."""


def outline(inventory: Inventory) -> Outline:
    """Read it from config.json, else from a GGUF file's metadata; the table from the weights."""
    ordered = _ordered(inventory)
    config = next((f.facts.document for f in ordered if _is_config(f)), None)  # type: ignore[union-attr]
    config = config if isinstance(config, dict) else next((_gguf(f) for f in ordered if _gguf(f)), {})
    nested = config.get("text_config")
    found = {**config, **nested} if isinstance(nested, dict) else config
    hidden, heads = _number(found, _HIDDEN), _number(found, _HEADS)
    name, shape = next(_tables(ordered), ("", ()))
    width = _number(found, ("head_dim",)) or (hidden // heads if hidden and heads else None)
    groups = _number(found, ("num_key_value_heads",)) or heads
    return Outline(
        hidden=hidden or (shape[1] if shape else None),
        layers=_number(found, _LAYERS),
        kv=width * groups if width and groups else None,
        vocabulary=_number(found, ("vocab_size",)),
        rows=shape[0] if shape else None,
        table=name,
    )


def tokens(inventory: Inventory | None) -> tuple[str | None, ...]:
    """Return the token of each id, from the tokenizer nearest to the model's root."""
    facts = tokenizer(inventory) if inventory else None
    return facts.tokens if facts else ()


def tokenizer(inventory: Inventory) -> TokenizerFacts | None:
    """Return the tokenizer nearest to the model's root, or the one in a GGUF file."""
    ordered = _ordered(inventory)
    whole = (f.facts for f in ordered if isinstance(f.facts, TokenizerFacts))
    in_gguf = (tokenizers.from_gguf(f.facts) for f in ordered if isinstance(f.facts, GgufFacts))
    return next(whole, None) or next((facts for facts in in_gguf if facts is not None), None)


def added(inventory: Inventory) -> tuple[AddedToken, ...]:
    """Return its tokens beside the trained vocabulary."""
    facts = tokenizer(inventory)
    return facts.added if facts else ()


def written(ids: Iterable[int], names: tuple[str | None, ...]) -> str:
    """Return token ids as text: `"<unused7>" (id 13)`, or the bare id where it has no token."""
    return ", ".join(f'"{names[n]}" ({n})' if 0 <= n < len(names) and names[n] else str(n) for n in ids)


def _ordered(inventory: Inventory) -> list[FileFact]:
    return sorted(inventory.files, key=lambda f: (f.path.count("/"), f.format != "tokenizer", f.path))


def _is_config(file: FileFact) -> bool:
    return file.path.rpartition("/")[2] == "config.json" and isinstance(file.facts, JsonFacts)


def _gguf(file: FileFact) -> dict[str, Any]:
    """Metadata under the names that config.json would use."""
    if not isinstance(file.facts, GgufFacts):
        return {}
    plain = {key.rpartition(".")[2]: v for key, v in file.facts.metadata if isinstance(v, int)}
    heads = {
        "num_attention_heads": plain.get("head_count"),
        "num_key_value_heads": plain.get("head_count_kv"),
    }
    return plain | heads


def _number(config: dict[str, Any], names: tuple[str, ...]) -> int | None:
    values = (config.get(name) for name in names)
    return next((v for v in values if type(v) is int and v > 0), None)


def _tables(ordered: list[FileFact]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for file in ordered:
        if isinstance(file.facts, SafetensorsFacts) and file.role is Role.WEIGHTS:
            for tensor in file.facts.tensors:
                last = peft.table_of(peft.module_of(tensor.name))
                if len(tensor.shape) == _MATRIX and last and last not in {"lm_head", "embed_out", "output"}:
                    yield tensor.name, tensor.shape
        elif isinstance(file.facts, GgufFacts):
            yield from ((t.name, t.shape[::-1]) for t in file.facts.tensors if t.name == _GGUF_TABLE)
