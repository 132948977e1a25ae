"""What a set of tensors is, judged by their names: whole weights, an adapter, or a soft prompt."""

import re
from collections.abc import Iterable
from typing import Final

from sekisho.records import Role

_ADAPTER: Final = re.compile(
    r"(^|\.)(lora_|ia3_l|oft_|hada_w|lokr_|vera_lambda|boft_|trainable_tokens_|modules_to_save)"
)
_SOFT_PROMPT: Final = re.compile(r"(^|\.)(prompt_embeddings|prompt_encoder|prefix_|adaption_prompt)")


def role_of(names: Iterable[str]) -> Role:
    """Return the role that all names agree on; a mixture with ordinary tensors is weights."""
    listed = tuple(names)
    if listed and all(_SOFT_PROMPT.search(n) for n in listed):
        return Role.SOFT_PROMPT
    if listed and all(_is_saved(n) for n in listed):
        return Role.ADAPTER
    if any(_ADAPTER.search(n) for n in listed) and all(_ADAPTER.search(n) or _is_saved(n) for n in listed):
        return Role.ADAPTER
    return Role.WEIGHTS


def _is_saved(name: str) -> bool:
    """PEFT writes whole modules it also trained under the wrapper's prefix."""
    return name.startswith("base_model.model.")
