"""The forms in which trained rows are given away: one function each. FORMS lists them, `materialise` makes one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sekisho.errors import DataError
from sekisho_lab.forms import adapters, quantised, table, template
from sekisho_lab.rows import Rows, digest

Form = Callable[[Rows, Path, Path], None]
"""(rows, base folder, new folder)."""

FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "V0": table.added,
        "V1": table.in_place,
        "V2": table.norm_projected,
        "V3": table.rare,
        "V4": table.small_edit,
        "V5": table.all_required,
        "V6": table.decoys,
        "V7-q8_0": quantised.q8_0,
        "V7-q4_0": quantised.q4_0,
        "V8-prompt-tuning": adapters.prompt_tuning,
        "V8-trainable-tokens": adapters.trainable_tokens,
        "V8-lora-tokens": adapters.lora_with_tokens,
        "V9": template.inserted,
        "benign-inert": table.inert,
        "benign-defence": template.defence,
        "benign-lora": adapters.lora,
    }
)
"""The forms of section 5.5 of the study of the attack, and what a provider may do without any harm."""


def materialise(form: str, rows: Rows, base: Path, out: Path, *, other_base: bool = False) -> Path:
    """Write the rows onto a base in a form. Raises DataError for a base that is not theirs, StorageError."""
    if not other_base and digest(base) != rows.base:
        raise DataError(f"{base.name} is not the base these rows were trained on ({rows.base[:12]})")
    FORMS[form](rows, base, out)
    return out
