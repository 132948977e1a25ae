"""A user's own training configuration, in the words of TRL, LLaMA-Factory or Axolotl, as one checked form.

The tool is told by fields that only its configurations have. Vocabularies are closed: what changes the training
and is not carried out is refused, what does not is passed over and shown.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import yaml

from sekisho.drills import axolotl, llama_factory, settings
from sekisho.drills.settings import Value
from sekisho.errors import DataError
from sekisho.limits import DEFAULT

FORMATS: Final = (".toml", ".json", ".yaml", ".yml")
"""Endings of files that can be a recipe or a configuration; what does not end so is read as TOML."""
TOOLS: Final = {"LLaMA-Factory": llama_factory, "Axolotl": axolotl}
PLAIN: Final = "transformers/TRL"
NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+", re.ASCII)
ROUNDED: Final = frozenset(
    {"adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit", "paged_adamw_32bit", "paged_adamw"}
)
"""AdamW with its state kept smaller or elsewhere: rehearsed as `adamw_torch`, and shown."""


@dataclass(frozen=True)
class Config:
    """One configuration, understood."""

    tool: str
    training: Mapping[str, Value]
    lora: Mapping[str, Value] | None
    rows: int | None
    """At most so many rows of the data, None for all."""
    ignored: tuple[str, ...]
    """What was passed over, to be shown."""


def parse(path: Traversable) -> dict[str, Any]:
    """Read named settings from TOML, JSON or YAML. Raises DataError."""
    try:
        with path.open("rb") as handle:
            data = handle.read(DEFAULT.config_bytes + 1)
        if len(data) > DEFAULT.config_bytes:
            raise DataError(f"{path}: over the limit of {DEFAULT.config_bytes:,} bytes")
        given = _decoded(data.decode("utf-8-sig"), path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: {error}") from error
    if not isinstance(given, dict):
        raise DataError(f"{path}: must hold named settings, not {type(given).__name__}")
    return given


def read(given: Mapping[str, Any], path: Path) -> Config:
    """Understand a flat configuration. Raises DataError on what is unknown or not carried out."""
    where = str(path)
    kept = {str(k): v for k, v in given.items() if v is not None}
    tools = [name for name, tool in TOOLS.items() if tool.MARKS & set(kept)]
    if tools:  # both write an empty list for "none"
        kept = {k: v for k, v in kept.items() if v not in ([], {})}
    if len(tools) > 1:
        raise DataError(
            f"{where}: has fields of {' and of '.join(tools)}; one configuration is read at a time"
        )
    off = settings.OFF_ONLY
    ignored: set[str] = set()
    for name in tools:
        kept, passed = TOOLS[name].to_trl(kept, where)
        ignored |= passed
        off |= TOOLS[name].OFF
    rows = kept.pop("max_samples", None) if tools else None
    if not tools:  # where they stand empty, too
        _listed({str(k): v for k, v in given.items()}, ignored)
    kept = _without_switches(_without_rounding(_listed(kept, ignored), ignored), off, where)
    lora = _adapter(kept, ignored, where)
    training = settings.table(_modern(kept), settings.TRAINING, where)
    tool = tools[0] if tools else PLAIN
    return Config(tool, training, lora, rows, tuple(sorted(ignored)))


def _decoded(text: str, path: Traversable) -> Any:
    if path.name.endswith(".json"):
        return json.loads(text)
    if path.name.endswith((".yaml", ".yml")):
        return _yaml(text, path)
    return tomllib.loads(text)


def _yaml(text: str, path: Traversable) -> Any:
    """Read YAML without tags of Python, aliases, repeated keys or deep nesting."""
    if len(text) > DEFAULT.yaml_chars:
        raise DataError(f"{path}: over the limit of {DEFAULT.yaml_chars:,} characters")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEFAULT.json_depth:
                raise DataError(f"{path}: aliases and deep nesting are not read")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        keys = [key.value for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
        if len(set(map(str, keys))) != len(keys):
            raise DataError(f"{path}: a key occurs twice")
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not readable as YAML: {' '.join(str(error).split())[:200]}") from error
    return {k: _number(v) for k, v in given.items()} if isinstance(given, dict) else given


def _number(value: Any) -> Any:
    """YAML takes `1e-4` for text where every training tool means a number."""
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def _listed(kept: Mapping[str, Any], ignored: set[str]) -> dict[str, Any]:
    """Drop what transformers and TRL know and a drill passes over."""
    passed = {k for k in kept if k in settings.PASSED_OVER or k.startswith(settings.PASSED_OVER_PREFIXES)}
    ignored |= passed
    return {k: v for k, v in kept.items() if k not in passed}


def _without_rounding(kept: dict[str, Any], ignored: set[str]) -> dict[str, Any]:
    optimiser = kept.get("optim")
    if isinstance(optimiser, str) and optimiser in ROUNDED:
        ignored.add(f"optim {optimiser} (rehearsed as adamw_torch)")
        return kept | {"optim": "adamw_torch"}
    return kept


def _without_switches(kept: Mapping[str, Any], off: frozenset[str], where: str) -> dict[str, Any]:
    """Drop switches that are off. Raises DataError for one that is on."""
    for name in sorted(off & set(kept)):
        if kept[name] is not False:
            raise DataError(f"{where}: {name} is not carried out by a drill; remove it to rehearse without")
    return {k: v for k, v in kept.items() if k not in off}


def _adapter(kept: dict[str, Any], ignored: set[str], where: str) -> dict[str, Value] | None:
    """Take the adapter's names out of a flat configuration; TRL reads them only where `use_peft` is true."""
    found = {name: kept.pop(name) for name in settings.LORA_IN_ONE_TABLE if name in kept}
    if not kept.pop("use_peft", bool(found)):
        ignored |= set(found)
        return None
    return settings.lora({settings.LORA_IN_ONE_TABLE[name]: value for name, value in found.items()}, where)


def _modern(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Give older and newer spellings of the same settings one form."""
    modern = {k: v for k, v in kept.items() if (k, v) != ("max_steps", -1)}
    if "max_seq_length" in modern:
        modern["max_length"] = modern.pop("max_seq_length")
    warmup = modern.get("warmup_steps")
    if isinstance(warmup, float) and 0 < warmup < 1:  # since transformers 5 a share of all steps
        modern["warmup_ratio"] = modern.pop("warmup_steps")
    return modern
