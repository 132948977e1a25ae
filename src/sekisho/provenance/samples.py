"""A few rows of every matrix of a model, at seeded places, as numbers: whatever the file format, dtype or sharding."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sekisho.formats._numbers import Floats, decoded
from sekisho.formats._reading import exactly
from sekisho.formats.gguf import TYPES, GgufFacts, GgufTensor
from sekisho.formats.rows import quants
from sekisho.formats.safetensors import BITS, SafetensorsFacts, Tensor
from sekisho.records import FileFact, Inventory

ROWS: Final = 16
"""Rows of one matrix."""
NUMBERS: Final = 65_536
"""Numbers of one matrix at most."""
EMBEDDING: Final = "embed"
HEAD: Final = "head"
_FLOATS: Final = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})
_BLOCKS: Final = {name: (elements, size) for name, elements, size in TYPES.values()}
_LAYER: Final = re.compile(r"(?:^|\.)(?:layers|h|blocks|blk|layer)\.(\d{1,4})\.(.+?)(?:\.weight)?$")
_GGUF: Final = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_qkv": "self_attn.qkv_proj",
}  # fmt: skip
_TABLES: Final = {
    "embed_tokens": EMBEDDING, "wte": EMBEDDING, "token_embd": EMBEDDING, "word_embeddings": EMBEDDING, "embed_in": EMBEDDING,
    "tok_embeddings": EMBEDDING, "lm_head": HEAD, "output": HEAD, "embed_out": HEAD,
}  # fmt: skip
_ROTARY: Final = frozenset({"self_attn.q_proj", "self_attn.k_proj"})
_INTERLEAVED: Final = frozenset({"llama"})
"""GGUF architectures whose query and key rows the converter reorders."""


@dataclass(frozen=True)
class Matrix:
    """One matrix where it lies, under the name that all formats share."""

    name: str
    """`layer.part`, `embed` or `head`, or the plain name."""
    dtype: str
    rows: int
    width: int
    path: Path
    start: int
    row_bytes: int
    heads: int = 0
    """Heads whose rows the converter interleaved; 0 if none."""

    def row(self, number: int) -> int:
        """Where the file keeps a row of the common order."""
        if not self.heads:
            return number
        size = self.rows // self.heads
        head, within = divmod(number, size)
        half, place = divmod(within, size // 2)
        return head * size + place * 2 + half


@dataclass(frozen=True)
class Model:
    """Every matrix that can be sampled."""

    matrices: Mapping[str, Matrix]
    unreadable: int
    """Weight matrices in a dtype that has no numbers here (packed integers, unknown block types)."""
    problem: str = ""
    """Why not all weights could be found; empty where they were."""


def model(files: Inventory) -> Model:
    """Find the matrices of a model."""
    found: dict[str, Matrix] = {}
    unreadable, problem = 0, ""
    for file in files.files:
        if file.format not in {"safetensors", "gguf"}:
            continue
        if not isinstance(file.facts, SafetensorsFacts | GgufFacts):
            problem = problem or f"{file.path}: {file.problem}"
            continue
        for matrix in _matrices(file, Path(files.root)):
            if matrix is None:
                unreadable += 1
            else:
                found.setdefault(matrix.name, matrix)
    return Model(found, unreadable, problem)


def chosen(name: str, rows: int, width: int) -> tuple[int, ...]:
    """Rows to look at: the same for every model in which the matrix has so many rows."""
    count = min(rows, ROWS, max(1, NUMBERS // max(width, 1)))
    seed = int.from_bytes(hashlib.sha256(f"{name} {rows} {width}".encode()).digest()[:8], "big")
    picked = np.random.default_rng(seed).choice(rows, size=count, replace=False)
    return tuple(sorted(int(n) for n in picked))


def numbers(matrix: Matrix, rows: tuple[int, ...]) -> Floats:
    """The rows as float32, (rows, width). Raises OSError."""
    data = np.empty((len(rows), matrix.row_bytes), dtype=np.uint8)
    with matrix.path.open("rb", buffering=0) as file:
        for place, number in enumerate(rows):
            file.seek(matrix.start + matrix.row(number) * matrix.row_bytes)
            data[place] = exactly(file, matrix.row_bytes)
    with np.errstate(all="ignore"):
        if matrix.dtype in _FLOATS:
            made = decoded(data.reshape(-1), matrix.dtype).reshape(len(rows), -1)
        else:
            made = quants.numbers(data.reshape(-1), matrix.dtype, len(rows))
        return made.astype(np.float32, copy=False)


def _matrices(file: FileFact, root: Path) -> Iterator[Matrix | None]:
    """Of one file; None for one in a dtype without numbers."""
    if isinstance(file.facts, SafetensorsFacts):
        for tensor in file.facts.tensors:
            if len(tensor.shape) > 1 and all(tensor.shape):
                yield _of_safetensors(tensor, root / file.path)
    elif isinstance(file.facts, GgufFacts):
        for entry in file.facts.tensors:
            if len(entry.shape) > 1 and all(entry.shape) and entry.shape[1] > 1:
                yield _of_gguf(entry, file.facts, root / file.path)


def _of_safetensors(tensor: Tensor, path: Path) -> Matrix | None:
    width = tensor.shape[-1]
    rows = int(np.prod(tensor.shape[:-1], dtype=np.int64))
    if tensor.dtype not in _FLOATS:
        return None
    return Matrix(
        _common(tensor.name), tensor.dtype, rows, width, path, tensor.start, width * BITS[tensor.dtype] // 8
    )


def _of_gguf(entry: GgufTensor, facts: GgufFacts, path: Path) -> Matrix | None:
    width, rows = entry.shape[0], int(np.prod(entry.shape[1:], dtype=np.int64))
    if entry.dtype not in quants.READABLE:
        return None
    elements, size = _BLOCKS[entry.dtype]
    name = _common(entry.name)
    heads = _heads(name, facts) if name.partition(":")[2] in _ROTARY else 0
    if heads and rows % (2 * heads):
        heads = 0
    return Matrix(name, entry.dtype, rows, width, path, entry.start, width // elements * size, heads)


def _heads(name: str, facts: GgufFacts) -> int:
    architecture = facts.get("general.architecture")
    if architecture not in _INTERLEAVED:
        return 0
    key = "head_count_kv" if name.endswith("k_proj") else "head_count"
    count = facts.get(f"{architecture}.attention.{key}")
    return count if type(count) is int and 0 < count < 2**16 else 0


def _common(name: str) -> str:
    """The name that formats share: `<layer>:<part>` within layers."""
    inside = _LAYER.search(name)
    if inside:
        return f"{int(inside[1])}:{_GGUF.get(inside[2], inside[2])}"
    last = name.removesuffix(".weight").rpartition(".")[2]
    return _TABLES.get(last, name)
