"""An adapter laid over its base, in memory, inside the child process: PEFT merges it, and nothing of it is skipped.

Vectors that stand before every input are no change of the weights: `models.prompts` puts those in their place.
"""

import json
from pathlib import Path
from typing import Any, Final

from sekisho.errors import ModelError
from sekisho.limits import DEFAULT
from sekisho.models import prompts

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
TOKENIZER: Final = ("tokenizer.json", "tokenizer.model")
_PREFIX: Final = "base_model.model."
_IMPORTS: Final = "megatron_config"
"""Setting that makes PEFT import a module by the name that the adapter gives."""


def merge(model: Any, folder: Path) -> Any:
    """Return the model with an adapter added to its weights. Raises ModelError."""
    from peft import PeftModel

    if prompts.is_prompt(_settings(folder)):
        return prompts.lay(model, prompts.read(folder / WEIGHTS))
    names = _names(folder / WEIGHTS)
    tuned = PeftModel.from_pretrained(model, folder, is_trainable=False)
    _fits(tuned, names, frozenset(model.state_dict()))
    merged = tuned.merge_and_unload(safe_merge=True).eval()
    return merged.requires_grad_(requires_grad=True)  # PEFT froze it; a drill trains it as any released model


def tokenizer_of(folder: Path, base: Path) -> Path:
    """Where the tokenizer and the chat template are taken from: the adapter's, if it brings one."""
    return folder if any((folder / name).is_file() for name in TOKENIZER) else base


def _settings(folder: Path) -> dict[str, Any]:
    """The settings of an adapter that may be followed. Raises ModelError."""
    try:
        with (folder / CONFIG).open("rb") as file:
            settings = json.loads(file.read(DEFAULT.config_bytes))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{CONFIG} cannot be read: {error}") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("peft_type"), str):
        raise ModelError(f"{CONFIG} describes no adapter")
    if settings.get(_IMPORTS):
        raise ModelError(f"{CONFIG}: {_IMPORTS} is not followed; save the adapter without it")
    return settings


def _names(path: Path) -> frozenset[str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return frozenset(file.keys())
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error


def _fits(tuned: Any, names: frozenset[str], released: frozenset[str]) -> None:
    """PEFT passes over tensors that it has no place for, and leaves others at nought: neither may go unsaid."""
    from peft import get_peft_model_state_dict

    wanted = frozenset(get_peft_model_state_dict(tuned, save_embedding_layers=False))
    extra = sorted(n for n in names - wanted if n.removeprefix(_PREFIX) not in released)
    missing = sorted(wanted - names)
    if extra or missing:
        said = f"{len(extra)} of its tensors have no place in the base, {len(missing)} are missing"
        raise ModelError(f"the adapter does not fit its base: {said} ({(extra or missing)[0][:120]})")
