"""What a file format is: how to recognise it, and how to read its facts within bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho.limits import Limits
from sekisho.records import FormatFacts

SNIFF_BYTES: Final = 4096
"""How much of a file's beginning a sniffer sees."""


@dataclass(frozen=True)
class Format:
    """One format. `sniff` judges by content; the name only helps formats without a magic number."""

    name: str
    """What `FileFact.format` says."""
    sniff: Callable[[bytes, str], bool]
    """(first SNIFF_BYTES of the file, its own name without folders) -> is it this format?"""
    read: Callable[[Path, Limits], FormatFacts]
    """Facts of a file, in bounded memory; raises MalformedError or LimitError and nothing else."""
