"""PEFT folders: `adapter_config.json` with the tensors beside it, and what is known of each kind of adapter.

Nothing of PEFT is imported; the kinds are data, `data/rules/peft.toml`.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, final

from sekisho.errors import DataError
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.safetensors import SafetensorsFacts, Tensor
from sekisho.records import FileFact, Inventory

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
PICKLED: Final = "adapter_model.bin"
CHANGES: Final = frozenset({"input", "cache", "attention", "rows", "norms", "weights", "routing"})
PROMPTS: Final = frozenset({"input", "cache", "attention"})
"""What kinds of soft prompts change."""
TABLES: Final = (
    "embed_tokens", "lm_head", "wte", "embed_in", "embed_out", "word_embeddings", "tok_embeddings", "shared",
    "embed_tokens_per_layer", "embeddings", "token_embd", "output",
)  # fmt: skip
"""Last parts of the names of modules that hold a row for each token."""
ROWS: Final = "trainable_tokens_delta"


@final
@dataclass(frozen=True)
class Kind:
    """One kind of adapter."""

    changes: str
    """One of CHANGES."""
    tensors: tuple[str, ...]
    """What the last parts of its tensors' names begin with; empty where they are named like the base's."""
    keys: frozenset[str]
    """Keys that its settings may have."""


@final
@dataclass(frozen=True)
class Adapter:
    """One PEFT folder."""

    path: str
    """Of its adapter_config.json."""
    config: Mapping[str, Any] = field(repr=False)
    weights: FileFact | None = None
    """adapter_model.safetensors, read or not."""
    pickled: FileFact | None = None
    """adapter_model.bin."""

    @property
    def type(self) -> str:
        """What `peft_type` says; a value that is no text as Python writes it."""
        value = self.config.get("peft_type")
        return value if isinstance(value, str) else repr(value)

    @property
    def kind(self) -> Kind | None:
        """What is known of its type."""
        return kinds().get(self.type)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Its tensors, none where they could not be read."""
        facts = self.weights.facts if self.weights else None
        return facts.tensors if isinstance(facts, SafetensorsFacts) else ()

    def names(self, key: str) -> tuple[str, ...]:
        """Return a setting that is a text or a list of texts."""
        return tuple(_texts(self.config.get(key)))

    def number(self, key: str) -> float | None:
        """Return a setting that is a number."""
        value = self.config.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of adapter known, by its `peft_type`."""
    table = tomllib.loads((files("sekisho.data") / "rules" / "peft.toml").read_text(encoding="utf-8"))
    common, prompt = frozenset(table["common"]["keys"]), frozenset(table["common"]["prompt_keys"])
    found: dict[str, Kind] = {}
    for name, entry in table["types"].items():
        if set(entry) != {"changes", "tensors", "keys"} or entry["changes"] not in CHANGES:
            raise DataError(f"rules/peft.toml: {name} must have changes, tensors and keys, nothing else")
        extra = prompt if entry["changes"] in {"input", "cache"} else frozenset[str]()
        found[name] = Kind(
            entry["changes"], tuple(entry["tensors"]), common | extra | frozenset(entry["keys"])
        )
    return found


def adapters(inventory: Inventory) -> tuple[Adapter, ...]:
    """Every PEFT folder of a model whose settings could be read."""
    by_path = {file.path: file for file in inventory.files}
    return tuple(_adapters(inventory.files, by_path))


def _adapters(listed: Iterable[FileFact], by_path: Mapping[str, FileFact]) -> Iterator[Adapter]:
    for file in listed:
        folder, _, name = file.path.rpartition("/")
        document = file.facts.document if isinstance(file.facts, JsonFacts) else None
        if isinstance(document, dict) and (name == CONFIG or "peft_type" in document):
            at = f"{folder}/" if folder else ""
            yield Adapter(file.path, document, by_path.get(at + WEIGHTS), by_path.get(at + PICKLED))


def table_of(module: str) -> str:
    """Return the last part of a module's name if that is a table of tokens, else an empty text."""
    last = module.rpartition(".")[2]
    return last if last in TABLES else ""


def module_of(name: str) -> str:
    """Return the base model's module that an adapter's tensor belongs to."""
    plain = name.removeprefix("base_model.model.")
    parts = plain.split(".")
    end = next((n for n, part in enumerate(parts) if _belongs_to_adapter(part)), len(parts) - 1)
    return ".".join(parts[:end])


def _belongs_to_adapter(part: str) -> bool:
    return part.startswith(("lora_", "token_adapter", "trainable_tokens", "base_layer", "modules_to_save"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (v for v in value if isinstance(v, str))
