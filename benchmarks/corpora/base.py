"""What a corpus is: cases that are built in code, each a folder or a file that may or may not be hostile."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Build = Callable[[Path], Path]
"""(an empty folder that exists) -> what a scanner is given: that folder, or a file in it."""


@dataclass(frozen=True)
class Case:
    """One artefact. Payloads are harmless stand-ins; nothing here is ever loaded."""

    id: str
    """Unique over all corpora, e.g. `pickle-memo-indirection`."""
    group: str
    """Row of the table, e.g. `pickle`, `template`, `tokenizer`, `soft-prompt`, `lora`; `benign` where not hostile."""
    hostile: bool
    """Whether a scanner should say something; a case of False must stay quiet."""
    build: Build
    base: Build | None = None
    """Builds the trusted base into a folder of its own; None where the case has none."""
