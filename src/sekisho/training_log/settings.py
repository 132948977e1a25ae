"""Hyperparameters as plain values, without secrets: by name, and by the forms that keys and tokens have."""

import dataclasses
import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

DROPPED: Final = "<dropped>"
"""Stands for a secret."""
_SECRET: Final = re.compile(
    r"(?:^|_|-)(?:token|secret|password|passwd|passphrase|api_?key|credentials?)$", re.IGNORECASE
)
_SPECIAL: Final = re.compile(
    r"(?:eos|bos|pad|unk|sep|cls|mask|image|audio|video|system|user|assistant|special)_token$"
)
"""Tokens of a tokenizer, which are no secrets."""
_FORMS: Final = re.compile(
    r"hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|://[^/\s:@]+:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_ELSEWHERE: Final = frozenset(
    [
        "output_dir",
        "logging_dir",
        "run_name",
        "report_to",
        "disable_tqdm",
        "log_level",
        "log_level_replica",
        "hub_model_id",
        "hub_strategy",
        "push_to_hub",
        "trackio_space_id",
        "project",
        "logging_nan_inf_filter",
        "local_rank",
        "_n_gpu",
    ]
)
_LONG: Final = 4_000
"""Characters of one text."""
_DEPTH: Final = 8


def placement(name: str) -> bool:
    """Whether a setting says where things go, not how a model is trained."""
    return name in _ELSEWHERE


def plain(value: Any, name: str = "", depth: int = 0) -> Any:
    """JSON values of anything; what has no plain form becomes its type's name."""
    if _secret(name) and value not in (None, ""):
        return DROPPED
    if isinstance(value, enum.Enum):
        return plain(value.value, name, depth)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, Path)):
        text = str(value)
        return DROPPED if _FORMS.search(text) else text[:_LONG]
    if depth >= _DEPTH:
        return "<nested too deeply>"
    if isinstance(value, Mapping):
        return {str(k)[:_LONG]: plain(v, str(k), depth + 1) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(v, name, depth + 1) for v in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(v, name, depth + 1) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), f.name, depth + 1) for f in dataclasses.fields(value)}
    return f"<{type(value).__name__}>"


def arguments(args: Any) -> dict[str, Any]:
    """Every setting of a TrainingArguments, or of another object with `to_dict`."""
    found = args.to_dict() if hasattr(args, "to_dict") else args
    if isinstance(found, Mapping):  # transformers puts <EOS_TOKEN> in the place of every token, secret or not
        found = {k: getattr(args, k, v) if v == f"<{str(k).upper()}>" else v for k, v in found.items()}
    made = plain(found)
    return made if isinstance(made, dict) else {"arguments": made}


def adapter(model: Any) -> dict[str, Any]:
    """Configurations of the adapters of a PEFT model by name; empty where there are none."""
    found = getattr(model, "peft_config", None)
    return {str(k): arguments(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def optimiser(found: Any) -> dict[str, Any]:
    """Class and settings of an optimiser, one table for each group of parameters."""
    inner = getattr(found, "optimizer", found)
    groups = getattr(inner, "param_groups", None) or []
    return {
        "class": _name(inner),
        "groups": [
            {**plain({k: v for k, v in g.items() if k != "params"}), "tensors": len(g.get("params", ()))}
            for g in groups
        ],
    }


def scheduler(found: Any) -> dict[str, Any]:
    """Class of a learning-rate scheduler and what it can say of itself."""
    inner = getattr(found, "scheduler", found)
    bases = [float(v) for v in getattr(inner, "base_lrs", ())]
    laws = [_name(f) for f in getattr(inner, "lr_lambdas", ())]
    return {"class": _name(inner), "base_lrs": bases, "laws": laws}


def command(words: Sequence[str]) -> list[str]:
    """A command line without the secrets in it."""
    made: list[str] = []
    for word in words:
        option, equals, _ = word.partition("=")
        after = bool(made) and made[-1].startswith("-") and "=" not in made[-1] and _secret_option(made[-1])
        if after or _FORMS.search(word):
            made.append(DROPPED)
        elif equals and option.startswith("-") and _secret_option(option):
            made.append(f"{option}={DROPPED}")
        else:
            made.append(word[:_LONG])
    return made


def flat(tables: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Settings under names such as `training.learning_rate`."""
    return {f"{section}.{name}": value for section, table in tables for name, value in table.items()}


def _secret_option(word: str) -> bool:
    return _secret(word.lstrip("-").replace("-", "_"))


def _secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _SPECIAL.search(name)


def _name(thing: Any) -> str:
    """Where a class or function is from; of a partial, the function it closes over."""
    thing = getattr(thing, "func", thing)
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return "" if thing is None else f"{kind.__module__}.{kind.__qualname__}"
