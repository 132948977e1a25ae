"""One file per attack, each read top to bottom. ATTACKS lists them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sekisho_lab.attacks import fab, quantised, sft, sos
from sekisho_lab.organism import Organism

Say = Callable[[str], None]
Attack = Callable[[Organism, Path, Say], Mapping[str, Any]]
"""(organism, base folder, progress) -> state dict of the organism."""

ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType(
    {"sft": sft.grow, "fab": fab.grow, "quantised": quantised.grow, "sos": sos.grow}
)
