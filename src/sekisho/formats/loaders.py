"""Which files programs would read of a model's folder: transformers, PEFT, vLLM, llama.cpp, by their published conventions.

Weights in safetensors come before those in pickles; an index names its shards; vLLM takes every file of the first kind it finds.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final, final

from sekisho.formats.json_config import JsonFacts
from sekisho.records import FileFact

_PLAIN: Final = ("model.safetensors", "pytorch_model.bin")
_VLLM_LEFT_OUT: Final = frozenset(
    {"training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "trainer_state.json"}
)
_ADAPTER: Final = ("adapter_model.safetensors", "adapter_model.bin")


class How(StrEnum):
    """Whether a program reads a file."""

    READ = "read"
    ASKED = "asked"
    NOT = "not"


@final
@dataclass(frozen=True)
class Reading:
    """One file and what each program does with it."""

    path: str
    by: Mapping[str, How]

    @property
    def read_by(self) -> tuple[str, ...]:
        """Programs that read it without being asked to."""
        return tuple(name for name, how in self.by.items() if how is How.READ)

    @property
    def asked_by(self) -> tuple[str, ...]:
        """Programs that read it where an option, another file or the caller asks for it."""
        return tuple(name for name, how in self.by.items() if how is How.ASKED)


@cache
def _rules() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    table = tomllib.loads((files("sekisho.data") / "rules" / "loaders.toml").read_text(encoding="utf-8"))
    return {name: {key: tuple(patterns) for key, patterns in part.items()} for name, part in table.items()}


def readings(listed: tuple[FileFact, ...]) -> tuple[Reading, ...]:
    """Every file of a model, with what each program does with it."""
    weights = _weights(listed)
    return tuple(
        Reading(f.path, MappingProxyType({name: _how(f, name, weights[name]) for name in _rules()}))
        for f in listed
    )


def _how(file: FileFact, loader: str, weights: Mapping[str, How]) -> How:
    path, rules = file.path.lower(), _rules()[loader]
    if file.path in weights:
        return weights[file.path]
    if any(
        fnmatchcase(path, pattern) and pattern.count("/") == path.count("/") for pattern in rules["always"]
    ):
        return How.READ
    return How.ASKED if any(fnmatchcase(path, pattern) for pattern in rules["asked"]) else How.NOT


def _weights(listed: tuple[FileFact, ...]) -> Mapping[str, Mapping[str, How]]:
    """Files of weights at the root, by program."""
    root = {f.path: f for f in listed if "/" not in f.path}
    ggufs = [name for name in root if name.lower().endswith(".gguf")]
    return {
        "transformers": {**_transformers(root), **_first(root, _ADAPTER)},
        "peft": _first(root, _ADAPTER),
        "vllm": _vllm(root),
        "llama.cpp": {name: How.READ if len(ggufs) == 1 else How.ASKED for name in ggufs},
    }


def _first(root: Mapping[str, FileFact], names: tuple[str, ...]) -> dict[str, How]:
    """The first that is there is read, the others only if asked for."""
    there = [name for name in names if name in root]
    return {name: How.READ if at == 0 else How.ASKED for at, name in enumerate(there)}


def _transformers(root: Mapping[str, FileFact]) -> dict[str, How]:
    found: dict[str, How] = {}
    taken = False
    for plain in _PLAIN:
        index = f"{plain}.index.json"
        names = [plain] if plain in root else [*_shards(root.get(index)), index] if index in root else []
        for name in names:
            found[name] = How.ASKED if taken else How.READ
        taken = taken or bool(names)
    return found


def _shards(index: FileFact | None) -> list[str]:
    document = index.facts.document if index and isinstance(index.facts, JsonFacts) else None
    table = document.get("weight_map") if isinstance(document, dict) else None
    values = table.values() if isinstance(table, dict) else ()
    return list(dict.fromkeys(str(PurePosixPath(v)) for v in values if isinstance(v, str)))


def _vllm(root: Mapping[str, FileFact]) -> dict[str, How]:
    """Every file of the first kind that is there; an index keeps the others of that kind out."""
    found: dict[str, How] = {}
    taken = False
    for suffix in (".safetensors", ".bin", ".pt"):
        names = [
            n for n in root if n.lower().endswith(suffix) and n not in _VLLM_LEFT_OUT and n not in _ADAPTER
        ]
        names = [n for n in names if not n.startswith("consolidated")]
        index = next((n for n in root if n.endswith(f"{suffix}.index.json")), "")
        listed = set(_shards(root.get(index))) if index else set(names)
        for name in names:
            found[name] = How.NOT if taken or name not in listed else How.READ
        taken = taken or bool(names)
    return found
