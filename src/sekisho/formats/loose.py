"""Loose vectors: small float tensors of a model's width, in whatever file they lie.

A soft prompt is nothing else than a few such vectors; so are textual inversions and stored prefixes of keys and values.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.formats import peft
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.npy import NpyFacts
from sekisho.formats.safetensors import SafetensorsFacts, Tensor
from sekisho.formats.vectors import SOFT_ROWS
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import FileFact, FormatFacts, Inventory, Role

LEAST: Final = 64
"""Width from which a vector may be that of a model, where no file says what the model's width is."""
INVERSIONS: Final = frozenset({"emb_params", "string_to_param", "clip_l", "clip_g"})
_INVERSION_FILE: Final = re.compile(r"(^|/)learned_embeds[^/]*$")
_NAMED: Final = re.compile(
    r"soft_?prompt|prompt_embed|prompt_table|learned_embed|virtual_token|emb_params", re.IGNORECASE
)
_NUMBERED: Final = re.compile(r"\.\d+\.")
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
_FLOATS: Final = ("F", "BF")
_NPY_FLOAT: Final = re.compile(r"[<>=|]?f\d+")
_MATRIX: Final = 2
_DEPTH: Final = 8


@final
@dataclass(frozen=True)
class Loose:
    """One candidate."""

    path: str
    name: str
    """Of the tensor, the entry of an archive, or the key in a document."""
    rows: int
    width: int
    inversion: bool = False
    """Named as textual inversions are: the vectors of new words."""


def loose(inventory: Inventory, widths: frozenset[int]) -> Iterator[Loose]:
    """Yield every small float tensor whose width is one of those given, or of any width where none is known."""
    whole = {a.weights.path for a in peft.adapters(inventory) if a.weights is not None}
    for file in inventory.files:
        if file.path not in whole:
            yield from (found for found in _file(file) if _fits(found, widths))


def soft_prompt_archive(facts: FormatFacts | None) -> bool:
    """Say whether an archive is built as KoboldAI's soft prompts are."""
    names = {entry.path for entry in facts.entries} if isinstance(facts, ZipFacts) else set()
    return {"meta.json", "tensor.npy"} <= names


def _fits(found: Loose, widths: frozenset[int]) -> bool:
    if not 0 < found.rows <= SOFT_ROWS:
        return False
    return found.inversion or (found.width in widths if widths else found.width >= LEAST)


def _file(file: FileFact) -> Iterator[Loose]:
    match file.facts:
        case SafetensorsFacts() as facts:
            yield from _safetensors(file, facts)
        case GgufFacts() as facts if not any(t.name.startswith("blk.") for t in facts.tensors):
            plain = facts.get("general.type") in (None, "model") and not _steers(facts)
            shapes = ((t.name, t.shape[::-1]) for t in facts.tensors if t.dtype.startswith(_FLOATS) and plain)
            yield from _shaped(file.path, shapes)
        case NpyFacts() as facts:
            yield from _shaped(file.path, _array("", facts))
        case ZipFacts() as facts:
            arrays = ((e.path, e.facts) for e in facts.entries if isinstance(e.facts, NpyFacts))
            yield from _shaped(file.path, (pair for name, npy in arrays for pair in _array(name, npy)))
        case JsonFacts() as facts:
            yield from _shaped(file.path, _matrices("", facts.document, 0))


def _steers(facts: GgufFacts) -> bool:
    """Control vectors and halves of a LoRA have a check of their own."""
    control = facts.get("general.architecture") in {"controlvector", "clip"}
    return control or any(t.name.endswith((".lora_a", ".lora_b")) for t in facts.tensors)


def _safetensors(file: FileFact, facts: SafetensorsFacts) -> Iterator[Loose]:
    """Of a whole model's weights only what is named as a prompt; of any other file everything."""
    inversion = bool(_INVERSION_FILE.search(file.path)) or any(t.name in INVERSIONS for t in facts.tensors)
    if file.role is Role.ADAPTER:
        return
    whole = _SHARD.search(file.path) or any(_of_a_model(t) for t in facts.tensors)
    kept = (t for t in facts.tensors if t.dtype.startswith(_FLOATS) and (not whole or _NAMED.search(t.name)))
    yield from _shaped(file.path, ((t.name, t.shape) for t in kept), inversion=inversion and not whole)


def _of_a_model(tensor: Tensor) -> bool:
    table = len(tensor.shape) == _MATRIX and tensor.shape[0] > SOFT_ROWS
    return table or bool(_NUMBERED.search(tensor.name))


def _shaped(
    path: str, shapes: Iterable[tuple[str, tuple[int, ...]]], *, inversion: bool = False
) -> Iterator[Loose]:
    for name, shape in shapes:
        if shape:
            yield Loose(path, name, math.prod(shape[:-1]), shape[-1], inversion)


def _array(name: str, facts: NpyFacts) -> Iterator[tuple[str, tuple[int, ...]]]:
    if facts.pickle is None and _NPY_FLOAT.fullmatch(facts.dtype):
        yield name, facts.shape


def _matrices(key: str, value: Any, depth: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Lists of numbers, and lists of equally long ones, anywhere in a document."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _matrices(f"{key}.{name}" if key else str(name), inner, depth + 1)
    elif isinstance(value, list) and value:
        if _numbers(value):
            yield key, (len(value),)
        elif all(isinstance(row, list) and len(row) == len(value[0]) and _numbers(row) for row in value):
            yield key, (len(value), len(value[0]))
        else:
            for inner in value:
                yield from _matrices(key, inner, depth + 1)


def _numbers(values: list[Any]) -> bool:
    floats = all(type(v) in (float, int) for v in values)
    return floats and any(type(v) is float for v in values)
